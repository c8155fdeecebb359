import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { rank, softRank } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);
const rows = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 14 });
const settings = fc.record({
  regularization: fc.constantFrom('l2' as const, 'kl' as const),
  strength: fc.constantFrom(0.01, 0.3, 1, 20),
  direction: fc.constantFrom('ascending' as const, 'descending' as const),
});

test('the printed example: [5, 1, 2] at strength 1 and 2', () => {
  expectClose(softRank([5, 1, 2], { strength: 1 }).values, [3, 1, 2], { atol: 1e-12 });
  expectClose(softRank([5, 1, 2], { strength: 2 }).values, [3, 1.25, 1.75], { atol: 1e-12 });
});

test('two elements: ranks 1.5 ± d/(2·strength) until they are hard (l2), and the log form pools to equal sums (kl)', () => {
  expectClose(softRank([0.2, 0.5]).values, [1.35, 1.65], { atol: 1e-12 });
  expectClose(softRank([0, 3]).values, [1, 2], { atol: 1e-12 });
  const share = 1 / (1 + Math.exp(-0.3));
  expectClose(softRank([0.2, 0.5], { regularization: 'kl' }).values, [3 * (1 - share), 3 * share], { atol: 1e-12 });
});

test('ranks sum to n(n + 1)/2, follow permutations, and rise with x', () =>
  fc.assert(
    fc.property(rows, settings, fc.integer(), (x, setting, seed) => {
      const values = softRank(x, setting).values;
      expectClose(dot(values, new Float64Array(x.length).fill(1)), (x.length * (x.length + 1)) / 2, { rtol: 1e-12 });
      const order = new Random(seed).permutation(x.length);
      expectClose(
        softRank(
          Array.from(order, (i) => x[i] as number),
          setting,
        ).values,
        Float64Array.from(order, (i) => values[i] as number),
        { rtol: 1e-12 },
      );
      const sign = setting.direction === 'ascending' ? 1 : -1;
      const rising = [...x.keys()].sort((i, j) => (x[i] as number) - (x[j] as number)).map((i) => sign * (values[i] as number));
      for (let i = 1; i < rising.length; i++) expect((rising[i] as number) - (rising[i - 1] as number)).toBeGreaterThanOrEqual(-1e-11);
    }),
  ));

test('strength 0 is the hard rank with shared ties, and small strengths reach it', () => {
  const x = [3, 1, 4, 1, 5, 9, 2, 6];
  for (const regularization of ['l2', 'kl'] as const) {
    for (const direction of ['ascending', 'descending'] as const) {
      const options = { regularization, direction };
      expect(softRank(x, { ...options, strength: 0 }).values).toEqual(rank(x, { direction }));
      expect([...softRank(x, { ...options, strength: 0 }).backward([1, 2, 3, 4, 5, 6, 7, 8])]).toEqual(new Array(8).fill(0));
      // In the kl form the tail of the softmax fades like e^(−1/strength).
      expectClose(softRank(x, { ...options, strength: 0.02 }).values, rank(x, { direction }), { atol: 1e-9 });
      expectClose(softRank(x, { ...options, strength: 1e-12 }).values, rank(x, { direction }), { atol: 1e-9 });
    }
  }
});

test.each([
  ['l2', 'absolute', 0.8],
  ['l2', 'range', 0.3],
  ['kl', 'absolute', 0.8],
  ['kl', 'range', 0.3],
] as const)('the gradient (%s, strength %s) agrees with differences', (regularization, units, strength) => {
  for (const direction of ['ascending', 'descending'] as const) {
    const options = { regularization, units, strength, direction };
    const [x, g] = [randomF64(20, 3), randomF64(20, 4)];
    const value = (data: Float64Array) => dot(softRank({ data, shape: [2, 10] }, options).values.data, g);
    expectClose(softRank({ data: x, shape: [2, 10] }, options).backward(g).data, numericalGradient(value, x, 1e-6), { atol: 1e-6 });
  }
});

test('in units of the range, ranks do not change when x is scaled or shifted', () => {
  const x = randomF64(9);
  for (const regularization of ['l2', 'kl'] as const) {
    const options = { units: 'range', strength: 0.2, regularization } as const;
    expectClose(
      softRank(
        x.map((v) => 1e6 * v - 3),
        options,
      ).values,
      softRank(x, options).values,
      { atol: 1e-7 },
    );
  }
  expect([...softRank([2, 2, 2], { units: 'range' }).values]).toEqual([2, 2, 2]);
});

test('extreme strengths and 5000 elements stay finite and in range, where unshifted exponents overflow', () => {
  const x = randomF64(5000).map((v) => v * 1e4);
  for (const regularization of ['l2', 'kl'] as const) {
    for (const strength of [1e-8, 1e-3, 1, 1e8]) {
      const result = softRank(x, { regularization, strength });
      for (const value of result.values) expect(value >= 1 - 1e-6 && value <= 5000 + 1e-6).toBe(true);
      for (const value of result.backward(x)) if (!Number.isFinite(value)) throw new Error('gradient not finite');
    }
  }
});

test.each([
  ['a negative strength', () => softRank([1], { strength: -1 }), /strength: expected a number >= 0, got -1/],
  ['NaN', () => softRank([1, NaN]), /x: expected finite numbers, got NaN at index 1/],
  ['an empty row', () => softRank([]), /x: expected at least one element in a row, got none/],
  ['an unknown regularization', () => softRank([1], { regularization: 'l1' as 'l2' }), /regularization: expected one of l2, kl, got 'l1'/],
  ['unknown units', () => softRank([1], { units: 'sd' as 'range' }), /units: expected one of absolute, range/],
  ['a gradient of another size', () => softRank([1, 2]).backward([1]), /grad: expected 2 elements, got 1/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
