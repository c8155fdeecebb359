// golden/second-order mlp-* and metrics-*: operators, spectra, traces and sharpness on DenseModel.
import * as curvature from '../../../src/curvature/index.js';
import { lanczos } from '../../../src/linalg/lanczos.js';
import { expectClose, relativeError } from '../../helpers/close.js';
import { diagonal } from '../../helpers/operators.js';
import type { GoldenAdapter, SecondOrderCase } from '../discover.js';
import { mlp } from './dense.js';

const rowsOf = (a: Float64Array, d: number) => Array.from({ length: a.length / d }, (_, i) => a.slice(i * d, (i + 1) * d));
const columnsOf = (a: Float64Array, columns: number) =>
  Array.from({ length: columns }, (_, j) => Float64Array.from({ length: a.length / columns }, (_, i) => a[i * columns + j]!));

async function spectra(c: SecondOrderCase): Promise<void> {
  const { model, batch, d } = mlp(c, 'float64');
  const atol = (c.json.tolerance as { eigen_f64_atol: number }).eigen_f64_atol;
  for (const [op, name] of [
    [curvature.hessianOperator(model, batch), 'hess_eigenvalues'],
    [curvature.ggnOperator(model, batch), 'ggn_eigenvalues'],
  ] as const) {
    const ascending = c.array(name).sort();
    for (const end of ['largest', 'smallest'] as const) {
      const { values, converged } = await curvature.topEigenvalues(op, { k: 5, end });
      expect(converged).toBe(true);
      expectClose(values, end === 'largest' ? ascending.slice(-5).reverse() : ascending.slice(0, 5), { atol });
    }
  }
  const hessian = curvature.hessianOperator(model, batch);
  const starts = rowsOf(c.array('lanczos_v0'), d);
  for (const [r, start] of starts.entries()) {
    const { alpha, beta } = await lanczos(hessian, { steps: 24, start });
    expectClose(alpha, c.array('lanczos_alpha').slice(r * 24, r * 24 + 24), { rtol: 1e-6, atol: 1e-9 });
    expectClose(beta, c.array('lanczos_beta').slice(r * 23, r * 23 + 23), { rtol: 1e-6, atol: 1e-9 });
  }
  const { k, sigma_squared, overhead, bins } = c.json.slq as Record<string, number>;
  const slq = await curvature.spectralDensity(hessian, {
    starts,
    steps: k!,
    bins: bins!,
    sigmaSquared: sigma_squared!,
    overhead: overhead!,
  });
  expectClose(slq.grid, c.array('slq_grid'), { atol: 1e-9 });
  expect(relativeError(slq.density, c.array('slq_density'))).toBeLessThan(1e-7);
  for (let r = 0; r < starts.length; r++) expectClose(slq.nodes[r]!, c.array('slq_nodes').slice(r * k!, (r + 1) * k!), { atol: 1e-8 });
  const diagonal = await curvature.diagonalEstimate(hessian, { probes: 400 });
  const want = c.array('hess_diag');
  for (let i = 0; i < d; i++) expect(Math.abs(diagonal.estimate[i]! - want[i]!)).toBeLessThan(6 * diagonal.standardErrors[i]! + 1e-9);
}

async function traces(c: SecondOrderCase): Promise<void> {
  const { model, batch, d } = mlp(c, 'float64');
  const hessian = curvature.hessianOperator(model, batch);
  const probes = await curvature.trace(hessian, { vectors: rowsOf(c.array('hutch_probes'), d) });
  expectClose(probes.samples, c.array('hutch_quadforms'), { rtol: 1e-9, atol: 1e-12 });
  expectClose(probes.estimate, c.json.hutchinson_mean as number, { rtol: 1e-10 });
  const vectors = [...columnsOf(c.array('hutchpp_S'), 6), ...columnsOf(c.array('hutchpp_G'), 6)];
  const better = await curvature.trace(hessian, { method: 'hutch++', vectors });
  expectClose(better.estimate, c.json.hutchpp_value as number, { rtol: 1e-9 });
  expect(better.iterations).toBe(c.json.hutchpp_matvecs);
  const best = await curvature.trace(hessian, { method: 'xtrace', probes: 40 });
  expect(Math.abs(best.estimate - (c.json.hess_trace as number))).toBeLessThan(5 * best.standardError);
}

async function sharpness(c: SecondOrderCase): Promise<void> {
  const { model, batch, d } = mlp(c, 'float64');
  const before = model.getParameters();
  const sam = c.json.sam as Record<string, number>;
  const asam = c.json.asam as Record<string, number>;
  const first = c.json.adaptive_sharpness_first_order as Record<string, number>;
  const found = await curvature.samSharpness(model, batch, { rho: sam.rho! });
  expect(relativeError(found.perturbation, c.array('sam_eps'))).toBeLessThan(1e-9);
  expect(relativeError(found.gradient, c.array('sam_grad'))).toBeLessThan(1e-9);
  expectClose(found.sharpness, sam.sharpness!, { rtol: 1e-8 });
  expectClose(found.perturbedLoss, sam.loss!, { rtol: 1e-10 });
  const adaptive = await curvature.adaptiveSharpness(model, batch, { rho: asam.rho!, eta: asam.eta! });
  expect(relativeError(adaptive.perturbation, c.array('asam_eps'))).toBeLessThan(1e-9);
  expect(relativeError(adaptive.gradient, c.array('asam_grad'))).toBeLessThan(1e-9);
  expectClose(adaptive.sharpness, asam.sharpness!, { rtol: 1e-8 });
  for (const norm of ['l2', 'linf'] as const) {
    const { sharpness: rise } = await curvature.adaptiveSharpness(model, batch, { rho: first.rho!, norm, eta: 0 });
    expectClose(rise, first[norm]!, { rtol: 1e-8 });
  }
  const directions = rowsOf(c.array('dirsharp_dirs'), d);
  for (const [i, direction] of directions.entries()) {
    const { sharpness: curved } = await curvature.directionalSharpness(model, batch, direction);
    expectClose(curved, c.array('dirsharp_values')[i]!, { rtol: 1e-9 });
  }
  expect(model.getParameters()).toEqual(before);
}

async function large(c: SecondOrderCase): Promise<void> {
  for (const precision of ['float64', 'float32'] as const) {
    const { model, batch } = mlp(c, precision);
    const op = curvature.hessianOperator(model, batch);
    const atol = precision === 'float64' ? 1e-8 : 1e-4;
    const k = precision === 'float64' ? 20 : 5;
    const top = await curvature.topEigenvalues(op, { k, subspace: 4 * k + 40 });
    const bottom = await curvature.topEigenvalues(op, { k, end: 'smallest', subspace: 4 * k + 40 });
    expect([top.converged, bottom.converged]).toEqual([true, true]);
    expectClose(top.values, c.array('top20').sort().reverse().slice(0, k), { atol });
    expectClose(bottom.values, c.array('bottom20').sort().slice(0, k), { atol });
    const start = c.array('lanczos_v0');
    const { alpha, beta } = await lanczos(op, { steps: 40, start });
    const rtol = precision === 'float64' ? (c.json.tolerance as { lanczos_float64_rtol: number }).lanczos_float64_rtol : 1e-3;
    expectClose(alpha, c.array('lanczos_alpha'), { rtol, atol: rtol });
    expectClose(beta, c.array('lanczos_beta'), { rtol, atol: rtol });
    const estimate = await curvature.trace(op, { method: 'xtrace', probes: 120 });
    expect(Math.abs(estimate.estimate - (c.json.hess_trace as number))).toBeLessThan(5 * estimate.standardError);
  }
  const { model, batch, d } = mlp(c, 'float32');
  const slq = await curvature.spectralDensity(curvature.hessianOperator(model, batch), {
    probes: 6,
    steps: 40,
    sigmaSquared: 1e-4,
    bins: 2000,
  });
  const edges = c.array('hist_edges');
  const counts = c.array('hist_counts');
  // Kolmogorov distance between the smoothed estimate and the exact spectrum
  const step = slq.grid[1]! - slq.grid[0]!;
  let exact = 0;
  for (let b = 0; b < counts.length; b++) {
    exact += counts[b]! / d;
    const below = slq.density.reduce((sum, x, i) => (slq.grid[i]! <= edges[b + 1]! ? sum + x * step : sum), 0);
    expect(Math.abs(below - exact)).toBeLessThan(0.06);
  }
}

async function metrics(c: SecondOrderCase): Promise<void> {
  const { model, batch, n, d } = mlp(c, 'float64');
  const rtol = (c.json.tolerance as { float64_rtol: number }).float64_rtol;
  const coherence = c.json.coherence as Record<string, number>;
  const found = await curvature.hessianCoherence(model, batch);
  expectClose(found.coherence.data, c.array('coherence_S'), { rtol, atol: 1e-12 });
  expectClose(found.lambda1PerSample, c.array('lambda1_per_sample_ggn'), { rtol });
  expectClose(found.sigma, coherence.sigma!, { rtol });
  expectClose(found.lambda1Coherence, coherence.lambda1_S!, { rtol });
  expectClose(found.lambda1Mean, coherence.lambda1_mean_ggn!, { rtol });
  const { kernel } = await curvature.labelledNtk(model, batch);
  expect(relativeError(kernel.data, c.array('lpntk'))).toBeLessThan(rtol);
  const shape = [n, 4];
  const linearity = await curvature.localLinearity(model, batch, {
    draws: { from: { data: c.array('elle_xa'), shape }, to: { data: c.array('elle_xb'), shape }, fraction: c.array('elle_alpha') },
  });
  expectClose(linearity.value, (c.json.elle as { value: number }).value, { rtol });
  expect(relativeError(linearity.perSample, c.array('elle_sq_err'))).toBeLessThan(rtol);
  const growth = await curvature.sampleLossDifference(model, batch, { hessians: 'all' });
  expectClose(growth.differences, c.array('loss_diff'), { rtol, atol: 1e-14 });
  expectClose(growth.hessianNorms, c.array('hess_diff_spectral_norm'), { rtol: 1e-7 });
  const gns = c.json.gns as Record<string, number>;
  for (const [approximation, name, gamma] of [
    ['hessian', 'gns_resid_hessian', gns.gamma_hat_hessian],
    ['ggn', 'gns_resid_ggn', gns.gamma_hat_ggn],
  ] as const) {
    const directions = { data: c.array('gns_dirs'), shape: [8, d] };
    const smooth = await curvature.gradientNormalizedSmoothness(model, batch, { approximation, directions, radii: c.array('gns_radii') });
    expect(relativeError(smooth.residuals.data, c.array(name))).toBeLessThan(rtol);
    expectClose(smooth.gradientNorm, gns.grad_norm!, { rtol });
    expect(smooth.gamma).toBe(gamma);
  }
}

async function scalarFlow(c: SecondOrderCase): Promise<void> {
  const depth = c.arrays.gfs_w!.shape[1]!;
  const points = rowsOf(c.array('gfs_w'), depth);
  for (const [t, w] of points.entries()) {
    expectClose(curvature.scalarFlowSharpness(w).sharpness, c.array('gfs_sharpness')[t]!, { rtol: 1e-8 });
    // The Hessian of ½(Π − 1)²: (Π/w_i)(Π/w_j) + (Π − 1)·Π/(w_i w_j) off the diagonal.
    const product = w.reduce((p, x) => p * x, 1);
    const op = {
      ...diagonal(w),
      apply(v: ArrayLike<number>, out: Float32Array | Float64Array) {
        for (let i = 0; i < depth; i++) {
          out[i] = 0;
          for (let j = 0; j < depth; j++)
            out[i]! += v[j]! * ((product * product) / (w[i]! * w[j]!) + (i === j ? 0 : ((product - 1) * product) / (w[i]! * w[j]!)));
        }
      },
    };
    expectClose((await curvature.topEigenvalues(op)).values[0]!, c.array('gfs_hessian_sharpness')[t]!, { rtol: 1e-8 });
  }
}

const small = /^mlp-(?!large)/;
export default {
  pillar: 'second-order',
  secondOrder: [
    { cases: small, what: 'eigenvalues at both ends, Lanczos, spectral density, diagonal', run: spectra },
    { cases: small, what: 'trace by Hutchinson, Hutch++ and XTrace', run: traces },
    { cases: small, what: 'SAM, adaptive and directional sharpness', run: sharpness },
    { cases: /^mlp-large/, what: 'twenty eigenvalues at both ends, forty Lanczos steps, trace, density', run: large },
    { cases: /^metrics-/, what: 'coherence, labelled NTK, local linearity, sample growth, smoothness', run: metrics },
    { cases: /^metrics-/, what: 'sharpness of gradient-flow solutions of scalar networks', run: scalarFlow },
  ],
} satisfies GoldenAdapter;
