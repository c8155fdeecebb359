// systems/30
import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { logSoftTopK, softTopK } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF32, randomF64 } from '../helpers/close.js';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);
const sum = (a: ArrayLike<number>) => Array.from(a).reduce((x, y) => x + y, 0);

test('equal scores share k equally, and two scores follow the closed form', () => {
  for (const n of [2, 7, 100, 5000]) {
    for (const value of softTopK(new Float64Array(n).fill(3), { k: 1 }).values) expectClose(value, 1 / n, { rtol: 1e-9 });
  }
  // k = 1 of two: t = −mean, y = σ(±alpha·d/2).
  expectClose(softTopK([1, 1.5], { k: 1, alpha: 3 }).values, [1 / (1 + Math.exp(0.75)), 1 / (1 + Math.exp(-0.75))], { atol: 1e-14 });
});

test('rows sum to k, values rise with the scores and follow permutations', () =>
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 2, maxLength: 40 }),
      fc.constantFrom(0.05, 1, 8, 300),
      fc.nat(),
      (x, alpha, draw) => {
        const k = 1 + (draw % x.length);
        const { values, threshold } = softTopK(x, { k, alpha });
        expectClose(sum(values), k, { atol: 1e-9 });
        const order = [...x.keys()].sort((i, j) => (x[i] as number) - (x[j] as number));
        for (let i = 1; i < x.length; i++)
          expect(values[order[i] as number]).toBeGreaterThanOrEqual(values[order[i - 1] as number] as number);
        const turned = new Random(draw).permutation(x.length);
        const again = softTopK(
          Array.from(turned, (i) => x[i] as number),
          { k, alpha },
        );
        expectClose(
          again.values,
          Float64Array.from(turned, (i) => values[i] as number),
          { atol: 1e-9 },
        );
        expect(threshold[0] === Infinity).toBe(k === x.length);
      },
    ),
  ));

test('1.3 million narrow scores sum to k, where a bracket that ignores n gives 22 in place of 5', () => {
  const random = new Random(3);
  const x = Float32Array.from({ length: 1_300_000 }, () => 0.1 * random.uniform());
  expectClose(sum(softTopK(x, { k: 5 }).values), 5, { rtol: 1e-5 });
  expectClose(sum(softTopK(Float64Array.from(x), { k: 5 }).values), 5, { rtol: 1e-12 });
  expectClose(sum(logSoftTopK(x, { k: 5 }).values.map((v) => Math.exp(v))), 5, { rtol: 1e-4 });
  expectClose(sum(softTopK(new Float64Array(131072), { k: 1 }).values), 1, { rtol: 1e-12 });
});

test('a large alpha gives the hard indicator, and its gradient fades', () => {
  const x = Float64Array.of(0.3, -1, 2, 0.7, 0.1, 1.5);
  for (const alpha of [1e3, 1e6, 1e12]) {
    const { values, backward } = softTopK(x, { k: 3, alpha });
    expectClose(values, [0, 0, 1, 1, 0, 1], { atol: 1e-12 });
    expectClose(backward([1, 2, 3, 4, 5, 6]), new Float64Array(6), { atol: 1e-12 });
  }
});

test.each([1, 3, 6])('gradients of both forms at k = %i of 7 agree with differences', (k) => {
  const [x, g] = [randomF64(14, 1), randomF64(14, 2)];
  for (const method of [softTopK, logSoftTopK]) {
    const value = (data: Float64Array) => dot(method({ data, shape: [2, 7] }, { k, alpha: 1.5 }).values.data, g);
    expectClose(method({ data: x, shape: [2, 7] }, { k, alpha: 1.5 }).backward(g).data, numericalGradient(value, x), { atol: 1e-8 });
  }
});

test('logarithms stay exact where the indicator underflows', () => {
  const x = Float32Array.of(0, -2000, 1, 0.5);
  const { values, threshold } = logSoftTopK(x, { k: 2, alpha: 2 });
  expectClose(values[1] as number, 2 * (-2000 + (threshold[0] as number)), { rtol: 1e-6 });
  expectClose(Array.from(values, Math.exp), softTopK(x, { k: 2, alpha: 2 }).values, { atol: 1e-6 });
});

test('k = n takes everything: values 1, logarithms 0, no gradient', () => {
  expect([...softTopK([3, 1, 2], 3).values]).toEqual([1, 1, 1]);
  expect([...logSoftTopK([3, 1, 2], 3).values]).toEqual([0, 0, 0]);
  expect([...softTopK([3, 1, 2], 3).backward([1, 2, 3])]).toEqual([0, 0, 0]);
});

test('long rows of f32 in every regime sum to k', () => {
  const x = randomF32(3 * 9000);
  for (const k of [1, 17, 4500, 8999]) {
    for (const alpha of [0.1, 2, 50, 1e5]) {
      const { data } = softTopK({ data: x, shape: [3, 9000] }, { k, alpha }).values;
      for (let row = 0; row < 3; row++) expectClose(sum(data.subarray(row * 9000, (row + 1) * 9000)), k, { rtol: 1e-5, atol: 1e-5 });
    }
  }
});

test.each([
  ['k = 0', () => softTopK([1, 2], { k: 0 }), /k: expected an integer from 1 to 2, got 0/],
  ['k > n', () => logSoftTopK([1, 2], { k: 3 }), /k: expected an integer from 1 to 2, got 3/],
  ['alpha 0', () => softTopK([1, 2], { k: 1, alpha: 0 }), /alpha: expected a number > 0, got 0/],
  ['NaN', () => softTopK([1, NaN], { k: 1 }), /x: expected finite numbers, got NaN at index 1/],
  ['an empty row', () => softTopK([], { k: 1 }), /x: expected at least one element in a row, got none/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});

describe.each([Float32Array, Float64Array])('nearly hard rows of %p', (Type) => {
  const tolerance = Type === Float32Array ? 2e-6 : 1e-12;

  test.each([1, 10, 20, 40, 100, 1e4, 1e15, 1e30])('one of two, %p apart: logarithm and gradient have the closed form', (d) => {
    // t = −mean: log y = log σ(±αd/2), and one score moves t by half of what it moves.
    const r = logSoftTopK(Type.from([0, d, -8 * d]), { k: 1, alpha: 2 });
    const log = (u: number) => Math.min(u, 0) - Math.log1p(Math.exp(-Math.abs(u)));
    expectClose(r.values.subarray(0, 2), [log(-d), log(d)], { rtol: d < 10 ? 1e-3 : tolerance, atol: 1e-30 });
    if (d < 10) return; // the third score is felt
    expectClose(r.threshold, [-d / 2], { rtol: tolerance });
    const pull = (at: number) => r.backward([0, 1, 2].map((i) => Number(i === at)));
    expectClose(pull(0), [1, -1, 0], { atol: 1e-4 });
    expectClose(pull(1), [0, 0, 0], { atol: 1e-3 });
  });

  test('several on both sides of a wide gap share it by their exponentials', () => {
    const x = Type.from([50, 50.5, 52, 0, -1, 0.25]);
    // Σ e^(−α(x+t)) above = Σ e^(α(x+t)) below, but for e^(−50).
    const [above, below] = [sum([0, 0.5, 2].map((v) => Math.exp(-2 * v))), sum([0, -1, 0.25].map((v) => Math.exp(2 * v)))];
    const t = -25 + Math.log(above / below) / 4;
    const r = logSoftTopK(x, { k: 3 });
    expectClose(r.threshold, [t], { rtol: tolerance });
    expectClose(
      r.values.subarray(3),
      [0, -1, 0.25].map((v) => 2 * (v + t)),
      { rtol: tolerance },
    );
  });

  test.each([1e9, 1e15, 1e30, 1e37])('scores of size %p still sum to k', (scale) => {
    const r = softTopK(Type.from([1, 2, -1, 0.5, 3].map((v) => v * scale)), { k: 2 });
    expectClose(r.values, [0, 1, 0, 0, 1], { atol: 1e-6 });
  });
});
