// From the sum of a row or column of a kernel matrix to its new scaling: what the twin and the kernel of sinkhorn-scaling share.
import { at } from './lanes';
import { COLUMN_ERROR, ROW_ERROR, smallest, UNUSABLE, WIDEST } from './marginal';

// What becomes of a row sum s: a hard marginal, a relaxed or penalised one, the product for KᵀWK, or a marginal with a bound.
export const HARD = 0;
export const SOFT = 1;
export const GRAM = 2;
export const CAPPED = 3;

/** Clears the errors and counts of an iteration. */
// @ts-ignore: decorator
@inline
export function begin(stats: usize): void {
  store<f64>(stats, 0, ROW_ERROR);
  store<f64>(stats, 0, COLUMN_ERROR);
  store<f64>(stats, 0, WIDEST);
  store<f64>(stats, 0, UNUSABLE);
}

/** Whether iterations end: the errors are small enough, a scaling is out of range, or a sum could not be used. */
export function finished(stats: usize, tolerance: f64, limit: f64): bool {
  const error = load<f64>(stats, ROW_ERROR) + load<f64>(stats, COLUMN_ERROR);
  return error <= tolerance || load<f64>(stats, WIDEST) > limit || load<f64>(stats, UNUSABLE) > 0;
}

/**
 * Turns the sum of one row (or column) into its new scaling, and books errors in `place` (ROW_ERROR or COLUMN_ERROR). SOFT: log u ←
 * (1 − ω)·log u + ω·(κ·log(mass/sum) + shift); κ = 1, shift = 0 is a hard marginal; κ = ρ/(ρ + ε), shift = −(1 − κ)·f/ε with the
 * absorbed potential f is a KL penalty ρ.
 */
// @ts-ignore: decorator
@inline
export function scaleRow<T>(
  rule: i32, i: i32, sum: T, u: usize, a: usize, lu: usize, shift: usize, kappa: f64, omega: f64, stats: usize, place: usize,
): void {
  const mass = load<T>(at<T>(a, i));
  if (rule == GRAM) {
    store<T>(at<T>(u, i), mass * sum);
    return;
  }
  if (rule == CAPPED) {
    const before = load<T>(at<T>(u, i));
    const next = <T>min<f64>(load<f64>(at<f64>(shift, i)), <f64>mass / <f64>sum);
    if (!(next < <T>Infinity)) return;
    store<T>(at<T>(u, i), next);
    store<f64>(stats + place, load<f64>(stats + place) + <f64>abs<T>(before - next) * <f64>sum);
    const wide = max<T>(next, <T>1 / next);
    if (<f64>wide > load<f64>(stats, WIDEST)) store<f64>(stats, <f64>wide, WIDEST);
    return;
  }
  if (!(sum > smallest<T>())) {
    store<f64>(stats, load<f64>(stats, UNUSABLE) + 1, UNUSABLE);
    return;
  }
  const old = load<T>(at<T>(u, i));
  let scaling: T;
  if (rule == HARD) {
    scaling = mass / sum;
    store<f64>(stats + place, load<f64>(stats + place) + <f64>abs<T>(old * sum - mass));
  } else {
    const before = load<f64>(at<f64>(lu, i));
    const gap = kappa * NativeMath.log(<f64>mass / <f64>sum) + load<f64>(at<f64>(shift, i)) - before;
    const next = before + omega * gap;
    store<f64>(at<f64>(lu, i), next);
    scaling = <T>NativeMath.exp(next);
    // The distance to a plain iteration in mass: zero exactly at the fixed point, the marginal error to first order where κ = 1.
    store<f64>(stats + place, load<f64>(stats + place) + abs<f64>(gap) * <f64>max<T>(old, scaling) * <f64>sum);
  }
  store<T>(at<T>(u, i), scaling);
  const wide = max<T>(scaling, <T>1 / scaling);
  if (<f64>wide > load<f64>(stats, WIDEST)) store<f64>(stats, <f64>wide, WIDEST);
}
