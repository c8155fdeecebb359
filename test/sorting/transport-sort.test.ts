import { Random } from '../../src/core/random.js';
import { quantile, rank, sort, transportQuantile, transportRank, transportSort } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);

test('a small epsilon gives the hard sort and ranks, a large one the mean everywhere', () => {
  const x = Float64Array.from(new Random(2).permutation(9));
  for (const direction of ['ascending', 'descending'] as const) {
    expectClose(transportSort(x, { direction, epsilon: 1e-3 }).values, sort(x, { direction }), { atol: 1e-2 });
    expectClose(transportRank(x, { direction, epsilon: 1e-3 }).values, rank(x, { direction }), { atol: 1e-2 });
    expectClose(transportSort(x, { direction, epsilon: 1e4 }).values, new Float64Array(9).fill(4), { atol: 1e-2 });
    expectClose(transportRank(x, { direction, epsilon: 1e4 }).values, new Float64Array(9).fill(5), { atol: 1e-2 });
  }
});

test('values keep their sum, ranks sum to n(n + 1)/2, both follow permutations, shifts and scales', () => {
  const x = randomF64(8, 4);
  const order = new Random(1).permutation(8);
  const turned = Float64Array.from(order, (i) => 100 * (x[i] as number) - 7);
  const [s, r] = [transportSort(x), transportRank(x)];
  expect([s.converged, r.converged]).toEqual([true, true]);
  expectClose(dot(s.values, new Float64Array(8).fill(1)), dot(x, new Float64Array(8).fill(1)), { atol: 1e-7 });
  expectClose(dot(r.values, new Float64Array(8).fill(1)), 36, { atol: 1e-6 });
  expectClose(
    transportSort(turned).values,
    s.values.map((v) => 100 * v - 7),
    { atol: 1e-4 },
  );
  expectClose(
    transportRank(turned).values,
    Float64Array.from(order, (i) => r.values[i] as number),
    { atol: 1e-6 },
  );
});

test('soft quantiles are near the hard ones and reach the extremes', () => {
  const x = randomF64(101, 6);
  for (const q of [0.1, 0.5, 0.9]) {
    const { values } = transportQuantile(x, { q, epsilon: 1e-3, width: 0.03 });
    expectClose(values, quantile(x, { q }), { atol: 0.15 });
  }
  expectClose(transportQuantile(x, { q: 1, epsilon: 1e-4, tolerance: 1e-6 }).values, quantile(x, { q: 1 }), { atol: 0.3 });
});

test.each(['sort', 'rank', 'quantile'] as const)('the implicit gradient of %s agrees with differences', (what) => {
  const [x, g] = [randomF64(12, 3), randomF64(12, 5)];
  const solver = { epsilon: 0.05, tolerance: 1e-13 };
  for (const direction of ['ascending', 'descending'] as const) {
    const run = (data: Float64Array) => {
      const rows = { data, shape: [2, 6] };
      if (what === 'sort') return transportSort(rows, { ...solver, direction });
      return what === 'rank' ? transportRank(rows, { ...solver, direction }) : transportQuantile(rows, { ...solver, q: 0.4, width: 0.3 });
    };
    const inflow = what === 'quantile' ? g.subarray(0, 2) : g;
    const value = (data: Float64Array) => dot(run(data).values, inflow);
    expectClose(run(x).backward(inflow), numericalGradient(value, x), { atol: 1e-6 });
  }
});

test('equal values and single elements are their own answer', () => {
  expectClose(transportSort([2, 2, 2]).values, [2, 2, 2], { atol: 1e-9 });
  expectClose(transportRank([2, 2, 2]).values, [2, 2, 2], { atol: 1e-8 });
  expectClose(transportSort([5]).values, [5], { atol: 1e-12 });
});

test('iterations that run out are reported, not thrown', () => {
  expect(transportSort(randomF64(20), { epsilon: 1e-5, maxIterations: 2 }).converged).toBe(false);
});

test.each([
  ['epsilon 0', () => transportSort([1, 2], { epsilon: 0 }), /epsilon: expected a number > 0, got 0/],
  ['q above 1', () => transportQuantile([1, 2], { q: 2 }), /q: expected a number from 0 to 1, got 2/],
  ['width 0', () => transportQuantile([1, 2], { q: 0.5, width: 0 }), /width: expected a number above 0, up to 1, got 0/],
  ['NaN', () => transportRank([NaN]), /x: expected finite numbers, got NaN at index 0/],
  ['an empty row', () => transportRank([]), /x: expected at least one element in a row, got none/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
