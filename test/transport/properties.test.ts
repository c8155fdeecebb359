// What every transport distance should do, after the questions of GeomLoss's own tests: diracs, permutations, symmetry, gradients of convex
// functions, products, batches.
import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import {
  assignment,
  buresWasserstein,
  emd,
  sinkhorn,
  sinkhornBatch,
  sinkhornDivergence,
  sinkhornPartial,
  sinkhornUnbalanced,
  slicedWasserstein,
  wasserstein1d,
} from '../../src/transport/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { randomWeights, squaredDistances } from './problems.js';

type Cloud = { x: Float64Array; a: Float64Array };
const d = 2;
const tight = { tolerance: 1e-11, maxIterations: 100_000 };
const points = (data: Float64Array) => ({ data, shape: [data.length / d, d] });
const cloud = (n: number, seed: number): Cloud => ({ x: randomF64(n * d, seed), a: randomWeights(n, seed + 50) });

/** Every distance between weighted clouds, as a number. */
const distances: Record<string, (one: Cloud, two: Cloud) => number> = {
  sinkhorn: (p, q) => sinkhorn({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { epsilon: 0.3, ...tight }).value,
  'sinkhorn in the log domain': (p, q) =>
    sinkhorn({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { epsilon: 0.3, method: 'log', ...tight }).value,
  sinkhornUnbalanced: (p, q) =>
    sinkhornUnbalanced({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { epsilon: 0.3, marginalPenalty: 0.8, ...tight }).value,
  sinkhornPartial: (p, q) =>
    sinkhornPartial({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { epsilon: 0.3, mass: 0.7, ...tight }).value,
  sinkhornDivergence: (p, q) => sinkhornDivergence({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { epsilon: 0.3, ...tight }).value,
  'unbalanced sinkhornDivergence': (p, q) =>
    sinkhornDivergence({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { epsilon: 0.3, marginalPenalty: 0.8, ...tight }).value,
  emd: (p, q) => emd({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }).value,
  'partial emd': (p, q) => emd({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { mass: 0.7 }).value,
  slicedWasserstein: (p, q) => slicedWasserstein({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }, { projections: 20, seed: 3 }).power,
  wasserstein1d: (p, q) =>
    wasserstein1d({ x: p.x.filter((_, k) => k % d === 0), y: q.x.filter((_, k) => k % d === 0), a: p.a, b: q.a }, { p: 2 }).power,
};
const names = Object.keys(distances);
const sizes = { n: fc.integer({ min: 1, max: 7 }), m: fc.integer({ min: 1, max: 7 }), seed: fc.integer({ min: 0, max: 1e6 }) };

test.each(names)('%s: exchanging the clouds changes nothing', (name) => {
  fc.assert(
    fc.property(sizes.n, sizes.m, sizes.seed, (n, m, seed) => {
      const [p, q] = [cloud(n, seed), cloud(m, seed + 1)];
      expectClose(distances[name]!(p, q), distances[name]!(q, p), { rtol: 1e-7, atol: 1e-7 });
    }),
    { numRuns: 12 },
  );
});

test.each(names)('%s: the order of the points, and points split in halves, change nothing', (name) => {
  fc.assert(
    fc.property(sizes.n, sizes.m, sizes.seed, (n, m, seed) => {
      const [p, q] = [cloud(n, seed), cloud(m, seed + 1)];
      const order = new Random(seed).permutation(n);
      const shuffled = { x: new Float64Array(n * d), a: new Float64Array(n) };
      order.forEach((from, to) => {
        shuffled.x.set(p.x.subarray(from * d, (from + 1) * d), to * d);
        shuffled.a[to] = p.a[from]!;
      });
      const want = distances[name]!(p, q);
      expectClose(distances[name]!(shuffled, q), want, { rtol: 1e-7, atol: 1e-7 });
      // Partial Sinkhorn counts entropy against the counting measure, which sees how often a point is listed.
      if (name === 'sinkhornPartial') return;
      const halves = { x: Float64Array.of(...p.x, ...p.x), a: Float64Array.of(...p.a, ...p.a).map((w) => w / 2) };
      expectClose(distances[name]!(halves, q), want, { rtol: 1e-7, atol: 1e-7 });
    }),
    { numRuns: 12 },
  );
});

test.each(names)('%s: moving both clouds together changes nothing', (name) => {
  const [p, q] = [cloud(6, 1), cloud(5, 2)];
  const moved = ({ x, a }: Cloud) => ({ x: x.map((v, k) => v + (k % d ? 30 : -12)), a });
  expectClose(distances[name]!(moved(p), moved(q)), distances[name]!(p, q), { rtol: 1e-7, atol: 1e-7 });
});

test.each(names)('%s: points without mass change nothing', (name) => {
  const [p, q] = [cloud(6, 1), cloud(5, 2)];
  const ghost = { x: Float64Array.of(40, -40, ...p.x), a: Float64Array.of(0, ...p.a) };
  // Sorted quantities with massless points keep their value exactly; iterative ones to their tolerance.
  expectClose(distances[name]!(ghost, q), distances[name]!(p, q), { rtol: 1e-7, atol: 1e-7 });
});

test('two diracs: the squared distance for every balanced distance, ⟨direction, difference⟩² in the mean for slices', () => {
  const [p, q] = [
    { x: Float64Array.of(1, 2), a: Float64Array.of(1) },
    { x: Float64Array.of(-2, 6), a: Float64Array.of(1) },
  ];
  for (const name of ['sinkhorn', 'sinkhorn in the log domain', 'sinkhornDivergence', 'emd'])
    expectClose(distances[name]!(p, q), 25, { rtol: 1e-12 });
  expectClose(distances.wasserstein1d!(p, q), 9, { rtol: 1e-12 });
  expectClose(distances['partial emd']!(p, q), 0.7 * 25, { rtol: 1e-12 });
  const many = slicedWasserstein({ x: points(p.x), y: points(q.x) }, { projections: 4000, seed: 1 }).power;
  expectClose(many, 12.5, { rtol: 0.05 });
});

test('the image of a cloud under the gradient of a convex function is matched point by point, exactly and nearly at small ε', () => {
  // φ(x) = ½ xᵀAx + log Σ e^(x_k): its gradient is A x + softmax(x).
  const x = randomF64(40 * d, 7);
  const y = new Float64Array(x.length);
  for (let i = 0; i < 40; i++) {
    const [u, v] = [x[2 * i]!, x[2 * i + 1]!];
    const share = 1 / (1 + Math.exp(v - u));
    y[2 * i] = 1.5 * u + 0.4 * v + share;
    y[2 * i + 1] = 0.4 * u + 0.8 * v + 1 - share;
  }
  let want = 0;
  for (let k = 0; k < x.length; k++) want += (x[k]! - y[k]!) ** 2 / 40;
  expect(Array.from(assignment({ x: points(x), y: points(y) }).columns)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  expectClose(emd({ x: points(x), y: points(y) }).value, want, { rtol: 1e-12 });
  const near = sinkhornDivergence({ x: points(x), y: points(y) }, { epsilon: 1e-3, tolerance: 1e-8 });
  expect(near.converged).toBe(true);
  expectClose(near.value, want, { rtol: 5e-3 });
  for (let k = 0; k < x.length; k++) expectClose(near.gradX![k]!, (2 * (x[k]! - y[k]!)) / 40, { atol: 5e-3 });
});

test('a product of measures under a sum of costs costs the sum', () => {
  const [one, two] = [[cloud(3, 1), cloud(4, 2)] as const, [cloud(5, 3), cloud(2, 4)] as const];
  const cost = (pair: readonly [Cloud, Cloud]) => squaredDistances(pair[0].x, pair[1].x, d);
  const [C, D] = [cost(one), cost(two)];
  const outer = (a: Float64Array, b: Float64Array) => Float64Array.from(Array.from(a, (v) => Array.from(b, (w) => v * w)).flat());
  const [n, m] = [15, 8];
  const sum = new Float64Array(n * m);
  for (let i = 0; i < 3; i++)
    for (let k = 0; k < 5; k++)
      for (let j = 0; j < 4; j++) for (let l = 0; l < 2; l++) sum[(i * 5 + k) * m + j * 2 + l] = C[i * 4 + j]! + D[k * 2 + l]!;
  const solve = (matrix: Float64Array, a: Float64Array, b: Float64Array) =>
    sinkhorn({ cost: matrix, a, b }, { epsilon: 0.4, ...tight }).value;
  expectClose(
    solve(sum, outer(one[0].a, two[0].a), outer(one[1].a, two[1].a)),
    solve(C, one[0].a, one[1].a) + solve(D, two[0].a, two[1].a),
    { rtol: 1e-9 },
  );
});

test('values grow with ε from the exact one to ⟨a⊗b, C⟩', () => {
  const [p, q] = [cloud(9, 1), cloud(7, 2)];
  const cost = squaredDistances(p.x, q.x, d);
  const solve = (epsilon: number) => sinkhorn({ cost, a: p.a, b: q.a }, { epsilon, ...tight }).value;
  const values = [1e-3, 1e-2, 0.1, 1, 10, 1e4].map(solve);
  values.reduce((low, high) => {
    expect(high).toBeGreaterThanOrEqual(low - 1e-9);
    return high;
  });
  expectClose(values[0]!, emd({ cost, a: p.a, b: q.a }).value, { atol: 1e-2 });
  let spread = 0;
  for (let i = 0; i < 9; i++) for (let j = 0; j < 7; j++) spread += p.a[i]! * q.a[j]! * cost[i * 7 + j]!;
  expectClose(values.at(-1)!, spread, { rtol: 1e-3 });
});

test('sliced and Gaussian distances stay below the exact one', () => {
  const [p, q] = [cloud(30, 5), cloud(30, 6)];
  const exact = emd({ x: points(p.x), y: points(q.x), a: p.a, b: q.a }).value;
  expect(distances.slicedWasserstein!(p, q)).toBeLessThanOrEqual(exact);
  const moments = ({ x, a }: Cloud) => {
    const mean = [0, 1].map((k) => a.reduce((s, w, i) => s + w * x[i * d + k]!, 0));
    const covariance = [0, 1, 2, 3].map((k) =>
      a.reduce((s, w, i) => s + w * (x[i * d + (k >> 1)]! - mean[k >> 1]!) * (x[i * d + (k & 1)]! - mean[k & 1]!), 0),
    );
    return { mean, covariance: { data: Float64Array.from(covariance), shape: [2, 2] } };
  };
  // Gelbrich's bound.
  expect(buresWasserstein(moments(p), moments(q)).power).toBeLessThanOrEqual(exact + 1e-12);
});

test('a batch of clouds is the loop over them', () => {
  const problems = [3, 5, 8].map((n) => ({ x: points(cloud(n, n).x), y: points(cloud(n + 1, n + 9).x) }));
  const { values } = sinkhornBatch(problems, { epsilon: 0.3 });
  expect(Array.from(values)).toEqual(problems.map((problem) => sinkhorn(problem, { epsilon: 0.3 }).value));
});
