// e^x on vectors: x = n·ln 2 + r with |r| ≤ ½ ln 2, a polynomial in r, then a multiplication by 2^(n−1) built from the bits of n.
// The polynomial is doubled, so that 2^(n−1) stays finite up to the largest float; at the lower clamp the bits built are those
// of 0: underflow and −∞ give exactly 0 without a branch. NaN passes every step. exp(0) is exactly 1.
import { madd } from './lanes';

/** e^x of four f32; ≤ 2 ulp; 0 below −86.99 (e^x < 1.7e-38), ∞ above 88.72, NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const v = f32x4.pmax(f32x4.pmin(x, f32x4.splat(89)), f32x4.splat(-87.3)); // n from −126, whose 2^(n−1) has bits 0, to 128
  const magic = f32x4.splat(12582912); // 1.5·2²³: adding it rounds to an integer, whose low bits are n in two's complement
  const t = f32x4.add(f32x4.mul(v, f32x4.splat(1.44269504)), magic);
  const n = f32x4.sub(t, magic);
  // ln 2 in two parts; the first has 16 bits, so that n times it is exact.
  const r = madd<f32>(n, f32x4.splat(-1.42860677e-6), madd<f32>(n, f32x4.splat(-0.693145752), v));
  // Near-minimax e^r = 1 + r + r²·q(r), relative error 3.1e-9; coefficients times two.
  let p = f32x4.splat(2 * 0.0013814540579915047);
  p = madd<f32>(p, r, f32x4.splat(2 * 0.00836874544620514));
  p = madd<f32>(p, r, f32x4.splat(2 * 0.04166838899254799));
  p = madd<f32>(p, r, f32x4.splat(2 * 0.1666652113199234));
  p = madd<f32>(p, r, f32x4.splat(2 * 0.4999999403953552));
  p = madd<f32>(p, r, f32x4.splat(2));
  p = madd<f32>(p, r, f32x4.splat(2));
  return f32x4.mul(p, i32x4.shl(i32x4.add(t, i32x4.splat(126)), 23));
}

/** e^x of two f64; ≤ 2 ulp; 0 below −708.04 (e^x < 3.2e-308), ∞ above 709.78, NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function expPair(x: v128): v128 {
  const v = f64x2.pmax(f64x2.pmin(x, f64x2.splat(710)), f64x2.splat(-708.3)); // n from −1022 to 1024
  const magic = f64x2.splat(6755399441055744); // 1.5·2⁵²
  const t = f64x2.add(f64x2.mul(v, f64x2.splat(1.4426950408889634)), magic);
  const n = f64x2.sub(t, magic);
  const r = madd<f64>(n, f64x2.splat(-1.9082149292705877e-10), madd<f64>(n, f64x2.splat(-0.6931471803691238), v));
  // Interpolation of (e^r − 1 − r)/r² at ten Chebyshev nodes, relative error 1.6e-17; coefficients times two.
  let p = f64x2.splat(2 * 2.510038549551032e-8);
  p = madd<f64>(p, r, f64x2.splat(2 * 2.7620088445409746e-7));
  p = madd<f64>(p, r, f64x2.splat(2 * 2.7557268459997064e-6));
  p = madd<f64>(p, r, f64x2.splat(2 * 2.4801521295954376e-5));
  p = madd<f64>(p, r, f64x2.splat(2 * 0.00019841269863053618));
  p = madd<f64>(p, r, f64x2.splat(2 * 0.0013888888917213717));
  p = madd<f64>(p, r, f64x2.splat(2 * 0.008333333333330062));
  p = madd<f64>(p, r, f64x2.splat(2 * 0.04166666666662413));
  p = madd<f64>(p, r, f64x2.splat(2 * 0.16666666666666669));
  p = madd<f64>(p, r, f64x2.splat(1)); // 2 · ½
  p = madd<f64>(p, r, f64x2.splat(2));
  p = madd<f64>(p, r, f64x2.splat(2));
  return f64x2.mul(p, i64x2.shl(i64x2.add(t, i64x2.splat(1022)), 52));
}

/** e^x of the lanes of either precision. */
// @ts-ignore: decorator
@inline
export function vexp<T>(x: v128): v128 {
  if (sizeof<T>() == 4) return exp4(x);
  return expPair(x);
}

/** e^x of one number, the same bits as a lane of `vexp`: for the tails of vector loops. */
// @ts-ignore: decorator
@inline
export function exp1<T>(x: T): T {
  if (sizeof<T>() == 4) return <T>f32x4.extract_lane(exp4(f32x4.splat(<f32>x)), 0);
  return <T>f64x2.extract_lane(expPair(f64x2.splat(<f64>x)), 0);
}
