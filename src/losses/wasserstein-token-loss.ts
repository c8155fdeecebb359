import type { IntegerArray, TensorLike } from '../core/tensor.js';
import { type NumberTokenOptions, overNumberTokens } from './number-tokens.js';
import type { LossResult } from './result.js';

/**
 * Number-token loss, Wasserstein form (NTL-WAS): the Wasserstein-1 distance of the softmax over the number tokens to the label,
 * Σ_j p_j |v_j − v_y|, for any spacing of the values; the mean over samples whose label is a number. It adds to `crossEntropy`
 * (weight 0.3–0.5) and is 0 only where all mass sits on tokens of the label's value.
 *
 * @param logits [n, k]; @param labels [n] token indices
 * @param options `values` [k] the number of each token, NaN for other tokens; `ignoreIndex`; `weights` [n] (1)
 * @returns `value` in units of the values, `grad` [n, k] by the logits, `perSample` [n], 0 where the label is no number
 * @throws {ShapeError} when lengths differ; {DomainError} on NaN logits, a label outside 0 … k − 1, infinite values or only NaN
 * @see Zausinger et al. 2025, arXiv:2411.02083, §3.2
 */
export function wassersteinTokenLoss(
  logits: TensorLike,
  labels: IntegerArray | readonly number[],
  options: NumberTokenOptions,
): LossResult {
  return overNumberTokens(logits, labels, options, (p, values, target, slopes) => {
    let sum = 0;
    for (let t = 0; t < p.length; t++) {
      slopes[t] = Math.abs(values[t]! - target);
      sum += p[t]! * slopes[t]!;
    }
    return sum;
  });
}
