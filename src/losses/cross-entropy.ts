import { asRecord, checkLabels, checkLength, checkRange } from '../core/check.js';
import { asFloats, floats, type IntegerArray, type NumberArray, precisionOf, type TensorLike } from '../core/tensor.js';
import { logSumExpRows, softmaxRows } from '../kernels/softmax-rows.js';
import { withArena } from '../runtime/instance.js';
import { type LossResult, readSampleWeights, readScores } from './result.js';

export interface CrossEntropyOptions {
  /** Share of the target spread over all classes, 0 to 1 (0). */
  readonly labelSmoothing?: number;
  /** [k] weight of each class (1); the mean divides by the weights of the labels. */
  readonly classWeights?: NumberArray;
  /** Samples with this label count for nothing. */
  readonly ignoreIndex?: number;
  /** [n] weight of each sample (1). */
  readonly weights?: NumberArray;
}

/**
 * Softmax cross-entropy of integer labels: Σ_i w_i·((1 − s)·c_y·(−log p_y) + (s/k)·Σ_j c_j·(−log p_j)) / Σ_i w_i·c_y.
 *
 * @param logits [n, k]; @param labels [n] class indices
 * @param options `labelSmoothing` s (0), `classWeights` c [k] (1), `ignoreIndex`, `weights` w [n] (1)
 * @returns `value`, `grad` [n, k] by the logits, `perSample` [n]
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN, or a label outside 0 … k − 1
 * @see Szegedy et al. 2016, arXiv:1512.00567, §7 (label smoothing)
 */
export function crossEntropy(logits: TensorLike, labels: IntegerArray | readonly number[], options: CrossEntropyOptions = {}): LossResult {
  const { labelSmoothing: smoothing = 0, classWeights, ignoreIndex } = asRecord('options', options);
  const { data, rows, cols } = readScores('logits', logits);
  checkLength('labels', labels, rows);
  checkLabels('labels', labels, cols, ignoreIndex);
  checkRange('labelSmoothing', smoothing, 0, 1);
  const c = classWeights ? asFloats('classWeights', classWeights) : new Float64Array(cols).fill(1);
  checkLength('classWeights', c, cols);
  const w = readSampleWeights(options.weights, rows);
  const precision = precisionOf(data);
  const { p, lse } = withArena((arena) => {
    const x = arena.put(data);
    const sums = arena.real(precision, rows);
    logSumExpRows(sums, x, rows, cols);
    softmaxRows(x, x, rows, cols);
    return { p: arena.take(x), lse: arena.take(sums) };
  });

  const perSample = new Float64Array(rows);
  const kept = w.slice(); // weight of each sample in the mean
  let spread = 0;
  for (let j = 0; j < cols; j++) spread += (smoothing / cols) * c[j]!;
  for (let i = 0; i < rows; i++) {
    const y = Number(labels[i]);
    if (y === ignoreIndex) {
      kept[i] = 0;
      continue;
    }
    let loss = (1 - smoothing) * c[y]! * (lse[i]! - data[i * cols + y]!);
    if (smoothing > 0) for (let j = 0; j < cols; j++) loss += (smoothing / cols) * c[j]! * (lse[i]! - data[i * cols + j]!);
    perSample[i] = loss;
    kept[i]! *= c[y]!;
  }
  const total = kept.reduce((s, v) => s + v, 0);
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += w[i]! * perSample[i]!;
  const value = total > 0 ? sum / total : 0;
  const grad = floats(precision, data.length);
  for (let i = 0; i < rows; i++) {
    const y = Number(labels[i]);
    if (y === ignoreIndex || !(total > 0)) continue;
    const mass = (1 - smoothing) * c[y]! + spread;
    for (let j = 0; j < cols; j++) {
      const target = (j === y ? (1 - smoothing) * c[y]! : 0) + (smoothing / cols) * c[j]!;
      grad[i * cols + j] = (w[i]! / total) * (mass * p[i * cols + j]! - target);
    }
  }
  return { value, grad, perSample };
}
