// 2^y on vectors: y = n + r with |r| ≤ ½, exactly, a polynomial in r, then a multiplication by 2^(n−1) built from the bits of n, as in
// lib/exp.ts. For exponents that the caller forms in units of ln 2: no multiplication by log₂ e, and no reduction in two parts.
import { madd } from './lanes';

/** log₂ e and ln 2. */
export const LOG2E: f64 = 1.4426950408889634;
export const LN2: f64 = 0.6931471805599453;

// From memory, as in lib/exp.ts; the polynomials are its own in r·ln 2.
const single = memory.data<f32>([
  128.4, 128.4, 128.4, 128.4,
  -125.9, -125.9, -125.9, -125.9,
  12582912, 12582912, 12582912, 12582912,
  0.000306421481798388, 0.000306421481798388, 0.000306421481798388, 0.000306421481798388,
  0.002678043696471227, 0.002678043696471227, 0.002678043696471227, 0.002678043696471227,
  0.019237053361786167, 0.019237053361786167, 0.019237053361786167, 0.019237053361786167,
  0.11100724799695776, 0.11100724799695776, 0.11100724799695776, 0.11100724799695776,
  0.48045295664373894, 0.48045295664373894, 0.48045295664373894, 0.48045295664373894,
  1.3862943611198906, 1.3862943611198906, 1.3862943611198906, 1.3862943611198906,
  2, 2, 2, 2,
], 16);
const double = memory.data<f64>([
  1024.4, 1024.4,
  -1021.9, -1021.9,
  6755399441055744, 6755399441055744,
  8.908210250586829e-10, 8.908210250586829e-10,
  1.414196216673153e-08, 1.414196216673153e-08,
  2.035613451989397e-07, 2.035613451989397e-07,
  2.6430903238293205e-06, 2.6430903238293205e-06,
  3.0505467641611697e-05, 3.0505467641611697e-05,
  0.00030807060849590755, 0.00030807060849590755,
  0.0026667116292846413, 0.0026667116292846413,
  0.019236258215237313, 0.019236258215237313,
  0.11100821732964317, 0.11100821732964317,
  0.4804530139182014, 0.4804530139182014,
  1.3862943611198906, 1.3862943611198906,
  2, 2,
], 16);

/** 2^y of four f32: 0 below −125.5, ∞ from 128 on, NaN stays NaN. */
// @ts-ignore: decorator
@inline
function single2(y: v128): v128 {
  const v = f32x4.pmax(f32x4.pmin(y, v128.load(single)), v128.load(single, 16));
  const magic = v128.load(single, 32);
  const t = f32x4.add(v, magic);
  const r = f32x4.sub(v, f32x4.sub(t, magic));
  let p = madd<f32>(v128.load(single, 48), r, v128.load(single, 64));
  p = madd<f32>(p, r, v128.load(single, 80));
  p = madd<f32>(p, r, v128.load(single, 96));
  p = madd<f32>(p, r, v128.load(single, 112));
  p = madd<f32>(p, r, v128.load(single, 128));
  p = madd<f32>(p, r, v128.load(single, 144));
  return f32x4.mul(p, i32x4.shl(i32x4.add(t, i32x4.splat(126)), 23));
}

/** 2^y of two f64: 0 below −1021.5, ∞ from 1024 on, NaN stays NaN. */
// @ts-ignore: decorator
@inline
function double2(y: v128): v128 {
  const v = f64x2.pmax(f64x2.pmin(y, v128.load(double)), v128.load(double, 16));
  const magic = v128.load(double, 32);
  const t = f64x2.add(v, magic);
  const r = f64x2.sub(v, f64x2.sub(t, magic));
  let p = madd<f64>(v128.load(double, 48), r, v128.load(double, 64));
  p = madd<f64>(p, r, v128.load(double, 80));
  p = madd<f64>(p, r, v128.load(double, 96));
  p = madd<f64>(p, r, v128.load(double, 112));
  p = madd<f64>(p, r, v128.load(double, 128));
  p = madd<f64>(p, r, v128.load(double, 144));
  p = madd<f64>(p, r, v128.load(double, 160));
  p = madd<f64>(p, r, v128.load(double, 176));
  p = madd<f64>(p, r, v128.load(double, 192));
  p = madd<f64>(p, r, v128.load(double, 208));
  p = madd<f64>(p, r, v128.load(double, 224));
  return f64x2.mul(p, i64x2.shl(i64x2.add(t, i64x2.splat(1022)), 52));
}

/** 2^y of the lanes of either precision. */
// @ts-ignore: decorator
@inline
export function vexp2<T>(y: v128): v128 {
  if (sizeof<T>() == 4) return single2(y);
  return double2(y);
}

/** 2^y of one number, the same bits as a lane. */
// @ts-ignore: decorator
@inline
export function one2<T>(y: T): T {
  if (sizeof<T>() == 4) return <T>f32x4.extract_lane(single2(f32x4.splat(<f32>y)), 0);
  return <T>f64x2.extract_lane(double2(f64x2.splat(<f64>y)), 0);
}
