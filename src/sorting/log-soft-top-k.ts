import type { Rows } from './rows.js';
import { indicator, type SoftTopKOptions, type SoftTopKResult } from './soft-top-k.js';

/**
 * Logarithm of the soft indicator of the k largest, exact where the indicator underflows: log σ(alpha·(x_i + t)), Σ σ = k.
 * The loss −Σ over positives of these values is the soft top-k loss of a retrieval model.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `k` from 1 to n (a plain number is read as k), `alpha` (2, per unit of x)
 * @returns `values` ≤ 0 in the form of x, `threshold` per row, and `backward(grad)`
 * @throws {DomainError} when k is not from 1 to n, alpha ≤ 0, or x is not finite; {ShapeError} when a row is empty
 * @see Gupta et al. 2023, Dual-encoders for extreme multi-label classification, arXiv:2310.10636, §4.2
 */
export function logSoftTopK<X extends Rows>(x: X, options: SoftTopKOptions | number): SoftTopKResult<X> {
  return indicator(x, options, true);
}
