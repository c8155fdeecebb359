import fc from 'fast-check';
import { sinkhornDivergence } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { randomWeights, squaredDistances } from './problems.js';

const tight = { tolerance: 1e-12, maxIterations: 50_000 };
const points = (data: Float64Array, d = 2) => ({ data, shape: [data.length / d, d] });

test('equal measures have divergence 0 and no gradient', () => {
  const x = points(randomF64(14, 1));
  const r = sinkhornDivergence({ x, y: x }, { epsilon: 0.1, ...tight });
  expectClose(r.value, 0, { atol: 1e-10 });
  expectClose(r.gradX!, new Float64Array(14), { atol: 1e-8 });
});

test('it is non-negative and symmetric, balanced and unbalanced', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.integer(), (n, m, seed) => {
      const [x, y] = [points(randomF64(2 * n, seed)), points(randomF64(2 * m, seed + 1))];
      const [a, b] = [randomWeights(n, seed), randomWeights(m, seed + 3)];
      for (const marginalPenalty of [Infinity, 0.5]) {
        const one = sinkhornDivergence({ x, y, a, b }, { epsilon: 0.2, marginalPenalty, ...tight });
        const two = sinkhornDivergence({ x: y, y: x, a: b, b: a }, { epsilon: 0.2, marginalPenalty, ...tight });
        expect(one.value).toBeGreaterThanOrEqual(-1e-10);
        expectClose(one.value, two.value, { atol: 1e-9 });
      }
    }),
    { numRuns: 25 },
  ));

test('two diracs are at their distance, and the gradient points from one to the other', () => {
  const r = sinkhornDivergence({ x: [[0, 0]], y: [[3, 4]], costFunction: 'half-sqeuclidean' }, { epsilon: 0.5 });
  expectClose(r.value, 12.5, { rtol: 1e-12 });
  expectClose(r.gradX!, [-3, -4], { atol: 1e-12 });
});

test('a translated cloud is at half the squared shift whatever ε', () => {
  const x = randomF64(20, 3);
  const y = x.map((v, k) => v + (k % 2 ? 2 : -1));
  for (const epsilon of [0.01, 1, 10]) {
    const r = sinkhornDivergence({ x: points(x), y: points(y), costFunction: 'half-sqeuclidean' }, { epsilon, ...tight });
    expectClose(r.value, 2.5, { rtol: 1e-8 });
  }
});

test('gradients of points and weights are those of differences', () => {
  const [x, y] = [randomF64(8, 1), randomF64(6, 2)];
  const [a, b] = [Float64Array.of(0.4, 0.3, 0.2, 0.6), randomWeights(3, 2)];
  const solve = (xs: Float64Array, wa: Float64Array) =>
    sinkhornDivergence({ x: points(xs), y: points(y), a: wa, b }, { epsilon: 0.3, marginalPenalty: 1.2, ...tight });
  const r = solve(x, a);
  expectClose(
    r.gradX!,
    numericalGradient((p) => solve(p, a).value, x),
    { atol: 1e-6 },
  );
  expectClose(
    r.gradA,
    numericalGradient((w) => solve(x, w).value, a),
    { atol: 1e-6 },
  );
});

test('cost matrices give what their points give', () => {
  const [x, y] = [randomF64(10, 1), randomF64(8, 2)];
  const given = {
    cost: { data: squaredDistances(x, y, 2), shape: [5, 4] },
    costX: squaredDistances(x, x, 2),
    costY: squaredDistances(y, y, 2),
  };
  const want = sinkhornDivergence({ x: points(x), y: points(y) }, { epsilon: 0.2, ...tight });
  const got = sinkhornDivergence(given, { epsilon: 0.2, ...tight });
  expectClose(got.value, want.value, { atol: 1e-10 });
  expect(got.gradX).toBeUndefined();
});

test('near-diagonal plans at small ε converge in tens of iterations', () => {
  const [x, y] = [points(randomF64(60, 1), 3), points(randomF64(60, 2), 3)];
  const r = sinkhornDivergence({ x, y }, { epsilon: 1e-3, tolerance: 1e-8 });
  expect(r.converged).toBe(true);
  expect(r.iterations).toBeLessThan(3000);
});

test('unequal totals of the balanced divergence are refused by name', () => {
  expect(() => sinkhornDivergence({ x: [[0]], y: [[1]], a: [2] }, {})).toThrow(/b: expected the total of a/);
});
