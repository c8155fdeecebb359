// Largest element and log-sum-exp of one row, two vectors at a time: a single chain of comparisons or sums would wait for itself.
import { exp1, vexp } from './exp';
import { at, hmax, hsum, lanes } from './lanes';

/** log Σ_j e^x[j]; −∞ for a row that is all −∞, +∞ for one that holds +∞, NaN for one that holds NaN. n ≥ 1. */
// @ts-ignore: decorator
@inline
export function logSumExp<T>(x: usize, n: i32): f64 {
  const step = 2 * lanes<T>();
  const whole = n - (n % step);
  let top = largest<T>(x, n);
  // ∞ − ∞ would be NaN: rows without a finite largest element are shifted by 0, where the sum is 0, ∞ or NaN as it should be.
  if (top == -Infinity || top == Infinity) top = 0;
  const shift = v128.splat<T>(top);
  let sums = v128.splat<T>(0);
  let others = sums;
  let j = 0;
  for (; j < whole; j += step) {
    sums = v128.add<T>(sums, vexp<T>(v128.sub<T>(v128.load(at<T>(x, j)), shift)));
    others = v128.add<T>(others, vexp<T>(v128.sub<T>(v128.load(at<T>(x, j), 16), shift)));
  }
  let sum = hsum<T>(v128.add<T>(sums, others));
  for (; j < n; j++) sum += exp1<T>(load<T>(at<T>(x, j)) - top);
  return <f64>top + NativeMath.log(<f64>sum);
}

/** The largest of n ≥ 1 numbers; NaN is passed over. */
// @ts-ignore: decorator
@inline
export function largest<T>(x: usize, n: i32): T {
  const step = 2 * lanes<T>();
  const whole = n - (n % step);
  let tops = v128.splat<T>(<T>-Infinity);
  let others = tops;
  let j = 0;
  for (; j < whole; j += step) {
    tops = v128.pmax<T>(tops, v128.load(at<T>(x, j)));
    others = v128.pmax<T>(others, v128.load(at<T>(x, j), 16));
  }
  let top = hmax<T>(v128.pmax<T>(tops, others));
  for (; j < n; j++) {
    const v = load<T>(at<T>(x, j));
    if (v > top) top = v;
  }
  return top;
}
