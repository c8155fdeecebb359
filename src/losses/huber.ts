import { asRecord, checkPositive } from '../core/check.js';
import type { NumberArray, TensorLike } from '../core/tensor.js';
import { elementwise, type LossResult, readScores, readTargets } from './result.js';

/**
 * Huber loss: ½r² for |r| ≤ delta, delta·(|r| − ½delta) beyond, r = prediction − target; the mean over samples and outputs.
 *
 * @param predictions [n, …]; @param targets the same number of elements
 * @param options `delta` > 0 where the square turns into a line (1), `weights` [n] of the samples (1)
 * @returns `value`, `grad` by the predictions, `perSample` [n]
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN, or delta ≤ 0
 * @see Huber 1964, Robust estimation of a location parameter
 */
export function huber(
  predictions: TensorLike,
  targets: TensorLike | NumberArray,
  options: { delta?: number; weights?: NumberArray } = {},
): LossResult {
  const { delta = 1 } = asRecord('options', options);
  checkPositive('delta', delta);
  const scores = readScores('predictions', predictions);
  const t = readTargets('targets', targets, scores.data.length);
  return elementwise(scores, options.weights, (at) => {
    const gap = scores.data[at]! - t[at]!;
    const size = Math.abs(gap);
    return size <= delta ? [(gap * gap) / 2, gap] : [delta * (size - delta / 2), delta * Math.sign(gap)];
  });
}
