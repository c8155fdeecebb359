import { checkAborted, samplesOf, takeSamples } from '../core/batches.js';
import { checkArray, checkInteger, checkLength } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { Batch, DifferentiableModel, LinearOperator, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { square } from '../core/square.js';
import { readLong, stepper } from '../core/stepper.js';
import type { FloatArray } from '../core/tensor.js';
import { log } from '../kernels/scalar.js';
import { norm, readVector } from '../linalg/operator.js';
import { asModelVector } from './at-parameters.js';
import { checkModel } from './operators.js';
import { sampleLosses } from './sample-losses.js';
import { topEigenvalues } from './top-eigenvalues.js';

export interface SampleLossDifference {
  /** L_{k+1}(w) − L_k(w) for k = 1 … n − 1 in the order given [n − 1]. */
  readonly differences: Float64Array;
  /** Mean of |L_{k+1} − L_k| over the random orders [n − 1]; that of the given order when `orders` is 0. */
  readonly meanAbsolute: Float64Array;
  /** Slope of log meanAbsolute against log k: −1 when the landscape settles as 1/k. NaN where a difference is 0 throughout. */
  readonly slope: number;
  /** ‖H_{k+1} − H_k‖₂ for the requested k, f64; empty unless asked for. */
  readonly hessianNorms: Float64Array;
}

/**
 * How the loss landscape changes when one more sample joins the average, at the model's parameters.
 *   L_k = mean of the first k losses;  L_{k+1} − L_k = (ℓ_{k+1} − L_k)/(k + 1)
 *
 * @param model any DifferentiableModel; @param batch n ≥ 2 samples
 * @param options `orders` random orders to average |difference| over (0: only the order given), `seed` (0); `hessians` the k (or `'all'`)
 *   for which ‖H_{k+1} − H_k‖₂ is found by Lanczos, `signal`, `onProgress`
 * @returns `differences`, `meanAbsolute`, `slope`, `hessianNorms`
 * @throws {ShapeError} when there are fewer than two samples
 * @see Kiselev & Grabovoy 2024, arXiv:2409.11995, §3 (the published bound lacks the factor ½ of the second-order term)
 */
export async function sampleLossDifference(
  model: DifferentiableModel,
  batch: Batch,
  options: LongOptions & { orders?: number; seed?: number; hessians?: readonly number[] | 'all' } = {},
): Promise<SampleLossDifference> {
  checkModel(model, 'predict', 'loss', 'hvp');
  const { orders = 0, seed = 0, hessians = [], signal, onProgress } = readLong(options);
  checkInteger('orders', orders, 0);
  const n = samplesOf(batch);
  if (n < 2) throw new ShapeError(`batch: expected at least two samples, got ${n}`);
  const losses = await sampleLosses(model, batch);
  const differences = differencesOf(losses);
  const meanAbsolute = new Float64Array(n - 1);
  const random = new Random(seed);
  for (let o = 0; o < orders; o++) {
    const order = random.permutation(n);
    const shuffled = differencesOf(Float64Array.from(order, (i) => losses[i]!));
    for (let i = 0; i < n - 1; i++) meanAbsolute[i] = meanAbsolute[i]! + Math.abs(shuffled[i]!) / orders;
  }
  if (orders === 0) meanAbsolute.set(differences.map(Math.abs));
  if (hessians !== 'all') checkArray('hessians', hessians);
  const wanted = hessians === 'all' ? Array.from({ length: n - 1 }, (_, i) => i + 1) : hessians;
  const norms: number[] = [];
  for (const k of wanted) {
    checkInteger('hessians', k, 1, n - 1);
    checkAborted(signal);
    const top = await topEigenvalues(changeOperator(model, batch, k), { end: 'magnitude', verify: false, seed });
    norms.push(Math.abs(top.values[0]!));
    onProgress?.({ done: norms.length, total: wanted.length, phase: 'Hessian differences' });
  }
  return { differences, meanAbsolute, slope: logSlope(meanAbsolute), hessianNorms: Float64Array.from(norms) };
}

function differencesOf(losses: Float64Array): Float64Array {
  const out = new Float64Array(losses.length - 1);
  let mean = losses[0]!;
  for (let k = 1; k < losses.length; k++) {
    out[k - 1] = (losses[k]! - mean) / (k + 1);
    mean += out[k - 1]!;
  }
  return out;
}

/** H_{k+1} − H_k = (h_{k+1} − H_k)/(k + 1), h_{k+1} the Hessian of sample k + 1 alone. */
function changeOperator(model: DifferentiableModel, batch: Batch, k: number): LinearOperator {
  const first = takeSamples(
    batch,
    Int32Array.from({ length: k }, (_, i) => i),
  );
  const next = takeSamples(batch, [k]);
  return {
    size: model.parameterCount,
    precision: model.precision,
    async apply(v, out) {
      const [one, mean] = [await model.hvp(next, v), await model.hvp(first, v)];
      for (let i = 0; i < out.length; i++) out[i] = (one[i]! - mean[i]!) / (k + 1);
    },
  };
}

/** Least-squares slope of log values against log k, zeros left out. */
function logSlope(values: Float64Array): number {
  const points = Array.from(values, (value, i) => [log(i + 1), log(value)] as const).filter(([, y]) => Number.isFinite(y));
  const n = points.length;
  const [mx, my] = [points.reduce((s, [x]) => s + x / n, 0), points.reduce((s, [, y]) => s + y / n, 0)];
  const cross = points.reduce((s, [x, y]) => s + (x - mx) * (y - my), 0);
  return cross / points.reduce((s, [x]) => s + square(x - mx), 0);
}

/**
 * The norm ‖H_i‖₂ of each sample's own loss Hessian, by Lanczos on Hessian-vector products of single samples.
 *
 * @param model any DifferentiableModel; @param batch n samples
 * @param options `tolerance` (1e-4 f32, 1e-7 f64), `seed` (0), `signal`, `onProgress`
 * @returns norms [n], f64
 * @see Kiselev & Grabovoy 2024, arXiv:2409.11995, §4
 */
export async function perSampleHessianNorm(
  model: DifferentiableModel,
  batch: Batch,
  options: LongOptions & { tolerance?: number; seed?: number } = {},
): Promise<Float64Array> {
  checkModel(model, 'hvp');
  const { tolerance, seed = 0, signal, onProgress } = readLong(options);
  const n = samplesOf(batch);
  const norms = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    checkAborted(signal);
    const sample = takeSamples(batch, [i]);
    const op: LinearOperator = {
      size: model.parameterCount,
      precision: model.precision,
      async apply(v, out) {
        const product = await model.hvp(sample, v);
        checkLength('hvp', product, out.length);
        out.set(product);
      },
    };
    const top = await topEigenvalues(op, { end: 'magnitude', verify: false, seed, ...(tolerance && { tolerance }) });
    norms[i] = Math.abs(top.values[0]!);
    onProgress?.({ done: i + 1, total: n, phase: 'per-sample norms' });
  }
  return norms;
}

/**
 * vᵀH_i v of each sample's own loss: which samples make a direction sharp.
 *
 * @param model any DifferentiableModel; @param batch n samples; @param direction v [d], used as a unit vector
 * @param options `signal`, looked at before each sample; `onProgress`
 * @returns curvatures [n], f64; their mean is vᵀHv
 * @see Rosenfeld & Risteski 2023, arXiv:2311.04163
 */
export async function perSampleCurvature(
  model: DifferentiableModel,
  batch: Batch,
  direction: FloatArray,
  options: LongOptions = {},
): Promise<Float64Array> {
  checkModel(model, 'hvp');
  const n = samplesOf(batch);
  const unit = readVector('direction', direction, model.parameterCount);
  const length = norm(unit);
  const v = asModelVector(
    model,
    unit.map((x) => x / length),
  );
  const out = new Float64Array(n);
  const step = stepper(options, n);
  for (let i = 0; i < n; i++) {
    const hv = await step(() => model.hvp(takeSamples(batch, [i]), v));
    let sum = 0;
    for (let j = 0; j < hv.length; j++) sum += v[j]! * hv[j]!;
    out[i] = sum;
  }
  return out;
}
