import { halfQuadratic } from './entmax15.js';
import type { Rows } from './rows.js';
import { fenchelYoung, type SparseLoss, type Targets } from './sparse-losses.js';

/**
 * Loss of 1.5-entmax: ⟨p − q, x⟩ + Ω(p) − Ω(q) with p = entmax15(x), Ω(p) = (4/3)·Σ (p − p^1.5); 0 exactly when p = q.
 *
 * @param x scores, one row as an array or rows [..., n]; `targets` a class per row (integers or plain numbers), or distributions [..., n] (floats)
 * @returns `value`, the mean over rows; `grad` = (p − q)/rows in the form of x; `perSample`
 * @throws {DomainError} when x is not finite, a class is out of range or a distribution does not sum to 1
 * @see Peters, Niculae & Martins 2019, arXiv:1905.05702, §4.2
 */
export function entmax15Loss<X extends Rows>(x: X, targets: Targets): SparseLoss<X> {
  return fenchelYoung(x, targets, halfQuadratic, (p) => (4 / 3) * (p - p * Math.sqrt(p)));
}
