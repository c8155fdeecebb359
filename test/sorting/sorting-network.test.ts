import { Random } from '../../src/core/random.js';
import { sort, sortingNetwork } from '../../src/sorting/index.js';
import { fillers } from './inputs.js';

/** Whether the comparators sort every column of 0-1 inputs, 32 inputs to a word. */
function sortsZeroOnes(layers: readonly (readonly (readonly [number, number])[])[], wires: Uint32Array[]): boolean {
  for (const layer of layers) {
    for (const [p, q] of layer) {
      const [a, b] = [wires[p] as Uint32Array, wires[q] as Uint32Array];
      for (let i = 0; i < a.length; i++) {
        const [x, y] = [a[i] as number, b[i] as number];
        a[i] = x & y;
        b[i] = x | y;
      }
    }
  }
  return wires.every(
    (wire, w) =>
      w === 0 ||
      wire.every(
        (bits, i) =>
          (bits & ~((wires[w - 1] as Uint32Array)[i] as number)) >>> 0 === (bits ^ ((wires[w - 1] as Uint32Array)[i] as number)) >>> 0,
      ),
  );
}

/** All 2^n inputs of zeros and ones. */
const everyInput = (n: number): Uint32Array[] =>
  Array.from({ length: n }, (_, wire) => {
    const words = new Uint32Array(Math.max(1, 2 ** n / 32));
    for (let input = 0; input < 2 ** n; input++)
      if ((input >>> wire) & 1) words[input >>> 5] = ((words[input >>> 5] as number) | (1 << (input & 31))) >>> 0;
    return words;
  });

describe.each(['odd-even', 'bitonic'] as const)('%s', (network) => {
  test('sorts every input of zeros and ones for n up to 16, and so everything (0-1 principle)', () => {
    for (let n = 1; n <= 16; n++) expect([n, sortsZeroOnes(sortingNetwork({ n, network }).layers, everyInput(n))]).toEqual([n, true]);
  });

  test('sorts random and one-run inputs of zeros and ones for n up to 56 and some larger', () => {
    for (const n of [...Array.from({ length: 40 }, (_, i) => 17 + i), 63, 64, 65, 94, 107, 130]) {
      const random = new Random(n);
      const wires = Array.from({ length: n }, () => Uint32Array.from({ length: 64 }, () => random.next()));
      // Second half of the words: sparse and dense inputs.
      for (const wire of wires)
        for (let i = 32; i < 64; i++)
          wire[i] = i % 2 ? (wire[i] as number) & random.next() & random.next() : (wire[i] as number) | random.next() | random.next();
      expect([n, sortsZeroOnes(sortingNetwork({ n, network }).layers, wires)]).toEqual([n, true]);
    }
  });

  test('no layer uses a wire twice', () => {
    for (const n of [2, 7, 22, 64]) {
      for (const layer of sortingNetwork({ n, network }).layers) expect(new Set(layer.flat()).size).toBe(2 * layer.length);
    }
  });
});

test('sizes and depths of both networks at n = 16', () => {
  expect(sortingNetwork({ n: 16, network: 'bitonic' })).toMatchObject({ depth: 10, size: 80 });
  expect(sortingNetwork({ n: 16, network: 'odd-even' })).toMatchObject({ depth: 16, size: 120 });
});

test('the wiring with alternating halves, as published, does not sort 22 wires; ours does', () => {
  const published: [number, number][][] = [];
  const dropped = 10;
  for (let size = 2; size <= 32; size *= 2) {
    for (let distance = size / 2; distance >= 1; distance /= 2) {
      const layer: [number, number][] = [];
      for (let a = dropped; a < 32; a++) {
        if (a & distance) continue;
        const [p, q] = [a - dropped, a + distance - dropped];
        layer.push((a / size) & 1 ? [q, p] : [p, q]);
      }
      published.push(layer);
    }
  }
  const inputs = () => {
    const random = new Random(1);
    return Array.from({ length: 22 }, () => Uint32Array.from({ length: 4096 }, () => random.next()));
  };
  expect(sortsZeroOnes(published, inputs())).toBe(false);
  expect(sortsZeroOnes(sortingNetwork({ n: 22, network: 'bitonic' }).layers, inputs())).toBe(true);
});

describe.each(Object.entries({ f32: Float32Array, f64: Float64Array, i32: Int32Array, u32: Uint32Array }))('rows of %s', (_type, Type) => {
  test('through a network equal rows sorted one by one, in both directions', () => {
    for (const [filler, fill] of Object.entries(fillers)) {
      for (const n of [1, 2, 5, 13, 32]) {
        for (const rows of [1, 3, 18]) {
          for (const direction of ['ascending', 'descending'] as const) {
            const data = Type.from(fill(n * rows, new Random(n))) as Float32Array;
            const want = Array.from(sort(data, { direction, segments: Array.from({ length: rows + 1 }, (_, r) => r * n) }));
            expect([filler, ...sort({ data, shape: [rows, n] }, { direction })]).toEqual([filler, ...want]);
            for (const network of ['odd-even', 'bitonic'] as const) {
              const { sort: exchange } = sortingNetwork({ n, network, direction });
              expect([filler, ...exchange({ data, shape: [rows, n] })]).toEqual([filler, ...want]);
            }
          }
        }
      }
    }
  });
});

test.each([
  ['no wires', () => sortingNetwork({ n: 0 }), /n: expected an integer >= 1, got 0/],
  [
    'an unknown network',
    () => sortingNetwork({ n: 2, network: 'shell' as 'bitonic' }),
    /network: expected one of odd-even, bitonic, got 'shell'/,
  ],
  ['rows of another length', () => sortingNetwork({ n: 2 }).sort([1, 2, 3]), /x: expected rows of 2 elements, got 3/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
