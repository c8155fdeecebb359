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
/** sin x, x in radians. */
export function sin(x: f64): f64 {
  return NativeMath.sin(x);
}
/** cos x, x in radians. */
export function cos(x: f64): f64 {
  return NativeMath.cos(x);
}
/** tan x, x in radians. */
export function tan(x: f64): f64 {
  return NativeMath.tan(x);
}
/** arcsin x. */
export function asin(x: f64): f64 {
  return NativeMath.asin(x);
}
/** arccos x. */
export function acos(x: f64): f64 {
  return NativeMath.acos(x);
}
/** arctan x. */
export function atan(x: f64): f64 {
  return NativeMath.atan(x);
}
/** sinh x. */
export function sinh(x: f64): f64 {
  return NativeMath.sinh(x);
}
/** cosh x. */
export function cosh(x: f64): f64 {
  return NativeMath.cosh(x);
}
/** tanh x. */
export function tanh(x: f64): f64 {
  return NativeMath.tanh(x);
}
/** arsinh x. */
export function asinh(x: f64): f64 {
  return NativeMath.asinh(x);
}
/** arcosh x. */
export function acosh(x: f64): f64 {
  return NativeMath.acosh(x);
}
/** artanh x. */
export function atanh(x: f64): f64 {
  return NativeMath.atanh(x);
}
/** log(1 + x) without cancellation near 0. */
export function log1p(x: f64): f64 {
  return NativeMath.log1p(x);
}
/** e^x − 1 without cancellation near 0. */
export function expm1(x: f64): f64 {
  return NativeMath.expm1(x);
}
/** The error function, relative error below 4e-15: the all-positive series Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!! up to 3, then 1 − erfc by its continued fraction. */
export function erf(x: f64): f64 {
  const a = abs(x), square = a * a;
  if (!(a < 6)) return x != x ? x : copysign<f64>(1, x);
  if (a < 3) {
    let term = a, sum = a;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= 2 * square / (2 * n + 1);
      sum += term;
    }
    return copysign<f64>(1.1283791670955126 * NativeMath.exp(-square) * sum, x); // 2/√π
  }
  // √π e^(x²) erfc x = 1/(x + (1/2)/(x + (2/2)/(x + …))), evaluated from the 40th term inwards
  let tail = a;
  for (let n = 40; n > 0; n--) tail = a + 0.5 * n / tail;
  return copysign<f64>(1 - 0.5641895835477563 * NativeMath.exp(-square) / tail, x);
}
