// Scalar functions in f64, the same bits in every runtime (Math.exp and friends differ between JavaScript engines).

/** e^x. */
export function exp(x: f64): f64 {
  return NativeMath.exp(x);
}
/** Natural logarithm. */
export function log(x: f64): f64 {
  return NativeMath.log(x);
}
/** x^y. */
export function pow(x: f64, y: f64): f64 {
  return NativeMath.pow(x, y);
}
