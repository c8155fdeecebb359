// log(1 + z) on vectors for 0 ≤ z ≤ 1: 2·atanh(s) with s = z/(2 + z) ≤ 1/3, an odd polynomial in s.
import { madd } from './lanes';

/** log(1 + z) of the lanes, 0 ≤ z ≤ 1; relative error ≤ 3e-7 (f32), 4e-16 (f64). */
// @ts-ignore: decorator
@inline
export function vlog1p<T>(z: v128): v128 {
  const s = v128.div<T>(z, v128.add<T>(v128.splat<T>(<T>2), z));
  // Squares of smaller numbers would be denormal, which is slow, and change nothing.
  const r = v128.pmax<T>(s, v128.splat<T>(sizeof<T>() == 4 ? <T>1e-15 : <T>1e-150));
  const w = v128.mul<T>(r, r);
  // Interpolation of 2·atanh(√w)/√w at 5 (f32, 4e-9) and 11 (f64, 2e-18) Chebyshev nodes of [0, 1/9].
  if (sizeof<T>() == 4) {
    let p = f32x4.splat(0.28158473292582276);
    p = madd<f32>(p, w, f32x4.splat(0.27965023094137714));
    p = madd<f32>(p, w, f32x4.splat(0.4002460320822298));
    p = madd<f32>(p, w, f32x4.splat(0.6666632149460625));
    p = madd<f32>(p, w, f32x4.splat(2.0000000076857964));
    return f32x4.mul(p, s);
  }
  let p = f64x2.splat(0.170451992645578);
  p = madd<f64>(p, w, f64x2.splat(0.08323960643371013));
  p = madd<f64>(p, w, f64x2.splat(0.12110290643250379));
  p = madd<f64>(p, w, f64x2.splat(0.13300359007217546));
  p = madd<f64>(p, w, f64x2.splat(0.15386615157236228));
  p = madd<f64>(p, w, f64x2.splat(0.18181740781515607));
  p = madd<f64>(p, w, f64x2.splat(0.22222224082160497));
  p = madd<f64>(p, w, f64x2.splat(0.28571428545431754));
  p = madd<f64>(p, w, f64x2.splat(0.40000000000185926));
  p = madd<f64>(p, w, f64x2.splat(0.6666666666666615));
  p = madd<f64>(p, w, f64x2.splat(2));
  return f64x2.mul(p, s);
}
