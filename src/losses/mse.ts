import { asRecord } from '../core/check.js';
import type { NumberArray, TensorLike } from '../core/tensor.js';
import { elementwise, type LossResult, readScores, readTargets } from './result.js';

/**
 * Mean squared error: the mean over samples and outputs of (prediction − target)², factor 1.
 *
 * @param predictions [n, …]; @param targets the same number of elements
 * @param options `weights` [n] of the samples (1)
 * @returns `value`, `grad` by the predictions, `perSample` [n]
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN or infinity
 * @see Bishop 2006, Pattern Recognition and Machine Learning, §1.2.5
 */
export function mse(predictions: TensorLike, targets: TensorLike | NumberArray, options: { weights?: NumberArray } = {}): LossResult {
  const { weights } = asRecord('options', options);
  const scores = readScores('predictions', predictions);
  const t = readTargets('targets', targets, scores.data.length);
  return elementwise(scores, weights, (at) => {
    const gap = scores.data[at]! - t[at]!;
    return [gap * gap, 2 * gap];
  });
}
