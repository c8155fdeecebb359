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

/** −q/2·x² + l·x + c. */
interface Quadratic {
  q: number;
  l: number;
  c: number;
}
interface Mass {
  mass: number;
  mean: number;
  variance: number;
}
/** The Sinkhorn update −κε log ∫ b(y) e^((g(y) − (x − y)²)/ε) dy of a quadratic potential is a quadratic potential. */
function update({ q, l, c }: Quadratic, b: Mass, epsilon: number, kappa: number): Quadratic {
  const A = 1 / b.variance + (q + 2) / epsilon;
  const h = b.mean / b.variance + l / epsilon;
  const constant = -0.5 * Math.log(b.variance * A) + Math.log(b.mass) + h ** 2 / (2 * A) - b.mean ** 2 / (2 * b.variance) + c / epsilon;
  return { q: 2 * kappa * (2 / (epsilon * A) - 1), l: (-2 * kappa * h) / A, c: -kappa * epsilon * constant };
}
/** Unbalanced transport between Gaussians of any mass: the fixed point on quadratics, then integrals in closed form (§4 of the paper). */
function unbalancedGaussians(a: Mass, b: Mass, epsilon: number, rho: number) {
  let [f, g]: [Quadratic, Quadratic] = [
    { q: 0, l: 0, c: 0 },
    { q: 0, l: 0, c: 0 },
  ];
  const kappa = rho / (rho + epsilon);
  for (let k = 0; k < 2000; k++) {
    f = update(g, b, epsilon, kappa);
    g = update(f, a, epsilon, kappa);
  }
  // ∫ a e^(−f/ρ), the mass of the plan.
  const A = 1 / a.variance - f.q / rho;
  const h = a.mean / a.variance - f.l / rho;
  const mass = (a.mass / Math.sqrt(a.variance * A)) * Math.exp(h ** 2 / (2 * A) - a.mean ** 2 / (2 * a.variance) - f.c / rho);
  return { f, mass, value: rho * (a.mass + b.mass - 2 * mass) + epsilon * (a.mass * b.mass - mass) };
}
const weighed = ({ mass, mean, variance }: Mass) => gaussian(mean, variance).map((w) => mass * w);

test.each([
  [0.3, 1],
  [1, 0.7],
  [0.2, 20],
])('unbalanced: mass, value and potential between Gaussians are the closed form for ε = %f, ρ = %f', (epsilon, rho) => {
  const [a, b] = [
    { mass: 1.4, mean: -0.5, variance: 0.4 },
    { mass: 0.8, mean: 0.6, variance: 0.7 },
  ];
  const want = unbalancedGaussians(a, b, epsilon, rho);
  const got = sinkhornUnbalanced({ cost, a: weighed(a), b: weighed(b) }, { epsilon, marginalPenalty: rho, tolerance: 1e-11 });
  expect(got.converged).toBe(true);
  expectClose(got.mass, want.mass, { rtol: 1e-6 });
  expectClose(got.value, want.value, { rtol: 1e-6 });
  for (const i of [90, 120, 150]) {
    const x = grid[i]!;
    expectClose(got.f[i]!, (-want.f.q / 2) * x * x + want.f.l * x + want.f.c, { atol: 1e-5 });
  }
});

test.each([0.3, 2])('the Sinkhorn divergence of Gaussians is the closed form, balanced and unbalanced, for ε = %f', (epsilon) => {
  const points = { data: grid, shape: [241, 1] };
  const [a, b] = [
    { mass: 1, mean: -0.5, variance: 0.4 },
    { mass: 1, mean: 0.6, variance: 0.9 },
  ];
  // Balanced: the terms of the value that depend on the pair, σ² = ε/2.
  const sigma2 = epsilon / 2;
  const part = (s: number, t: number) => {
    const D = Math.sqrt(4 * s * t + sigma2 ** 2);
    return s + t - D + sigma2 * Math.log(D + sigma2);
  };
  const want = 1.1 ** 2 + part(0.4, 0.9) - part(0.4, 0.4) / 2 - part(0.9, 0.9) / 2;
  const balanced = sinkhornDivergence({ x: points, y: points, a: weighed(a), b: weighed(b) }, { epsilon, tolerance: 1e-11 });
  expectClose(balanced.value, want, { rtol: 1e-6 });
  const heavy = { ...b, mass: 1.7 };
  const value = (p: Mass, q: Mass) => unbalancedGaussians(p, q, epsilon, 1.5).value;
  const unbalanced = sinkhornDivergence(
    { x: points, y: points, a: weighed(a), b: weighed(heavy) },
    { epsilon, marginalPenalty: 1.5, tolerance: 1e-11 },
  );
  expectClose(unbalanced.value, value(a, heavy) - value(a, a) / 2 - value(heavy, heavy) / 2 + (epsilon / 2) * 0.7 ** 2, { rtol: 1e-6 });
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
