import { asRecord } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { type NumberArray, precisionOf, type TensorLike } from '../core/tensor.js';
import { logSumExpRows, softmaxRows } from '../kernels/softmax-rows.js';
import { withArena } from '../runtime/instance.js';
import { elementwise, type LossResult, readScores, readTargets } from './result.js';

/**
 * Binary cross-entropy on logits: log(1 + e^z) − t·z, stable for every z; the mean over samples and outputs.
 *
 * @param logits [n, …]; @param targets as many numbers from 0 to 1
 * @param options `weights` [n] of the samples (1)
 * @returns `value`, `grad` by the logits, `perSample` [n]
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN, or a target outside 0 … 1
 * @see Bishop 2006, Pattern Recognition and Machine Learning, §4.3.2
 */
export function binaryCrossEntropy(
  logits: TensorLike,
  targets: TensorLike | NumberArray,
  options: { weights?: NumberArray } = {},
): LossResult {
  const { weights } = asRecord('options', options);
  const scores = readScores('logits', logits);
  const { data } = scores;
  const t = readTargets('targets', targets, data.length);
  for (let at = 0; at < t.length; at++)
    if (!(t[at]! >= 0 && t[at]! <= 1)) throw new DomainError(`targets: expected numbers from 0 to 1, got ${t[at]} at index ${at}`);
  // A sigmoid is the softmax of (0, z), its softplus the log-sum-exp.
  const { p, softplus } = withArena((arena) => {
    const precision = precisionOf(data);
    const pairs = arena.zeroReal(precision, 2 * data.length);
    const view = arena.view(pairs);
    for (let at = 0; at < data.length; at++) view[2 * at + 1] = data[at]!;
    const sums = arena.real(precision, data.length);
    logSumExpRows(sums, pairs, data.length, 2);
    softmaxRows(pairs, pairs, data.length, 2);
    return { p: arena.take(pairs), softplus: arena.take(sums) };
  });
  return elementwise(scores, weights, (at) => [softplus[at]! - t[at]! * data[at]!, p[2 * at + 1]! - t[at]!]);
}
