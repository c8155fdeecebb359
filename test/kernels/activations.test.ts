import { type Activation, activate, activationCodes } from '../../src/kernels/activations.js';
import type { Arena } from '../../src/runtime/arena.js';
import { slice } from '../../src/runtime/arena.js';
import { aroundVector, expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth, tier } from '../helpers/tiers.js';

const names = Object.keys(activationCodes) as Activation[];
const spread = (type: 'f32' | 'f64', n: number) =>
  (type === 'f32' ? randomF32(n) : randomF64(n)).map((x, i) => x * [0.1, 1, 4, 12][i % 4]!);

describe.each([
  ['f32', 3e-7],
  ['f64', 2e-15],
] as const)('%s', (type, eps) => {
  test.each(names)('%s and its derivatives agree with their scalar twins at every length', (name) => {
    for (const n of [...aroundVector, 101]) {
      const [fast, plain] = onBoth((arena: Arena) => {
        const z = arena.put(spread(type, n));
        const all = arena.real(type === 'f32' ? 'float32' : 'float64', 3 * n);
        activate(name, z, { a: slice(all, 0, n), d1: slice(all, n, n), d2: slice(all, 2 * n, n) });
        return all;
      });
      const z = spread(type, n);
      for (let i = 0; i < 3 * n; i++)
        expectClose(fast[i] as number, plain[i] as number, { atol: eps * Math.max(1, Math.abs(z[i % n]!)), rtol: eps });
    }
  });
});

test.each(names)('the derivatives of %s are those of differences', (name) => {
  const points = Float64Array.of(-7, -2.3, -0.61, -0.02, 0.01, 0.4, 0.56, 1.7, 6);
  const h = 1e-5;
  const at = (z: Float64Array) =>
    tier('simd').run((arena) => {
      const block = arena.put(z);
      const [a, d1, d2] = [arena.alloc('f64', z.length), arena.alloc('f64', z.length), arena.alloc('f64', z.length)];
      activate(name, block, { a, d1, d2 });
      return { a: arena.take(a), d1: arena.take(d1), d2: arena.take(d2) };
    });
  const [low, mid, high] = [at(points.map((x) => x - h)), at(points), at(points.map((x) => x + h))];
  expectClose(
    mid.d1,
    high.a.map((x, i) => (x - low.a[i]!) / (2 * h)),
    { atol: 1e-9 },
  );
  expectClose(
    mid.d2,
    high.d1.map((x, i) => (x - low.d1[i]!) / (2 * h)),
    { atol: 1e-9 },
  );
});

test('known values: gelu(1), its tanh form, and sigmoid far out', () => {
  const value = (name: Activation, x: number) =>
    tier('simd').run((arena) => {
      const z = arena.put(Float64Array.of(x));
      activate(name, z, { a: z });
      return arena.take(z)[0]!;
    });
  expectClose(value('gelu', 1), 0.8413447460685429, { rtol: 1e-15 });
  expectClose(value('gelu', -8), -8 * 6.220960574271785e-16, { rtol: 1e-13 });
  expectClose(value('gelu-tanh', 1), 0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * 1.044715)), { rtol: 1e-15 });
  expectClose(value('sigmoid', -700), Math.exp(-700), { rtol: 1e-12 });
  for (const name of names) for (const x of [1e30, -1e30]) expect(value(name, x)).not.toBeNaN();
  expect(value('tanh', 1e30)).toBe(1);
  expect(value('tanh', 1e-20)).toBe(1e-20);
});

test('NaN stays NaN through every activation', () => {
  for (const name of names) {
    const out = tier('simd').run((arena) => {
      const z = arena.put(new Float32Array(5).fill(NaN));
      activate(name, z, { a: z });
      return arena.take(z);
    });
    expect(out.every(Number.isNaN)).toBe(true);
  }
});

test('relu has derivative 0 at 0', () => {
  const [fast] = onBoth((arena: Arena) => {
    const d1 = arena.zeros('f64', 3);
    activate('relu', arena.put(Float64Array.of(-1, 0, 1)), { d1 });
    return d1;
  });
  expectClose(fast as Float64Array, [0, 0, 1]);
});
