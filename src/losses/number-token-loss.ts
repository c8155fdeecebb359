import type { IntegerArray, TensorLike } from '../core/tensor.js';
import { type NumberTokenOptions, overNumberTokens } from './number-tokens.js';
import type { LossResult } from './result.js';

/**
 * Number-token loss, squared form (NTL-MSE): (Σ_j p_j v_j − v_y)² with p the softmax over the number tokens alone; the mean over samples
 * whose label is a number. It adds to `crossEntropy` (weight 0.3–0.5). Mass on 0 and 8 costs nothing for the label 4:
 * `wassersteinTokenLoss` has no such minimum.
 *
 * @param logits [n, k]; @param labels [n] token indices
 * @param options `values` [k] the number of each token, NaN for other tokens; `ignoreIndex`; `weights` [n] (1)
 * @returns `value` in squared units of the values, `grad` [n, k] by the logits, `perSample` [n], 0 where the label is no number
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN logits, a label outside 0 … k − 1, infinite values or only NaN
 * @see Zausinger et al. 2025, arXiv:2411.02083, §3.1
 */
export function numberTokenLoss(logits: TensorLike, labels: IntegerArray | readonly number[], options: NumberTokenOptions): LossResult {
  return overNumberTokens(logits, labels, options, (p, values, target, slopes) => {
    let gap = -target;
    for (let t = 0; t < p.length; t++) gap += p[t]! * values[t]!;
    for (let t = 0; t < p.length; t++) slopes[t] = 2 * gap * values[t]!;
    return gap * gap;
  });
}
