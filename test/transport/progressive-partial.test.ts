import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { progressivePartial, sinkhorn } from '../../src/transport/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { rowSums } from './problems.js';

const methods = ['newton', 'anderson', 'scaling'] as const;
const shaped = (data: Float64Array | Float32Array, cols: number) => ({ data, shape: [data.length / cols, cols] });

/** Logits of samples from clusters of the given sizes, each strong on its own cluster. */
function imbalanced(sizes: number[], strength: number, seed: number) {
  const draw = new Random(seed);
  const truth = sizes.flatMap((n, k) => new Array<number>(n).fill(k));
  const K = sizes.length;
  const data = Float64Array.from(
    { length: truth.length * K },
    (_, at) => draw.normal() + (truth[Math.floor(at / K)] === at % K ? strength : 0),
  );
  return { logits: shaped(data, K), truth };
}

test('systems/201: mass is ρ, rows hold at most 1/N, and all methods agree', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 1, max: 6 }),
      fc.oneof(fc.constant(1), fc.double({ min: 0.05, max: 0.99, noNaN: true })),
      fc.constantFrom(0.3, 1, 5, Infinity),
      fc.integer(),
      (n, k, mass, clusterPenalty, seed) => {
        const logits = shaped(randomF64(n * k, seed), k);
        const solve = (method: (typeof methods)[number]) =>
          progressivePartial({ logits }, { mass, clusterPenalty, method, epsilon: 0.3, tolerance: 1e-10, maxIterations: 100_000 });
        const one = solve('newton');
        expect(one.converged).toBe(true);
        expectClose(
          one.columnMass.reduce((s, x) => s + x, 0),
          mass,
          { atol: 1e-9 },
        );
        for (const s of rowSums(one.plan, k)) expect(s).toBeLessThanOrEqual(1 / n + 1e-12);
        expectClose(
          rowSums(one.plan, k),
          one.slack.map((s) => 1 / n - s),
          { atol: 1e-12 },
        );
        for (const method of methods) expectClose(solve(method).plan, one.plan, { atol: 1e-7 });
      },
    ),
    { numRuns: 40 },
  ));

test('the objective is that of the plan, and no feasible move lowers it', () => {
  const [n, k, mass, lambda, epsilon] = [7, 3, 0.6, 0.8, 0.2];
  const cost = randomF64(n * k, 3).map(Math.abs);
  const { plan, objective } = progressivePartial({ cost: shaped(cost, k) }, { mass, clusterPenalty: lambda, epsilon, tolerance: 1e-13 });
  const value = (Q: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      let left = 1 / n;
      for (let j = 0; j < k; j++) {
        const q = Q[i * k + j]!;
        left -= q;
        sum += q * cost[i * k + j]! + epsilon * q * Math.log(q);
      }
      sum += epsilon * left * Math.log(left);
    }
    for (let j = 0; j < k; j++) {
      let x = 0;
      for (let i = 0; i < n; i++) x += Q[i * k + j]!;
      sum += lambda * (x * Math.log(x / (mass / k)) - x + mass / k);
    }
    return sum;
  };
  expectClose(objective, value(plan), { rtol: 1e-11 });
  const draw = new Random(1);
  for (let trial = 0; trial < 200; trial++) {
    const moved = Float64Array.from(plan);
    const [p, q] = [draw.integer(n * k), draw.integer(n * k)];
    const amount = 0.1 * Math.min(moved[p]!, 1e-3);
    moved[p]! -= amount;
    moved[q]! += amount;
    expect(value(moved)).toBeGreaterThanOrEqual(objective - 1e-12);
  }
});

test('systems/201: imbalanced clusters keep their sizes where balanced transport forces equal ones', () => {
  const { logits, truth } = imbalanced([200, 60, 20, 20], 4, 2);
  const data = Float64Array.from(logits.data);
  const N = truth.length;
  const labelled = (plan: ArrayLike<number>) =>
    truth.map((_, i) => [0, 1, 2, 3].reduce((best, j) => (plan[i * 4 + j]! > plan[i * 4 + best]! ? j : best), 0));
  const accuracy = (plan: ArrayLike<number>) => labelled(plan).filter((label, i) => label === truth[i]).length / N;
  const ours = progressivePartial({ logits }, { mass: 0.9, clusterPenalty: 0.3 });
  const cost = data.map((_, at) => {
    const row = data.subarray(Math.floor(at / 4) * 4, Math.floor(at / 4) * 4 + 4);
    return Math.log(row.reduce((s, v) => s + Math.exp(v), 0)) - data[at]!;
  });
  const balanced = sinkhorn({ cost: shaped(cost, 4) }, { epsilon: 0.1 }).plan();
  expect(accuracy(ours.plan)).toBeGreaterThan(0.93);
  expect(accuracy(balanced)).toBeLessThan(0.7);
  const sizes = [0, 0, 0, 0];
  for (const label of labelled(ours.plan)) sizes[label]!++;
  expectClose(sizes, [200, 60, 20, 20], { atol: 15 });
});

test.each([
  [[240, 40, 20], 4],
  [[300, 100, 30, 10, 5], 4],
  [[90, 90, 90, 10], 4],
])(
  'systems/201: mixtures of sizes %p: labelled shares are the true ones within a fifth of a cluster, balanced ones are equal',
  (sizes, strength) => {
    const { logits, truth } = imbalanced(sizes, strength, 11);
    const [N, K] = [truth.length, sizes.length];
    const { columnMass } = progressivePartial({ logits }, { mass: 1, clusterPenalty: 0.1 });
    columnMass.forEach((mass, k) => {
      const share = sizes[k]! / N;
      expect(Math.abs(mass - share)).toBeLessThan(Math.max(0.2 * share, 0.02));
    });
    // λ = ∞ is balanced transport: every cluster gets 1/K whatever the data say.
    const { columnMass: equal } = progressivePartial({ logits }, { mass: 1, clusterPenalty: Infinity });
    expectClose(equal, new Float64Array(K).fill(1 / K), { atol: 1e-6 });
  },
);

test('Newton needs a handful of steps where the published iteration needs hundreds', () => {
  const { logits } = imbalanced([300, 100, 30, 10, 5], 3, 4);
  for (const mass of [0.1, 0.5, 0.9]) {
    const count = (method: (typeof methods)[number]) => progressivePartial({ logits }, { mass, method, maxIterations: 20_000 }).iterations;
    expect(count('newton')).toBeLessThanOrEqual(15);
    expect(count('anderson')).toBeLessThan(100);
    expect(count('scaling')).toBeGreaterThan(100);
  }
});

test('λ = ∞ forces the prior, and small ε and extreme logits stay finite', () => {
  const logits = shaped(
    randomF64(60, 1).map((x) => 40 * x),
    3,
  );
  const forced = progressivePartial({ logits }, { mass: 0.7, clusterPenalty: Infinity, prior: [1, 2, 1], epsilon: 1 });
  expectClose(forced.columnMass, [0.175, 0.35, 0.175], { atol: 1e-6 });
  for (const epsilon of [1e-2, 1e-3]) {
    const r = progressivePartial({ logits }, { mass: 0.5, epsilon });
    expect([...r.plan, r.objective, ...r.potentials].every(Number.isFinite)).toBe(true);
  }
});

test.each([1e-3, 1e-4])('columns whose costs are all far beyond the range of exponentials get their share (ε = %d)', (epsilon) => {
  const scores = randomF64(200 * 6, 3);
  for (const precision of ['f32', 'f64'] as const) {
    const numbers = precision === 'f32' ? Float32Array.from(scores) : scores;
    for (const problem of [{ logits: shaped(numbers, 6) }, { cost: shaped(numbers.map((c) => c - 8) as Float64Array, 6) }]) {
      for (const mass of [0.1, 0.5, 1]) {
        const solved = progressivePartial(problem, { mass, epsilon });
        // Costs of single precision, rounded to half an ε and more here, need not have a solution to 1e-6.
        if (precision === 'f64') expect(solved.converged).toBe(true);
        expect([...solved.plan, solved.objective, solved.error, ...solved.potentials].every(Number.isFinite)).toBe(true);
        for (const method of ['anderson', 'scaling'] as const) {
          const slow = progressivePartial(problem, { mass, epsilon, method, maxIterations: 60 });
          expect([...slow.plan, slow.objective, slow.error, ...slow.potentials].every(Number.isFinite)).toBe(true);
        }
      }
    }
  }
});

test('a warm start from a nearby mass saves steps', () => {
  const { logits } = imbalanced([100, 50, 10], 3, 5);
  const cold = progressivePartial({ logits }, { mass: 0.5 });
  const next = progressivePartial({ logits }, { mass: 0.52, warmStart: cold });
  expect(next.iterations).toBeLessThan(progressivePartial({ logits }, { mass: 0.52 }).iterations + 1);
  expect(next.converged).toBe(true);
});

test.each([
  ['mass 0', { mass: 0 }, /mass: expected a number > 0/],
  ['mass above 1', { mass: 1.1 }, /mass: expected a number from 0 to 1/],
  ['a penalty of 0', { clusterPenalty: 0 }, /clusterPenalty/],
  ['epsilon NaN', { epsilon: NaN }, /epsilon/],
  ['an unknown method', { method: 'lbfgs' }, /method: expected one of newton, anderson, scaling/],
  ['a prior with 0', { prior: [1, 0] }, /prior: expected numbers > 0/],
])('%s is refused by name', (_name, options, message) => {
  expect(() => progressivePartial({ logits: [[1, 2]] }, options as never)).toThrow(message);
});

test('many rows are first solved on a sample of them: same answer in either precision, steps counted through, stopping obeyed', () => {
  const { logits } = imbalanced([700, 250, 80, 40, 13], 3, 9);
  const single = shaped(Float32Array.from(logits.data), 5);
  for (const mass of [0.1, 0.9]) {
    const exact = progressivePartial({ logits }, { mass, method: 'anderson', tolerance: 1e-10 });
    const steps: number[] = [];
    const onIteration = ({ iteration }: { iteration: number }) => void steps.push(iteration);
    const double = progressivePartial({ logits }, { mass, tolerance: 1e-10, onIteration });
    expect(double.converged).toBe(true);
    expect(steps).toEqual(Array.from({ length: double.iterations }, (_, k) => k + 1));
    expect(double.iterations).toBeLessThanOrEqual(15);
    expectClose(double.plan, exact.plan, { atol: 1e-10 });
    expectClose(double.slack, exact.slack, { atol: 1e-10 });
    expectClose(double.objective, exact.objective, { atol: 1e-9 });
    expectClose(Float64Array.from(progressivePartial({ logits: single }, { mass }).plan), exact.plan, { atol: 1e-7 });
    expect(progressivePartial({ logits }, { mass, onIteration: ({ iteration }) => iteration < 2 }).iterations).toBe(2);
  }
});

test('forced sizes of a few samples, where the dual is nearly flat, are met by newton and anderson', () => {
  for (let seed = 0; seed < 60; seed++) {
    const [rows, cols, strength] = [2 + (seed % 6), [2, 5, 17][seed % 3]!, [1, 5, 20][seed % 3]!];
    const logits = shaped(
      randomF64(rows * cols, seed).map((x) => strength * x),
      cols,
    );
    for (const method of ['newton', 'anderson'] as const) {
      const options = { mass: 1, clusterPenalty: Infinity, method, maxIterations: method === 'newton' ? 100 : 5000 };
      const r = progressivePartial({ logits }, options);
      expectClose(r.columnMass, new Float64Array(cols).fill(1 / cols), { atol: 1e-6 });
      expect(r.converged).toBe(true);
    }
  }
});
