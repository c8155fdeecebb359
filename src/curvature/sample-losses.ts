// What the metrics need of single samples: losses, rows of a batch, gradients under other labels. Through the public interface only,
// so that any DifferentiableModel will do; models that offer a shortcut are taken at their word.

import { checkAborted, samplesOf, takeSamples } from '../core/batches.js';
import { asRecord, checkLength } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { Batch, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { square } from '../core/square.js';
import { readLong, stepper } from '../core/stepper.js';
import type { FloatArray, Tensor } from '../core/tensor.js';
import { asTensor, checkAttached, isFloatArray, isIntegerArray, isTypedArray } from '../core/tensor.js';
import { exp, log } from '../kernels/scalar.js';

/** Models that give the losses of a batch's samples in one call. */
interface WithLosses {
  perSampleLosses(batch: Batch): Promise<ArrayLike<number>>;
}

/** The labels or targets of a batch when they are class indices [n]; undefined for dense targets. */
export function labelsOf(batch: Batch): Int32Array | undefined {
  const { y } = asRecord('batch', batch, '{ x, y }');
  const data = isTypedArray(y) ? y : asTensor('y', y).data;
  checkAttached('y', data);
  return isIntegerArray(data) ? Int32Array.from(data as ArrayLike<number | bigint>, Number) : undefined;
}

/**
 * The unweighted loss of each sample [n], f64. A model's own `perSampleLosses` is used where there is one; else cross-entropy or mse
 * is computed from `predict` and compared with `loss`; a model with another loss is asked sample by sample.
 */
export async function sampleLosses(model: DifferentiableModel, batch: Batch): Promise<Float64Array> {
  const n = samplesOf(batch);
  const own = model as unknown as Partial<WithLosses>;
  if (typeof own.perSampleLosses === 'function') return Float64Array.from(await own.perSampleLosses(batch));
  const { weights: _, ...plain } = batch;
  if (n === 0) return new Float64Array(0);
  const { data, shape } = await model.predict(plain.x);
  if (shape.length === 2 && isFloatArray(data)) {
    const losses = fromLogits(data, shape[1]!, plain);
    if (losses) {
      const mean = losses.reduce((sum, x) => sum + x / n, 0);
      const told = await model.loss(plain);
      if (Math.abs(mean - told) <= 1e-4 * Math.max(1, Math.abs(told))) return losses;
    }
  }
  const losses = new Float64Array(n);
  for (let i = 0; i < n; i++) losses[i] = await model.loss(takeSamples(plain, [i]));
  return losses;
}

/** Cross-entropy against labels, or mse against targets, of logits [n, k]; undefined when they do not fit. */
function fromLogits(logits: FloatArray, k: number, batch: Batch): Float64Array | undefined {
  const n = logits.length / k;
  const labels = labelsOf(batch);
  if (!labels) {
    const { data } = asTensor('y', batch.y);
    if (data.length !== logits.length) return undefined;
    return Float64Array.from({ length: n }, (_, i) => {
      let squares = 0;
      for (let j = 0; j < k; j++) squares += square(logits[i * k + j]! - Number(data[i * k + j]));
      return squares / k;
    });
  }
  if (labels.length !== n) return undefined;
  return Float64Array.from(labels, (label, i) => {
    let top = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < k; j++) top = Math.max(top, logits[i * k + j]!);
    let sum = 0;
    for (let j = 0; j < k; j++) sum += exp(logits[i * k + j]! - top);
    return top - (logits[i * k + label] ?? Number.NaN) + log(sum);
  });
}

/**
 * Rows A_i = Λ_i^½ J_i of the per-sample Gauss–Newton matrices H_i = A_iᵀA_i, from per-sample gradients under other labels:
 *   cross-entropy: Λ = diag(p) − ppᵀ = Σ_c p_c (p − e_c)(p − e_c)ᵀ, so row c is √p_c times the gradient under label c
 *   mse over k outputs: Λ = (2/k)I; the gradient under the target z − (k/2)e_c is J_iᵀe_c, so row c is √(2/k) times it
 * @param options `signal`, `onProgress`: one step for each of the k outputs
 * @returns [n·k, d] with the k rows of a sample together
 */
export async function gaussNewtonRows(
  model: DifferentiableModel,
  batch: Batch,
  options: LongOptions = {},
): Promise<{ rows: Tensor<FloatArray>; n: number; k: number }> {
  const { x } = asRecord('batch', batch, '{ x, y }');
  checkAborted(readLong(options).signal);
  const { data: logits, shape } = await model.predict(x);
  if (shape.length !== 2) throw new ShapeError(`model: expected logits [n, k], got shape [${shape.join(', ')}]`);
  const [n = 0, k = 0] = shape;
  const d = model.parameterCount;
  const out = (model.precision === 'float32' ? new Float32Array(n * k * d) : new Float64Array(n * k * d)) as FloatArray;
  const labels = labelsOf(batch);
  if (labels) checkLength('y', labels, n);
  const shares = labels ? softmaxRows(logits as FloatArray, k) : undefined;
  const step = stepper(options, k);
  for (let c = 0; c < k; c++) {
    const targets = shares ? new Int32Array(n).fill(c) : { data: shifted(logits as FloatArray, k, c), shape };
    const { data: gradients } = await step(() => model.perSampleGradients({ x, y: targets }));
    for (let i = 0; i < n; i++) {
      const scale = Math.sqrt(shares ? shares[i * k + c]! : 2 / k);
      const to = (i * k + c) * d;
      for (let j = 0; j < d; j++) out[to + j] = scale * Number(gradients[i * d + j]);
    }
  }
  return { rows: { data: out, shape: [n * k, d] }, n, k };
}

function shifted(logits: FloatArray, k: number, c: number): FloatArray {
  return logits.map((z, i) => (i % k === c ? z - k / 2 : z)) as FloatArray;
}

/** Softmax of each row of logits [n, k], f64. */
export function softmaxRows(logits: FloatArray, k: number): Float64Array {
  const out = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += k) {
    let top = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < k; j++) top = Math.max(top, logits[at + j]!);
    let sum = 0;
    for (let j = 0; j < k; j++) sum += out[at + j] = exp(logits[at + j]! - top);
    for (let j = 0; j < k; j++) out[at + j] = out[at + j]! / sum;
  }
  return out;
}
