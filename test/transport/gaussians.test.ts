// Closed forms of entropic transport between Gaussians (Janati, Muzellec, Peyré & Cuturi 2020, arXiv:2006.02572), on fine grids.
import { sinkhorn, sinkhornDivergence, sinkhornUnbalanced } from '../../src/transport/index.js';
import { expectClose } from '../helpers/close.js';
import { normalised, squaredDistances } from './problems.js';

const grid = Float64Array.from({ length: 241 }, (_, i) => -6 + i / 20);
const gaussian = (mean: number, variance: number) => normalised(grid.map((x) => Math.exp(-((x - mean) ** 2) / (2 * variance))));
const cost = squaredDistances(grid, grid, 1);

test.each([0.2, 1, 4])('the value between Gaussians on a line is the closed form for ε = %f', (epsilon) => {
  const [m0, s0, m1, s1] = [-0.7, 0.5, 0.9, 1.1];
  // OT_ε = |m0 − m1|² + B with D = √(4 s0 s1 + σ⁴), σ² = ε/2: B = s0 + s1 − D + σ²(1 − log(2σ²) + log(D + σ²)).
  const sigma2 = epsilon / 2;
  const D = Math.sqrt(4 * s0 * s1 + sigma2 ** 2);
  const want = (m0 - m1) ** 2 + s0 + s1 - D + sigma2 * (1 - Math.log(2 * sigma2) + Math.log(D + sigma2));
  const got = sinkhorn({ cost, a: gaussian(m0, s0), b: gaussian(m1, s1) }, { epsilon, tolerance: 1e-10 });
  expect(got.converged).toBe(true);
  expectClose(got.value, want, { rtol: 2e-5, atol: 2e-5 });
});

test('translation of a Gaussian moves the balanced divergence by half the squared shift, and unbalanced mass decays with distance', () => {
  const points = (shift: number) => ({ data: grid.map((x) => x + shift), shape: [241, 1] });
  const a = gaussian(0, 0.4);
  const r = sinkhornDivergence(
    { x: points(0), y: points(1.5), costFunction: 'half-sqeuclidean', a, b: a },
    { epsilon: 0.5, tolerance: 1e-10 },
  );
  expectClose(r.value, 1.125, { rtol: 1e-6 });
  let last = Infinity;
  for (const shift of [0, 1, 2, 4]) {
    const { mass } = sinkhornUnbalanced({ x: points(0), y: points(shift), a, b: a }, { epsilon: 0.1, marginalPenalty: 0.5 });
    expect(mass).toBeLessThan(last);
    last = mass;
  }
});

test('a cloud and its image under the gradient of a convex function are matched by that map (Brenier)', () => {
  const [x, y] = [grid.subarray(60, 180), grid.subarray(60, 180).map((v) => v + 0.3 * Math.tanh(v))];
  const n = x.length;
  const plan = sinkhorn({ cost: squaredDistances(x, y, 1) }, { epsilon: 1e-4 }).plan();
  for (let i = 5; i < n - 5; i++) {
    let mapped = 0;
    for (let j = 0; j < n; j++) mapped += n * plan[i * n + j]! * y[j]!;
    expectClose(mapped, y[i]!, { atol: 0.02 });
  }
});
