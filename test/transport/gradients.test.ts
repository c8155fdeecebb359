// Every value's gradient by weights, costs and points against central differences.
import { emd, maxSlicedWasserstein, sinkhornPartial, slicedWasserstein } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { randomWeights, squaredDistances } from './problems.js';

const [n, m, d] = [5, 6, 2];
const [x, y] = [randomF64(n * d, 3), randomF64(m * d, 4)];
const [a, b] = [randomWeights(n, 5), randomWeights(m, 6)];
const points = (data: Float64Array) => ({ data, shape: [data.length / d, d] });
const costFunctions = ['sqeuclidean', 'euclidean', 'cosine', 'half-sqeuclidean'] as const;

test.each(costFunctions)('emd, %s: the gradient by points is that of differences', (costFunction) => {
  for (const options of [{}, { mass: 0.6 }]) {
    const solve = (p: Float64Array, q: Float64Array) => emd({ x: points(p), y: points(q), costFunction, a, b }, options);
    const { x: gx, y: gy } = solve(x, y).gradients();
    expectClose(
      gx!,
      numericalGradient((p) => solve(p, y).value, x, 1e-6),
      { atol: 1e-7 },
    );
    expectClose(
      gy!,
      numericalGradient((q) => solve(x, q).value, y, 1e-6),
      { atol: 1e-7 },
    );
  }
});

test('emd: gradients by weights and costs are those of differences, whole and partial', () => {
  const cost = squaredDistances(x, y, d);
  const shaped = (data: Float64Array) => ({ data, shape: [n, m] });
  for (const options of [{}, { mass: 0.6 }]) {
    const solved = emd({ cost: shaped(cost), a, b }, options).gradients();
    expectClose(
      solved.cost,
      numericalGradient((c) => emd({ cost: shaped(c), a, b }, options).value, cost, 1e-6),
      { atol: 1e-8 },
    );
    if (!options.mass) {
      // Moving mass from one weight to another keeps the total.
      for (const [i, j] of [
        [0, 3],
        [4, 1],
      ] as const) {
        const at = (h: number) => a.map((w, k) => w + (k === i ? h : k === j ? -h : 0));
        const slope = (emd({ cost: shaped(cost), a: at(1e-6), b }).value - emd({ cost: shaped(cost), a: at(-1e-6), b }).value) / 2e-6;
        expectClose(solved.a[i]! - solved.a[j]!, slope, { atol: 1e-6 });
      }
    } else {
      expectClose(
        solved.a,
        numericalGradient((w) => emd({ cost: shaped(cost), a: w, b }, options).value, a, 1e-6),
        { atol: 1e-6 },
      );
      expectClose(
        solved.b,
        numericalGradient((w) => emd({ cost: shaped(cost), a, b: w }, options).value, b, 1e-6),
        { atol: 1e-6 },
      );
    }
  }
});

test('a dual certificate of the whole problem is its gradient, −∞ where there is no mass', () => {
  const r = emd({ cost: [0, 1, 2, 1, 0, 1], a: [0, 1], b: [0.5, 0.25, 0.25] });
  const { a: ga, b: gb } = r.gradients();
  expect(Array.from(ga)).toEqual(Array.from(r.f));
  expect(Array.from(gb)).toEqual(Array.from(r.g));
  expect(ga[0]).toBe(-Infinity);
});

test.each(costFunctions)('sinkhornPartial, %s: gradients by points, weights, costs and mass are those of differences', (costFunction) => {
  const options = { epsilon: 0.2, mass: 0.6, tolerance: 1e-12, maxIterations: 100_000 };
  const solve = (p: Float64Array, q: Float64Array, wa = a, wb = b, mass = 0.6) =>
    sinkhornPartial({ x: points(p), y: points(q), costFunction, a: wa, b: wb }, { ...options, mass });
  const r = solve(x, y);
  const { a: ga, b: gb, x: gx, y: gy } = r.gradients();
  for (const [got, f, at] of [
    [gx!, (p: Float64Array) => solve(p, y).value, x],
    [gy!, (q: Float64Array) => solve(x, q).value, y],
    [ga, (w: Float64Array) => solve(x, y, w).value, a],
    [gb, (w: Float64Array) => solve(x, y, a, w).value, b],
  ] as const)
    expectClose(got, numericalGradient(f, at, 1e-5), { atol: 2e-6 });
  expectClose((solve(x, y, a, b, 0.6 + 1e-5).value - solve(x, y, a, b, 0.6 - 1e-5).value) / 2e-5, r.level, { atol: 1e-5 });
  if (costFunction !== 'sqeuclidean') return;
  const cost = squaredDistances(x, y, d);
  const byCost = (c: Float64Array) => sinkhornPartial({ cost: { data: c, shape: [n, m] }, a, b }, options);
  expectClose(
    byCost(cost).gradients().cost,
    numericalGradient((c) => byCost(c).value, cost),
    { atol: 1e-6 },
  );
});

test.each([1.5, 2, 3])('sliced and max-sliced, p = %f: gradients by weights are those of moving mass', (p) => {
  const sliced = (w: Float64Array, v: Float64Array) => slicedWasserstein({ x: points(x), y: points(y), a: w, b: v }, { p, projections: 9 });
  const { direction } = maxSlicedWasserstein({ x: points(x), y: points(y), a, b }, { p });
  const along = (w: Float64Array, v: Float64Array) =>
    maxSlicedWasserstein({ x: points(x), y: points(y), a: w, b: v }, { p, directions: points(direction), refine: 0 });
  for (const solve of [sliced, along]) {
    const { gradA, gradB, power } = solve(a, b);
    // Both measures grow together: Σ a·gradA + Σ b·gradB = power, by homogeneity.
    expectClose(gradA.reduce((s, g, i) => s + g * a[i]!, 0) + gradB.reduce((s, g, j) => s + g * b[j]!, 0), power, { rtol: 1e-10 });
    const moved = (w: Float64Array, i: number, j: number, h: number) => w.map((v, k) => v + (k === i ? h : k === j ? -h : 0));
    expectClose(gradA[1]! - gradA[4]!, (solve(moved(a, 1, 4, 1e-6), b).power - solve(moved(a, 1, 4, -1e-6), b).power) / 2e-6, {
      atol: 1e-6,
    });
    expectClose(gradB[0]! - gradB[5]!, (solve(a, moved(b, 0, 5, 1e-6)).power - solve(a, moved(b, 0, 5, -1e-6)).power) / 2e-6, {
      atol: 1e-6,
    });
    expectClose(
      gradB.reduce((s, g) => s + g, 0),
      0,
      { atol: 1e-10 },
    );
  }
});
