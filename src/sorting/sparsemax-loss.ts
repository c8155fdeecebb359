import type { Rows } from './rows.js';
import { fenchelYoung, type SparseLoss, type Targets } from './sparse-losses.js';
import { simplexProjection } from './sparsemax.js';

/**
 * Loss of sparsemax: ⟨p − q, x⟩ + (|q|² − |p|²)/2 with p = sparsemax(x); 0 exactly when p = q, so with a margin of 1 for a class.
 *
 * @param x scores, one row as an array or rows [..., n]; `targets` a class per row (integers or plain numbers), or distributions [..., n] (floats)
 * @returns `value`, the mean over rows; `grad` = (p − q)/rows in the form of x; `perSample`
 * @throws {DomainError} when x is not finite, a class is out of range or a distribution does not sum to 1
 * @see Martins & Astudillo 2016, arXiv:1602.02068, §3
 */
export function sparsemaxLoss<X extends Rows>(x: X, targets: Targets): SparseLoss<X> {
  return fenchelYoung(x, targets, simplexProjection, (p) => (p - p * p) / 2);
}
