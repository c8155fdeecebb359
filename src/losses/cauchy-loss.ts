import { asRecord, checkPositive } from '../core/check.js';
import { type FloatArray, floats, type NumberArray, precisionOf, type TensorLike } from '../core/tensor.js';
import { log1p } from '../kernels/scalar.js';
import { type LossResult, readSampleWeights, readScores, readTargets } from './result.js';

/**
 * Cauchy loss of whole samples: log(1 + mean_k (x_k − y_k)²/(2c²)) with the mean over a sample's n elements; the mean over samples. An
 * outlier pulls with at most 1/(c√(2n)), however far it is.
 *
 * @param predictions [samples, …]; @param targets the same number of elements
 * @param options `scale` c > 0 (1), `weights` of the samples (1)
 * @returns `value`, `grad` by the predictions, `perSample`
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN, or c ≤ 0
 * @see Dao et al. 2025, arXiv:2502.01441
 */
export function cauchyLoss(
  predictions: TensorLike,
  targets: TensorLike | NumberArray,
  options: { scale?: number; weights?: NumberArray } = {},
): LossResult {
  const { scale = 1 } = asRecord('options', options);
  checkPositive('scale', scale);
  const { data, rows, cols } = readScores('predictions', predictions);
  const t: FloatArray = readTargets('targets', targets, data.length);
  const w = readSampleWeights(options.weights, rows);
  const total = w.reduce((sum, v) => sum + v, 0);
  const grad = floats(precisionOf(data), data.length);
  const perSample = new Float64Array(rows);
  let value = 0;
  for (let i = 0; i < rows; i++) {
    let mean = 0;
    for (let k = i * cols; k < (i + 1) * cols; k++) mean += (data[k]! - t[k]!) * (data[k]! - t[k]!);
    const excess = mean / (2 * cols * scale * scale);
    perSample[i] = log1p(excess);
    if (!(total > 0)) continue;
    value += (w[i]! / total) * perSample[i]!;
    const slope = w[i]! / total / (cols * scale * scale * (1 + excess));
    for (let k = i * cols; k < (i + 1) * cols; k++) grad[k] = slope * (data[k]! - t[k]!);
  }
  return { value, grad, perSample };
}
