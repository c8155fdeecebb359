// Everything the curvature of a loss says about a trained model, from as few Hessian products as will do.
import { batchesOf, checkAborted, pieces, samplesOf, takeSamples } from '../core/batches.js';
import { checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, LinearOperator, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import type { FloatArray } from '../core/tensor.js';
import { adaptiveSharpness } from '../curvature/adaptive-sharpness.js';
import { asModelVector, atParameters, moved } from '../curvature/at-parameters.js';
import { batchSharpness } from '../curvature/batch-sharpness.js';
import { updateDirections } from '../curvature/directional-sharpness.js';
import { hessianOperator } from '../curvature/operators.js';
import { samSharpness } from '../curvature/sam-sharpness.js';
import { type SpectralDensity, smooth } from '../curvature/spectral-density.js';
import { topEigenvalues } from '../curvature/top-eigenvalues.js';
import { trace } from '../curvature/trace.js';
import { breakdownLevel, lanczos } from '../linalg/lanczos.js';
import { inner, norm } from '../linalg/operator.js';
import { eighTridiagonal } from '../linalg/tridiagonal.js';

export interface CurvatureReportOptions extends LongOptions {
  /** Eigenvalues at each end; 5. */
  readonly k?: number;
  /** Lanczos steps of the spectrum; 40. */
  readonly steps?: number;
  /** Standard error of the trace to reach, as a share of it; 0.01. */
  readonly traceTolerance?: number;
  /** Probes for the trace at most; 120. */
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

/** The loss along a direction through the parameters. */
export interface Slice {
  readonly eigenvalue: number;
  /** Distances from the parameters. */
  readonly t: Float64Array;
  readonly loss: Float64Array;
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
  /** Smallest eigenvalues (Ritz values of the same Lanczos run), smallest first. */
  readonly smallest: Float64Array;
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
  /** Hessian products made. */
  readonly products: number;
  readonly seconds: number;
}

/**
 * Spectrum, trace, sharpness and stability limits of the loss around a model's parameters. One Lanczos run gives the density, both
 * ends of the spectrum and the larger part of the trace; random probes then measure only the rest of it.
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param options `k` (5), `steps` (40), `traceTolerance` (0.01), `probes` (120), `rho` (0.05), `convention`, `samples` (all),
 *   `batchSize` (32), `seed` (0), `signal`, `onProgress`
 * @returns eigenvalues with residuals, trace with its standard error, density, sharpness, slices, stability limits
 * @throws {DomainError} when there are no samples, or an option is out of range; {AbortError} by `signal`
 */
export async function curvatureReport(
  model: DifferentiableModel,
  data: Data,
  options: CurvatureReportOptions = {},
): Promise<CurvatureReport> {
  const settings = readOptions(options, model.parameterCount);
  const { k, steps, traceTolerance, probes, rho, convention, seed, signal, onProgress } = settings;
  const start = performance.now();
  const { batch, of } = await gather(data, settings);
  const { value: loss, grad } = await model.gradient(batch);
  const counted = countProducts(hessianOperator(model, batch));
  const H = counted.op;
  const long = { ...(signal && { signal }), ...(onProgress && { onProgress }) };

  const run = await lanczos(H, { steps, start: signs(model.parameterCount, seed), ...long });
  const { values, vectors } = eighTridiagonal(run.alpha, run.beta);
  const m = values.length;
  const weights = Float64Array.from({ length: m }, (_, j) => vectors[j * m]! ** 2);
  const top = await sharpest(H, run, values, vectors, k, settings);
  const known = { vectors: run.basis, trace: run.alpha.reduce((sum, x) => sum + x, 0) };
  const rest = await trace(H, { probes, tolerance: traceTolerance, known, seed: seed + 1, ...long });

  const nodes = [values];
  const smoothing = { convention, bins: 512, steps: m, kappa: 1.2, sigmaSquared: 1e-5 };
  const density = { ...smooth(nodes, [weights], smoothing), nodes, weights: [weights] };
  onProgress?.({ done: 0, total: 3, phase: 'sharpness' });
  const sam = await samSharpness(model, batch, { rho });
  const adaptive = await adaptiveSharpness(model, batch, { rho });
  checkAborted(signal);
  onProgress?.({ done: 1, total: 3, phase: 'sharpness' });
  const directional = await alongOptimizers(model, batch, H, settings);
  onProgress?.({ done: 2, total: 3, phase: 'sharpness' });
  const slices = await slicesAlong(model, batch, top, loss, settings);
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
    converged: top.converged,
    trace: { estimate: rest.estimate, standardError: rest.standardError, probes: rest.iterations },
    density,
    samSharpness: sam.sharpness,
    adaptiveSharpness: adaptive.sharpness,
    rho,
    directionalSharpness: directional,
    slices,
    stability: { gradientDescent: limitOf(top.values[0]!), ...small },
    products: counted.count(),
    seconds: (performance.now() - start) / 1000,
  };
}

type Settings = ReturnType<typeof readOptions>;

function readOptions(options: CurvatureReportOptions, size: number) {
  const {
    k = 5,
    steps = 40,
    traceTolerance = 0.01,
    probes = 120,
    rho = 0.05,
    convention = 'curvlinops',
    samples,
    batchSize = 32,
  } = options;
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

/** One batch of all samples, or of as many as asked for, drawn without replacement. */
async function gather(data: Data, { samples, seed }: Settings): Promise<{ batch: Batch; of: number }> {
  const all: Batch[] = [];
  for await (const batch of batchesOf(data)) all.push(batch);
  const of = all.reduce((sum, batch) => sum + samplesOf(batch), 0);
  if (of === 0) throw new DomainError('data: expected at least one sample, got none');
  const whole = all.length === 1 ? all[0]! : joined(all);
  if (samples === undefined || samples >= of) return { batch: whole, of };
  return { batch: takeSamples(whole, new Random(seed).permutation(of).slice(0, samples).sort()), of };
}

/** Several batches as one. */
function joined(batches: readonly Batch[]): Batch {
  const rows = <T extends { length: number; set(a: never, at: number): void }>(parts: T[]): T => {
    const Made = parts[0]!.constructor as new (length: number) => T;
    const out = new Made(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part as never, at);
      at += part.length;
    }
    return out;
  };
  const whole = batches.map((batch) =>
    takeSamples(
      batch,
      Int32Array.from({ length: samplesOf(batch) }, (_, i) => i),
    ),
  );
  const tensors = (values: unknown[]) => {
    const read = values as { data: Float32Array; shape: number[] }[];
    return {
      data: rows(read.map(({ data }) => data)),
      shape: [read.reduce((sum, { shape }) => sum + shape[0]!, 0), ...read[0]!.shape.slice(1)],
    };
  };
  const first = whole[0]!;
  const single = ArrayBuffer.isView((first.x as { data?: unknown }).data);
  const x = single
    ? tensors(whole.map((batch) => batch.x))
    : Object.fromEntries(
        Object.keys(first.x).map((name) => [name, tensors(whole.map((batch) => (batch.x as Record<string, unknown>)[name]))]),
      );
  const y = ArrayBuffer.isView(first.y) ? rows(whole.map((batch) => batch.y as Int32Array)) : tensors(whole.map((batch) => batch.y));
  const weighted = whole.every(({ weights }) => weights) ? { weights: rows(whole.map(({ weights }) => weights as Float64Array)) } : {};
  return { x, y, ...weighted } as Batch;
}

function countProducts(op: LinearOperator): { op: LinearOperator; count(): number } {
  let made = 0;
  const apply = (v: FloatArray, out: FloatArray) => {
    made++;
    return op.apply(v, out);
  };
  return { op: { size: op.size, precision: op.precision, apply }, count: () => made };
}

function signs(size: number, seed: number): Float64Array {
  return new Random(seed).fill(new Float64Array(size), 'sign');
}

/** The k largest Ritz pairs of a Lanczos run; where they have not settled, a restarted search goes on from them. */
async function sharpest(
  H: LinearOperator,
  run: Awaited<ReturnType<typeof lanczos>>,
  values: Float64Array,
  vectors: Float64Array,
  k: number,
  { seed, signal, onProgress }: Settings,
) {
  const m = values.length;
  const rows = Array.from({ length: Math.min(k, m) }, (_, i) => m - 1 - i);
  const scale = Math.max(Math.abs(values[0]!), Math.abs(values[m - 1]!));
  const noise = breakdownLevel[H.precision] * scale; // what the products themselves are uncertain by
  const residuals = Float64Array.from(rows, (j) => Math.max(noise, run.residual * Math.abs(vectors[j * m + m - 1]!)));
  const combine = (weights: (i: number) => number) => {
    const out = new Float64Array(H.size);
    run.basis.forEach((v, i) => {
      const weight = weights(i);
      for (let l = 0; l < out.length; l++) out[l] = out[l]! + weight * v[l]!;
    });
    return out;
  };
  const settled = run.breakdown || residuals.every((r) => r <= 1e-3 * scale);
  if (rows.length === k && settled) {
    const found = rows.map((j) => combine((i) => vectors[j * m + i]!));
    return { values: Float64Array.from(rows, (j) => values[j]!), residuals, vectors: found, converged: true };
  }
  const start = combine((i) => rows.reduce((sum, j) => sum + vectors[j * m + i]!, 0));
  const more = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  return topEigenvalues(H, { k, start, seed, verify: false, tolerance: 1e-3, maxIterations: 200, ...more });
}

/** vᵀHv along what each optimizer would do after a short history of mini-batch gradients. */
async function alongOptimizers(model: DifferentiableModel, batch: Batch, H: LinearOperator, { batchSize, seed }: Settings) {
  const n = samplesOf(batch);
  const random = new Random(seed + 2);
  const history: FloatArray[] = [];
  for (let step = 0; step < 10; step++) {
    const chosen = Int32Array.from({ length: Math.min(batchSize, n) }, () => random.integer(n));
    history.push((await model.gradient(takeSamples(batch, chosen))).grad);
  }
  if (history.at(-1)!.every((g) => g === 0)) return { sgd: 0, momentum: 0, adam: 0, sign: 0, clipped: 0 };
  const directions = updateDirections(history);
  const found = { sgd: 0, momentum: 0, adam: 0, sign: 0, clipped: 0 };
  const out = asModelVector(model, new Float64Array(H.size));
  for (const name of Object.keys(found) as (keyof typeof found)[]) {
    await H.apply(asModelVector(model, directions[name]), out);
    found[name] = inner(directions[name], out);
  }
  return found;
}

/** The loss along the two sharpest eigenvectors, as far as the quadratic model rises by the loss itself or by 0.1. */
async function slicesAlong(
  model: DifferentiableModel,
  batch: Batch,
  top: { values: Float64Array; vectors: ArrayLike<number>[] },
  loss: number,
  { signal }: Settings,
): Promise<Slice[]> {
  const w = model.getParameters();
  const slices: Slice[] = [];
  for (let i = 0; i < Math.min(2, top.values.length); i++) {
    const curvature = Math.abs(top.values[i]!);
    const reach = curvature > 0 ? Math.sqrt((2 * Math.max(loss, 0.1)) / curvature) : 1;
    const t = Float64Array.from({ length: 21 }, (_, j) => (reach * (j - 10)) / 10);
    const losses = new Float64Array(t.length);
    for (const [j, distance] of t.entries()) {
      checkAborted(signal);
      losses[j] = await atParameters(model, moved(model, w, top.vectors[i]!, distance), () => model.loss(batch));
    }
    slices.push({ eigenvalue: top.values[i]!, t, loss: losses });
  }
  return slices;
}

async function stochastic(model: DifferentiableModel, batch: Batch, { batchSize, seed }: Settings) {
  const n = samplesOf(batch);
  const size = Math.min(batchSize, n);
  const shuffled = takeSamples(batch, new Random(seed + 3).permutation(n).slice(0, Math.min(n, 8 * size)));
  const { value } = await batchSharpness(model, [...pieces(shuffled, size)]);
  return { batchSize: size, batchSharpness: value, stochastic: limitOf(value) };
}

const limitOf = (sharpness: number): number => (sharpness > 0 ? 2 / sharpness : Number.POSITIVE_INFINITY);
