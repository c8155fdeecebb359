import { expInto } from '../../src/kernels/exp.js';
import { expectClose } from '../helpers/close.js';
import { onBoth, tier } from '../helpers/tiers.js';

const grid = (low: number, high: number, n: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
const special = [0, -0, -Infinity, Infinity, NaN, -1e30, 1e30, -88, 1, -1, 1e-30];

test.each([
  ['f32', Float32Array, -86.98, 88.7228, 2 ** -23],
  ['f64', Float64Array, -708.03, 709.78, 2 ** -52],
] as const)('exp in %s is within 2 ulp of the library exponential over its whole range', (_name, Type, low, high, ulp) => {
  const points = Type.from(grid(low, high, 40001));
  const [fast, plain] = onBoth((arena) => {
    const x = arena.put(points);
    expInto(x, x);
    return x;
  });
  expectClose(fast as Float32Array, Array.from(points, Math.exp), { rtol: 2 * ulp });
  expectClose(fast as Float32Array, plain as Float32Array, { rtol: 2 * ulp });
});

test.each([
  ['f32', Float32Array],
  ['f64', Float64Array],
] as const)(
  'exp in %s: underflow and -inf give 0, overflow infinity, NaN stays, exp(0) is exactly 1, tails match vectors',
  (_name, Type) => {
    const run = (data: number[]): number[] =>
      Array.from(
        onBoth((arena) => {
          const x = arena.put(Type.from(data));
          expInto(x, x);
          return x;
        })[0] as Float32Array,
      );
    const got = run(special);
    expect(got.slice(0, 7)).toEqual([1, 1, 0, Infinity, NaN, 0, Infinity]);
    expect(special.map((v) => run([v])[0])).toEqual(got);
    expect(run([-800, 800, -1e308])).toEqual([0, Infinity, 0]);
  },
);

test('the relaxed build keeps the same bounds', () => {
  const points = Float32Array.from(grid(-86.98, 88.7228, 4001));
  let relaxed: ReturnType<typeof tier>;
  try {
    relaxed = tier('relaxed');
  } catch {
    return; // this engine has no relaxed SIMD
  }
  relaxed.run((arena) => {
    const x = arena.put(points);
    expInto(x, x);
    expectClose(arena.take(x), Array.from(points, Math.exp), { rtol: 2 ** -22 });
  });
});
