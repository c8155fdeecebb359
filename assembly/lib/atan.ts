// atan on vectors: |x| is reduced to |t| ≤ tan(π/8) by at most one subtraction of angles and one division, then an odd polynomial.
import { madd } from './lanes';

/** atan x of four f32; absolute error ≤ 2e-7. */
// @ts-ignore: decorator
@inline
export function atan4(x: v128): v128 {
  const a = f32x4.abs(x);
  const one = f32x4.splat(1);
  const steep = f32x4.gt(a, f32x4.splat(2.414213562)); // tan(3π/8): atan a = π/2 + atan(−1/a)
  const middle = f32x4.gt(a, f32x4.splat(0.4142135624)); // tan(π/8): atan a = π/4 + atan((a − 1)/(a + 1))
  const top = v128.bitselect(f32x4.splat(-1), v128.bitselect(f32x4.sub(a, one), a, middle), steep);
  const bottom = v128.bitselect(a, v128.bitselect(f32x4.add(a, one), one, middle), steep);
  const offset = v128.bitselect(f32x4.splat(1.5707963267948966), v128.and(f32x4.splat(0.7853981633974483), middle), steep);
  const t = f32x4.div(top, bottom);
  const z = f32x4.mul(t, t);
  // Interpolation of atan(√z)/√z at five Chebyshev nodes of [0, tan²(π/8)], relative error 2e-8.
  let p = f32x4.splat(0.07976041697977972);
  p = madd<f32>(p, z, f32x4.splat(-0.1384841475351238));
  p = madd<f32>(p, z, f32x4.splat(0.19974075434890798));
  p = madd<f32>(p, z, f32x4.splat(-0.3333278557048463));
  p = madd<f32>(p, z, f32x4.splat(0.9999999812558498));
  const angle = madd<f32>(p, t, offset);
  return v128.bitselect(angle, x, v128.not(f32x4.splat(-0.0)));
}

/** atan x of two f64; absolute error ≤ 3e-16. */
// @ts-ignore: decorator
@inline
export function atanPair(x: v128): v128 {
  const a = f64x2.abs(x);
  const one = f64x2.splat(1);
  const steep = f64x2.gt(a, f64x2.splat(2.414213562373095));
  const middle = f64x2.gt(a, f64x2.splat(0.41421356237309503));
  const top = v128.bitselect(f64x2.splat(-1), v128.bitselect(f64x2.sub(a, one), a, middle), steep);
  const bottom = v128.bitselect(a, v128.bitselect(f64x2.add(a, one), one, middle), steep);
  const offset = v128.bitselect(f64x2.splat(1.5707963267948966), v128.and(f64x2.splat(0.7853981633974483), middle), steep);
  const t = f64x2.div(top, bottom);
  const z = f64x2.mul(t, t);
  // Twelve nodes, relative error 3e-18.
  let p = f64x2.splat(-0.017803896394812564);
  p = madd<f64>(p, z, f64x2.splat(0.03796390316111083));
  p = madd<f64>(p, z, f64x2.splat(-0.05035049795312439));
  p = madd<f64>(p, z, f64x2.splat(0.05846866752275139));
  p = madd<f64>(p, z, f64x2.splat(-0.06662950246036792));
  p = madd<f64>(p, z, f64x2.splat(0.07692045194561481));
  p = madd<f64>(p, z, f64x2.splat(-0.09090896801472813));
  p = madd<f64>(p, z, f64x2.splat(0.11111110744657099));
  p = madd<f64>(p, z, f64x2.splat(-0.14285714279244968));
  p = madd<f64>(p, z, f64x2.splat(0.19999999999940837));
  p = madd<f64>(p, z, f64x2.splat(-0.3333333333333312));
  p = madd<f64>(p, z, one);
  const angle = madd<f64>(p, t, offset);
  return v128.bitselect(angle, x, v128.not(f64x2.splat(-0.0)));
}

/** atan x of the lanes of either precision. */
// @ts-ignore: decorator
@inline
export function vatan<T>(x: v128): v128 {
  if (sizeof<T>() == 4) return atan4(x);
  return atanPair(x);
}
