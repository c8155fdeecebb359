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

test('bad input is refused by name', () => {
  expect(() => sinkhornBarycenter({ cost, histograms: { data: new Float64Array(41), shape: [1, 41] } })).toThrow(
    /histograms: expected at least one weight > 0/,
  );
  expect(() => sinkhornBarycenter({ cost, histograms: { data: bump(0.5), shape: [1, 41] } }, { epsilon: 1e-4 })).toThrow(
    /epsilon: expected at least/,
  );
});
