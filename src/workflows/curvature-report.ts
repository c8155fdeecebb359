// Everything the curvature of a loss says about a trained model, from as few Hessian products as will do.

import { checkAborted, samplesOf } from '../core/batches.js';
import { checkInteger, checkMethods, checkOneOf, checkPositive } from '../core/check.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { square } from '../core/square.js';
import { readLong } from '../core/stepper.js';
import { adaptiveSharpness } from '../curvature/adaptive-sharpness.js';
import { hessianOperator } from '../curvature/operators.js';
import { samSharpness } from '../curvature/sam-sharpness.js';
import { type SpectralDensity, smooth } from '../curvature/spectral-density.js';
import { trace } from '../curvature/trace.js';
import { lanczos } from '../linalg/lanczos.js';
import { norm } from '../linalg/operator.js';
import { eighTridiagonal } from '../linalg/tridiagonal.js';
import {
  alongOptimizers,
  countProducts,
  limitOf,
  partsOf,
  residualsOf,
  type Slice,
  sharpest,
  slicesAlong,
  stochastic,
} from './curvature-measures.js';
import { gather } from './gather.js';

export type { Slice } from './curvature-measures.js';

export interface CurvatureReportOptions extends LongOptions {
  /** Eigenvalues at each end; 5. */
  readonly k?: number;
  /** Lanczos steps of the spectrum; 30. */
  readonly steps?: number;
  /** Standard error of the trace to reach, as a share of it; 0.01. */
  readonly traceTolerance?: number;
  /** Probes for the trace at most, each one pass over the samples; 120. */
  readonly probes?: number;
  /** Radius of SAM and adaptive sharpness; 0.05. */
  readonly rho?: number;
  /** Smoothing of the density; `'curvlinops'`, whose width follows the spectrum. */
  readonly convention?: 'pyhessian' | 'curvlinops';
  /** Samples used, drawn at random; all by default. */
  readonly samples?: number;
  /** Size of the mini-batches that optimizer directions and batch sharpness are measured on; 32. */
  readonly batchSize?: number;
  readonly seed?: number;
}

export interface CurvatureReport {
  /** Samples used, of those given. */
  readonly samples: number;
  readonly of: number;
  readonly parameters: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** Largest eigenvalues of the Hessian, largest first, with residual norms. */
  readonly eigenvalues: Float64Array;
  readonly residuals: Float64Array;
  /** Smallest Ritz values of the same Lanczos run, smallest first: upper bounds of the smallest eigenvalues, as good as their residuals. */
  readonly smallest: Float64Array;
  readonly smallestResiduals: Float64Array;
  readonly converged: boolean;
  readonly trace: { readonly estimate: number; readonly standardError: number; readonly probes: number };
  readonly density: Pick<SpectralDensity, 'grid' | 'density' | 'nodes' | 'weights'>;
  readonly samSharpness: number;
  readonly adaptiveSharpness: number;
  readonly rho: number;
  /** vᵀHv along the unit update of each optimizer. */
  readonly directionalSharpness: Readonly<Record<'sgd' | 'momentum' | 'adam' | 'sign' | 'clipped', number>>;
  /** The loss along the two sharpest directions. */
  readonly slices: Slice[];
  /** Learning rates beyond which gradient descent, and SGD with small batches, leave this minimum. */
  readonly stability: {
    readonly gradientDescent: number;
    readonly batchSize: number;
    readonly batchSharpness: number;
    readonly stochastic: number;
  };
  /** Hessian products made, passes for the trace among them. */
  readonly products: number;
  readonly seconds: number;
}

/**
 * Spectrum, trace, sharpness and stability limits of the loss around a model's parameters. One Lanczos run gives the density, both
 * ends of the spectrum and the larger part of the trace; random probes, others for every piece of the data, then measure only the rest of it.
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param options `k` (5), `steps` (30), `traceTolerance` (0.01), `probes` (120), `rho` (0.05), `convention`, `samples` (all),
 *   `batchSize` (32), `seed` (0), `signal`, `onProgress`
 * @returns eigenvalues with residuals, trace with its standard error, density, sharpness, slices, stability limits
 * @throws {DomainError} when there are no samples, or an option is out of range; {AbortError} by `signal`
 */
export async function curvatureReport(
  model: DifferentiableModel,
  data: Data,
  options: CurvatureReportOptions = {},
): Promise<CurvatureReport> {
  checkMethods('model', model, 'a differentiable model', 'gradient', 'hvp', 'ggnvp', 'getParameters', 'setParameters');
  const settings = readOptions(options, model.parameterCount);
  const { k, steps, traceTolerance, probes, rho, convention, seed, signal, onProgress } = settings;
  const start = performance.now();
  const { batch, of } = await gather(data, settings);
  const { value: loss, grad } = await model.gradient(batch);
  const { parts, data: whole } = await partsOf(model, batch, loss, settings);
  const counted = countProducts(hessianOperator(model, whole));
  const H = counted.op;
  const long = { ...(signal && { signal }), ...(onProgress && { onProgress }) };

  const run = await lanczos(H, { steps, start: signs(model.parameterCount, seed), ...long });
  const { values, vectors } = eighTridiagonal(run.alpha, run.beta);
  const m = values.length;
  const weights = Float64Array.from({ length: m }, (_, j) => square(vectors[j * m]!));
  const top = await sharpest(H, run, values, vectors, k, settings);
  const known = { vectors: run.basis, trace: run.alpha.reduce((sum, x) => sum + x, 0) };
  const rest = await trace(H, { probes, tolerance: traceTolerance, known, parts, seed: seed + 1, ...long });

  const nodes = [values];
  const smoothing = { convention, bins: 512, steps: m, kappa: 1.2, sigmaSquared: 1e-5 };
  const density = { ...smooth(nodes, [weights], smoothing), nodes, weights: [weights] };
  onProgress?.({ done: 0, total: 3, phase: 'sharpness' });
  const sam = await samSharpness(model, whole, { rho });
  const adaptive = await adaptiveSharpness(model, whole, { rho });
  checkAborted(signal);
  onProgress?.({ done: 1, total: 3, phase: 'sharpness' });
  const directional = await alongOptimizers(model, batch, H, settings);
  onProgress?.({ done: 2, total: 3, phase: 'sharpness' });
  const slices = await slicesAlong(model, whole, top, loss, settings);
  const small = await stochastic(model, batch, settings);
  onProgress?.({ done: 3, total: 3, phase: 'sharpness' });
  return {
    samples: samplesOf(batch),
    of,
    parameters: model.parameterCount,
    loss,
    gradientNorm: norm(grad),
    eigenvalues: top.values,
    residuals: top.residuals,
    smallest: values.slice(0, k),
    smallestResiduals: residualsOf(run, values, vectors, H.precision).slice(0, k),
    converged: top.converged,
    trace: { estimate: rest.estimate, standardError: rest.standardError, probes: rest.samples.length },
    density,
    samSharpness: sam.sharpness,
    adaptiveSharpness: adaptive.sharpness,
    rho,
    directionalSharpness: directional,
    slices,
    stability: { gradientDescent: limitOf(top.values[0]!), ...small },
    products: counted.count() + rest.samples.length,
    seconds: (performance.now() - start) / 1000,
  };
}

function readOptions(options: CurvatureReportOptions, size: number) {
  const {
    k = 5,
    steps = 30,
    traceTolerance = 0.01,
    probes = 120,
    rho = 0.05,
    convention = 'curvlinops',
    samples,
    batchSize = 32,
  } = readLong(options);
  const { seed = 0, signal, onProgress } = options;
  checkInteger('k', k, 1);
  checkInteger('steps', steps, 2);
  checkPositive('traceTolerance', traceTolerance);
  checkInteger('probes', probes, 1);
  checkPositive('rho', rho);
  checkOneOf('convention', convention, ['pyhessian', 'curvlinops']);
  if (samples !== undefined) checkInteger('samples', samples, 1);
  checkInteger('batchSize', batchSize, 1);
  const wanted = Math.min(k, size);
  return {
    k: wanted,
    steps: Math.max(steps, wanted + 1),
    traceTolerance,
    probes,
    rho,
    convention,
    samples,
    batchSize,
    seed,
    signal,
    onProgress,
  };
}

function signs(size: number, seed: number): Float64Array {
  return new Random(seed).fill(new Float64Array(size), 'sign');
}
