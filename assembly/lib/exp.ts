// e^x on vectors: x = n·ln 2 + r with |r| ≤ ½ ln 2, a polynomial in r, then a multiplication by 2^(n−1) built from the bits of n.
// The polynomial is doubled, so that 2^(n−1) stays finite up to the largest float; at the lower clamp the bits built are those
// of 0: underflow and −∞ give exactly 0 without a branch. NaN passes every step. exp(0) is exactly 1.
import { madd } from './lanes';

// Constants are read from memory: V8 would build every splat anew in each turn of a loop that has more of them than registers.
const single = memory.data<f32>([
  89, 89, 89, 89,
  -87.3, -87.3, -87.3, -87.3,
  1.44269504, 1.44269504, 1.44269504, 1.44269504,
  12582912, 12582912, 12582912, 12582912,
  -0.693145752, -0.693145752, -0.693145752, -0.693145752,
  -1.42860677e-6, -1.42860677e-6, -1.42860677e-6, -1.42860677e-6,
  2 * 0.0013814540579915047, 2 * 0.0013814540579915047, 2 * 0.0013814540579915047, 2 * 0.0013814540579915047,
  2 * 0.00836874544620514, 2 * 0.00836874544620514, 2 * 0.00836874544620514, 2 * 0.00836874544620514,
  2 * 0.04166838899254799, 2 * 0.04166838899254799, 2 * 0.04166838899254799, 2 * 0.04166838899254799,
  2 * 0.1666652113199234, 2 * 0.1666652113199234, 2 * 0.1666652113199234, 2 * 0.1666652113199234,
  2 * 0.4999999403953552, 2 * 0.4999999403953552, 2 * 0.4999999403953552, 2 * 0.4999999403953552,
  2, 2, 2, 2,
], 16);
const double = memory.data<f64>([
  710, 710,
  -708.3, -708.3,
  1.4426950408889634, 1.4426950408889634,
  6755399441055744, 6755399441055744,
  -0.6931471803691238, -0.6931471803691238,
  -1.9082149292705877e-10, -1.9082149292705877e-10,
  2 * 2.510038549551032e-8, 2 * 2.510038549551032e-8,
  2 * 2.7620088445409746e-7, 2 * 2.7620088445409746e-7,
  2 * 2.7557268459997064e-6, 2 * 2.7557268459997064e-6,
  2 * 2.4801521295954376e-5, 2 * 2.4801521295954376e-5,
  2 * 0.00019841269863053618, 2 * 0.00019841269863053618,
  2 * 0.0013888888917213717, 2 * 0.0013888888917213717,
  2 * 0.008333333333330062, 2 * 0.008333333333330062,
  2 * 0.04166666666662413, 2 * 0.04166666666662413,
  2 * 0.16666666666666669, 2 * 0.16666666666666669,
  1, 1,
  2, 2,
], 16);

/** e^x of four f32; ≤ 2 ulp; 0 below −86.99 (e^x < 1.7e-38), ∞ above 88.72, NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const v = f32x4.pmax(f32x4.pmin(x, v128.load(single)), v128.load(single, 16)); // n from −126, whose 2^(n−1) has bits 0, to 128
  const magic = v128.load(single, 48); // 1.5·2²³: adding it rounds to an integer, whose low bits are n in two's complement
  const t = f32x4.add(f32x4.mul(v, v128.load(single, 32)), magic);
  const n = f32x4.sub(t, magic);
  // ln 2 in two parts; the first has 16 bits, so that n times it is exact.
  const r = madd<f32>(n, v128.load(single, 80), madd<f32>(n, v128.load(single, 64), v));
  // Near-minimax e^r = 1 + r + r²·q(r), relative error 3.1e-9; coefficients times two.
  let p = madd<f32>(v128.load(single, 96), r, v128.load(single, 112));
  p = madd<f32>(p, r, v128.load(single, 128));
  p = madd<f32>(p, r, v128.load(single, 144));
  p = madd<f32>(p, r, v128.load(single, 160));
  p = madd<f32>(p, r, v128.load(single, 176));
  p = madd<f32>(p, r, v128.load(single, 176));
  return f32x4.mul(p, i32x4.shl(i32x4.add(t, i32x4.splat(126)), 23));
}

/** e^x of two f64; ≤ 2 ulp; 0 below −708.04 (e^x < 3.2e-308), ∞ above 709.78, NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function expPair(x: v128): v128 {
  const v = f64x2.pmax(f64x2.pmin(x, v128.load(double)), v128.load(double, 16)); // n from −1022 to 1024
  const magic = v128.load(double, 48); // 1.5·2⁵²
  const t = f64x2.add(f64x2.mul(v, v128.load(double, 32)), magic);
  const n = f64x2.sub(t, magic);
  const r = madd<f64>(n, v128.load(double, 80), madd<f64>(n, v128.load(double, 64), v));
  // Interpolation of (e^r − 1 − r)/r² at ten Chebyshev nodes, relative error 1.6e-17; coefficients times two.
  let p = madd<f64>(v128.load(double, 96), r, v128.load(double, 112));
  p = madd<f64>(p, r, v128.load(double, 128));
  p = madd<f64>(p, r, v128.load(double, 144));
  p = madd<f64>(p, r, v128.load(double, 160));
  p = madd<f64>(p, r, v128.load(double, 176));
  p = madd<f64>(p, r, v128.load(double, 192));
  p = madd<f64>(p, r, v128.load(double, 208));
  p = madd<f64>(p, r, v128.load(double, 224));
  p = madd<f64>(p, r, v128.load(double, 240)); // 2 · ½
  p = madd<f64>(p, r, v128.load(double, 256));
  p = madd<f64>(p, r, v128.load(double, 256));
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
