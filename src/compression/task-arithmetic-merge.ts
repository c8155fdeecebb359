import { asRecord, checkArray, checkFinite, checkFiniteNumber, checkLength, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf } from '../core/tensor.js';

/**
 * Task arithmetic: θ₀ + λ Σ_k m ∘ (θ_k − θ₀) / mean(m).
 *
 * @param base θ₀ [d]: what all models were fine-tuned from
 * @param experts θ_k [d] each
 * @param options `scale` (λ, 0.3); `mask` m [d], ≥ 0 and not all zero (ones)
 * @returns the merged parameters [d], in the precision of the base
 * @throws {ShapeError | DomainError} when lengths differ or numbers are not finite
 * @see Ilharco et al. 2023, arXiv:2212.04089; masked and rescaled: Tang et al. 2023, arXiv:2312.06173
 */
export function taskArithmeticMerge(
  base: NumberArray,
  experts: readonly NumberArray[],
  options: { readonly scale?: number; readonly mask?: ArrayLike<number> } = {},
): FloatArray {
  const { scale = 0.3, mask } = asRecord('options', options);
  checkFiniteNumber('scale', scale);
  const sum = taskSum(base, experts);
  const from = asFloats('base', base);
  const out = floats(precisionOf(from), from.length);
  let mean = 1;
  if (mask) {
    checkLength('mask', mask, from.length);
    checkFinite('mask', mask);
    mean = 0;
    for (let k = 0; k < mask.length; k++) mean += (mask[k] as number) / mask.length;
    checkPositive('mean of mask', mean);
  }
  for (let k = 0; k < out.length; k++)
    out[k] = (from[k] as number) + (scale * (mask ? (mask[k] as number) : 1) * (sum[k] as number)) / mean;
  return out;
}

/** Σ_k (θ_k − θ₀) [d], checked. */
export function taskSum(base: NumberArray, experts: readonly NumberArray[]): Float64Array {
  const from = asFloats('base', base);
  checkFinite('base', from);
  checkArray('experts', experts);
  if (experts.length === 0) throw new ShapeError('experts: expected at least one model, got none');
  const sum = new Float64Array(from.length);
  for (const [e, expert] of experts.entries()) {
    const to = asFloats(`experts[${e}]`, expert);
    checkLength(`experts[${e}]`, to, from.length);
    checkFinite(`experts[${e}]`, to);
    for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] as number) + (to[k] as number) - (from[k] as number);
  }
  return sum;
}
