import { sinkhorn, sinkhornBarycenter } from '../../src/transport/index.js';
import { expectClose } from '../helpers/close.js';
import { normalised, squaredDistances } from './problems.js';

const grid = Float64Array.from({ length: 41 }, (_, i) => i / 40);
const cost = { data: squaredDistances(grid, grid, 1), shape: [41, 41] };
const bump = (centre: number) => normalised(grid.map((x) => Math.exp(-((x - centre) ** 2) / 0.005)));

test('the barycenter of two bumps lies between them, where the weights put it', () => {
  const histograms = { data: Float64Array.of(...bump(0.2), ...bump(0.8)), shape: [2, 41] };
  for (const [weights, centre] of [
    [[1, 1], 0.5],
    [[3, 1], 0.35],
  ] as const) {
    const { barycenter, converged } = sinkhornBarycenter({ cost, histograms, weights: [...weights] }, { epsilon: 5e-3 });
    expect(converged).toBe(true);
    expectClose(
      barycenter.reduce((s, p) => s + p, 0),
      1,
      { rtol: 1e-12 },
    );
    expectClose(
      barycenter.reduce((s, p, i) => s + p * grid[i]!, 0),
      centre,
      { atol: 1e-3 },
    );
  }
});

test('no nearby histogram has a smaller weighted sum of entropic costs', () => {
  const [one, two] = [bump(0.3), bump(0.9)];
  const { barycenter } = sinkhornBarycenter(
    { cost, histograms: { data: Float64Array.of(...one, ...two), shape: [2, 41] } },
    { epsilon: 0.02 },
  );
  // In the reference measure of counting, as in the iteration: value − ε·H(p) − ε·H(b), the last a constant.
  const objective = (p: Float64Array) => {
    let sum = 0;
    for (const b of [one, two]) sum += 0.5 * sinkhorn({ cost, a: p, b }, { epsilon: 0.02, tolerance: 1e-10 }).value;
    for (const v of p) if (v > 0) sum += 0.02 * v * Math.log(v);
    return sum;
  };
  const best = objective(barycenter);
  for (const [i, j] of [
    [10, 20],
    [24, 26],
    [30, 22],
    [23, 21],
  ] as const) {
    const moved = barycenter.slice();
    const amount = 0.05 * Math.min(moved[i]!, moved[j]!);
    moved[i]! -= amount;
    moved[j]! += amount;
    expect(objective(moved)).toBeGreaterThan(best - 1e-9);
  }
});

// Made with POT 0.8.2 (ot.bregman.barycenter and barycenter_debiased, method sinkhorn_log, stopThr 1e-14).
const points = Float64Array.from({ length: 7 }, (_, i) => i / 6);
const small = {
  cost: { data: squaredDistances(points, points, 1), shape: [7, 7] },
  histograms: [
    [0.4, 0.3, 0.1, 0.1, 0.05, 0.05, 0],
    [0, 0.1, 0.1, 0.2, 0.1, 0.2, 0.3],
    [0.05, 0.05, 0.5, 0.1, 0.1, 0.1, 0.1],
  ],
  weights: [0.5, 0.2, 0.3],
};
test.each([
  [0.05, false, [0.127517704884, 0.226061470151, 0.233826035944, 0.169052286827, 0.116998407732, 0.0827022923866, 0.0438418020756]],
  [0.05, true, [0.0737957177895, 0.282233634432, 0.282746337397, 0.135193844164, 0.107342363168, 0.0947119761623, 0.0239761268877]],
  [0.005, false, [0.0859451687716, 0.311623820095, 0.255374448755, 0.12850774796, 0.116853909546, 0.0682898632218, 0.0334050416515]],
  [0.005, true, [0.0685566247296, 0.329361555143, 0.267786763177, 0.11559472322, 0.117465507335, 0.0763619004835, 0.024872925912]],
])('ε = %f, debiased %p: POT finds the same, and both methods agree', (epsilon, debiased, want) => {
  for (const method of ['scaling', 'log'] as const) {
    const r = sinkhornBarycenter(small, { epsilon, debiased, method, tolerance: 1e-13, maxIterations: 100_000 });
    expectClose(r.barycenter, want, { atol: 1e-8 });
  }
});

/** Root of a falling function on (low, high). */
function bisect(f: (s: number) => number, low: number, high: number): number {
  for (let k = 0; k < 100; k++) {
    const middle = (low + high) / 2;
    if (f(middle) > 0) low = middle;
    else high = middle;
  }
  return low;
}

test.each([
  [0.5, ['scaling', 'log']],
  [0.05, ['log', 'auto']],
] as const)('ε = %f: barycenters of Gaussians on a line have the closed form, blurred and debiased', (epsilon, methods) => {
  // With σ² = ε/2 and D(s) = √(σ⁴ + 4 s σ_k²): Σ w D = 2s − σ² for the variance s, debiased Σ w D = √(σ⁴ + 4 s²).
  const line = Float64Array.from({ length: 161 }, (_, i) => -4 + i / 20);
  const [means, variances, weights] = [
    [-0.8, 1],
    [0.15, 0.5],
    [0.6, 0.4],
  ] as const;
  const histograms = means.map((mean, k) => normalised(line.map((x) => Math.exp(-((x - mean) ** 2) / (2 * variances[k]!)))));
  const problem = { cost: { data: squaredDistances(line, line, 1), shape: [161, 161] }, histograms, weights: [...weights] };
  const sigma2 = epsilon / 2;
  const sum = (s: number) => weights.reduce((t, w, k) => t + w * Math.sqrt(sigma2 ** 2 + 4 * s * variances[k]!), 0);
  for (const debiased of [false, true]) {
    const want = bisect((s) => sum(s) - (debiased ? Math.sqrt(sigma2 ** 2 + 4 * s * s) : 2 * s - sigma2), 1e-3, 5);
    for (const method of methods) {
      const { barycenter, converged } = sinkhornBarycenter(problem, { epsilon, debiased, method });
      expect(converged).toBe(true);
      const mean = barycenter.reduce((t, p, i) => t + p * line[i]!, 0);
      expectClose(mean, weights[0] * means[0] + weights[1] * means[1], { atol: 5e-5 }); // the grid cuts tails off
      expectClose(
        barycenter.reduce((t, p, i) => t + p * (line[i]! - mean) ** 2, 0),
        want,
        { rtol: 2e-4 },
      );
    }
  }
});

test('debiased, the barycenter of copies of one histogram is that histogram; without, it is blurred', () => {
  const one = bump(0.5);
  const problem = { cost, histograms: { data: Float64Array.of(...one, ...one), shape: [2, 41] } };
  expectClose(sinkhornBarycenter(problem, { epsilon: 0.01, debiased: true, tolerance: 1e-12 }).barycenter, one, { atol: 1e-6 });
  expect(Math.max(...sinkhornBarycenter(problem, { epsilon: 0.01 }).barycenter)).toBeLessThan(0.8 * Math.max(...one));
});

test('far below what a kernel matrix holds the log domain stays finite and ends on the exact mean of quantiles', () => {
  const histograms = { data: Float64Array.of(...bump(0.2), ...bump(0.8)), shape: [2, 41] };
  const { barycenter, converged } = sinkhornBarycenter({ cost, histograms }, { epsilon: 2e-4, tolerance: 1e-6 });
  expect(converged).toBe(true);
  // The mean of two shifted copies is the copy half-way; the grid holds it exactly.
  expectClose(barycenter, bump(0.5), { atol: 2e-2 });
});

test('a support of its own needs its own costs to be debiased', () => {
  const coarse = Float64Array.from({ length: 21 }, (_, i) => i / 20);
  const problem = {
    cost: { data: squaredDistances(coarse, grid, 1), shape: [21, 41] },
    histograms: [Array.from(bump(0.3)), Array.from(bump(0.6))],
  };
  const costX = { data: squaredDistances(coarse, coarse, 1), shape: [21, 21] };
  const options = { epsilon: 0.01, debiased: true, tolerance: 1e-6 };
  const { barycenter, converged } = sinkhornBarycenter({ ...problem, costX }, options);
  expect(converged).toBe(true);
  expectClose(
    barycenter.reduce((s, p, i) => s + p * coarse[i]!, 0),
    0.45,
    { atol: 2e-3 },
  );
  expect(() => sinkhornBarycenter(problem, options)).toThrow(/costX: expected a matrix \[21, 21\]/);
  expect(() => sinkhornBarycenter({ ...problem, costX: costX.data.map((v, i) => v + i) }, options)).toThrow(/costX: expected a symmetric/);
});

test('bad input is refused by name', () => {
  expect(() => sinkhornBarycenter({ cost, histograms: { data: new Float64Array(41), shape: [1, 41] } })).toThrow(
    /histograms: expected at least one weight > 0/,
  );
  const one = { cost, histograms: { data: bump(0.5), shape: [1, 41] } };
  expect(() => sinkhornBarycenter(one, { epsilon: 1e-4, method: 'scaling' })).toThrow(/epsilon: expected at least/);
  expect(() => sinkhornBarycenter(one, { epsilon: 0 })).toThrow(/epsilon: expected a number > 0/);
  expect(() => sinkhornBarycenter(one, { method: 'fast' as 'log' })).toThrow(/method: expected one of auto, scaling, log/);
  expect(() => sinkhornBarycenter({ ...one, weights: [-1] })).toThrow(/weights: expected numbers >= 0/);
});
