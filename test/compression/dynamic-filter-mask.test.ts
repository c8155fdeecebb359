import fc from 'fast-check';
import { dynamicFilterMask, dynamicFlops } from '../../src/compression/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';

test('systems/146 the filters kept are the fewest that reach the mass, ties and empty samples included', () =>
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 12 }),
      fc.constantFrom(0, 0.25, 0.5, 0.9, 1),
      (values, mass) => {
        const { mask, counts } = dynamicFilterMask({ data: Float64Array.from(values), shape: [1, values.length] }, { mass });
        const sorted = values.map(Math.abs).sort((a, b) => b - a);
        const total = sorted.reduce((a, b) => a + b, 0);
        let k = 0;
        for (let sum = 0; sum < mass * total; k++) sum += sorted[k]!;
        expect(counts[0]).toBe(k);
        const order = values.map((_, i) => i).sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b);
        expect(Array.from(mask)).toEqual(values.map((_, i) => (order.indexOf(i) < k ? 1 : 0)));
      },
    ),
  ));

test('systems/146 the whole mass keeps every filter that has energy, pooled over its places', () => {
  const data = Float32Array.of(0, 0, 1, -3, 0, 0, 2, 2);
  const all = dynamicFilterMask({ data, shape: [1, 4, 2] }, { mass: 1 });
  expect(Array.from(all.mask)).toEqual([0, 1, 0, 1]);
  expect(Array.from(all.energies)).toEqual([0, 3, 0, 2]);
  expect(Array.from(dynamicFilterMask({ data, shape: [1, 4, 2] }, { mass: 0.5, pooling: 'mean' }).mask)).toEqual([0, 1, 0, 0]);
  const x = { data: randomF64(6 * 10), shape: [6, 10] };
  expect(Array.from(dynamicFilterMask(x, { mass: 1 }).counts)).toEqual(new Array(6).fill(10));
});

test('systems/146 in a linear two-layer net the output error falls as the mass grows', () => {
  const [n, c, o] = [40, 24, 5];
  const h = { data: randomF64(n * c, 1), shape: [n, c] };
  const w = randomF64(o * c, 2);
  const errors = [0, 0.2, 0.4, 0.6, 0.8, 0.9, 1].map((mass) => {
    const { mask } = dynamicFilterMask(h, { mass });
    let sum = 0;
    for (let s = 0; s < n; s++) {
      for (let j = 0; j < o; j++) {
        let gone = 0;
        for (let f = 0; f < c; f++) if (!mask[s * c + f]) gone += w[j * c + f]! * h.data[s * c + f]!;
        sum += gone * gone;
      }
    }
    return sum;
  });
  for (let i = 1; i < errors.length; i++) expect(errors[i]!).toBeLessThan(errors[i - 1]!);
  expect(errors.at(-1)).toBe(0);
});

test('systems/146 the saving is that of counting multiply-adds', () => {
  const counts = [
    [2, 4, 3],
    [1, 0, 6],
  ];
  const widths = [3, 4, 6];
  let done = 0;
  for (let s = 0; s < 3; s++) done += 3 * counts[0]![s]! + counts[0]![s]! * counts[1]![s]!;
  const { perLayer, total } = dynamicFlops(counts, widths);
  expectClose(total, 1 - done / (3 * (12 + 24)), { rtol: 1e-12 });
  expectClose(perLayer, [1 - 27 / 36, 1 - 20 / 72], { rtol: 1e-12 });
});

test('bad input is refused by name', () => {
  expect(() => dynamicFilterMask({ data: new Float32Array(4), shape: [4] }, { mass: 0.5 })).toThrow(/activations: expected \[n, channels/);
  expect(() => dynamicFilterMask({ data: new Float32Array(4), shape: [2, 2] }, { mass: 2 })).toThrow(/mass: expected a number from 0 to 1/);
  expect(() => dynamicFlops([[1]], [1])).toThrow(/widths: expected 2 elements, got 1/);
});
