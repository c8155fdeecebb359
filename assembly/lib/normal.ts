// The normal distribution function on vectors: Φ(v) = ½·erfc(−v/√2), where erfc(u) = e^(−u²)·q((u − 3)/(u + 3)) / (1 + 2u) for u ≥ 0.
import { vexp } from './exp';
import { madd } from './lanes';

/** e^(−v²/2). */
// @ts-ignore: decorator
@inline
export function vbell<T>(v: v128): v128 {
  return vexp<T>(v128.mul<T>(v128.mul<T>(v, v), v128.splat<T>(<T>-0.5)));
}

/** Φ of the lanes, given bell = e^(−v²/2); absolute error ≤ 2e-7 (f32), 2e-15 (f64). */
// @ts-ignore: decorator
@inline
export function vnormal<T>(v: v128, bell: v128): v128 {
  // Beyond u = 1000 the bell is 0; the bound keeps the quotient below finite.
  const u = v128.pmin<T>(v128.mul<T>(v128.abs<T>(v), v128.splat<T>(<T>0.7071067811865476)), v128.splat<T>(<T>1000));
  const y = v128.div<T>(v128.sub<T>(u, v128.splat<T>(<T>3)), v128.add<T>(u, v128.splat<T>(<T>3)));
  const q = tail<T>(y);
  const one = v128.splat<T>(<T>1);
  const beyond = v128.div<T>(v128.mul<T>(v128.mul<T>(bell, v128.splat<T>(<T>0.5)), q), v128.add<T>(one, v128.add<T>(u, u)));
  return v128.bitselect(v128.sub<T>(one, beyond), beyond, v128.gt<T>(v, v128.splat<T>(<T>0)));
}

/** (1 + 2u)·e^(u²)·erfc(u) as a polynomial in y on [−1, 1]: interpolation at 11 (f32, 7e-8) and 22 (f64, 2e-15) Chebyshev nodes. */
// @ts-ignore: decorator
@inline
function tail<T>(y: v128): v128 {
  if (sizeof<T>() == 4) {
    let p = f32x4.splat(-9.351062915344479e-5);
    p = madd<f32>(p, y, f32x4.splat(-0.0005131594359951843));
    p = madd<f32>(p, y, f32x4.splat(0.00187749464838414));
    p = madd<f32>(p, y, f32x4.splat(0.002284952149043377));
    p = madd<f32>(p, y, f32x4.splat(-0.023765692173267204));
    p = madd<f32>(p, y, f32x4.splat(0.0684107595220041));
    p = madd<f32>(p, y, f32x4.splat(-0.11927451860620696));
    p = madd<f32>(p, y, f32x4.splat(0.12962717489066664));
    p = madd<f32>(p, y, f32x4.splat(-0.04756225170643757));
    p = madd<f32>(p, y, f32x4.splat(-0.13562021387623402));
    p = madd<f32>(p, y, f32x4.splat(1.2530080582697296));
    return p;
  }
  let p = f64x2.splat(-7.888526230348615e-9);
  p = madd<f64>(p, y, f64x2.splat(1.0293972633402303e-8));
  p = madd<f64>(p, y, f64x2.splat(8.89538109370209e-8));
  p = madd<f64>(p, y, f64x2.splat(-7.872194501963463e-8));
  p = madd<f64>(p, y, f64x2.splat(-5.993134172857759e-7));
  p = madd<f64>(p, y, f64x2.splat(2.8036408068281987e-7));
  p = madd<f64>(p, y, f64x2.splat(3.457967367691077e-6));
  p = madd<f64>(p, y, f64x2.splat(-6.716487924766982e-7));
  p = madd<f64>(p, y, f64x2.splat(-2.0092834788396093e-5));
  p = madd<f64>(p, y, f64x2.splat(4.91877263011665e-6));
  p = madd<f64>(p, y, f64x2.splat(0.00012509669456543785));
  p = madd<f64>(p, y, f64x2.splat(-0.00010514955188869289));
  p = madd<f64>(p, y, f64x2.splat(-0.0007798317028168215));
  p = madd<f64>(p, y, f64x2.splat(0.001888688208880079));
  p = madd<f64>(p, y, f64x2.splat(0.002529391744966068));
  p = madd<f64>(p, y, f64x2.splat(-0.023770514653745554));
  p = madd<f64>(p, y, f64x2.splat(0.0683080273485277));
  p = madd<f64>(p, y, f64x2.splat(-0.11927366343212976));
  p = madd<f64>(p, y, f64x2.splat(0.12964515870264745));
  p = madd<f64>(p, y, f64x2.splat(-0.04756229435303232));
  p = madd<f64>(p, y, f64x2.splat(-0.13562110612458073));
  p = madd<f64>(p, y, f64x2.splat(1.2530080582697278));
  return p;
}

/** Φ(v) by the Taylor series of erf (|v| ≤ 5) or the continued fraction of erfc: for the scalar twins. */
export function normalRef(v: f64): f64 {
  const u = Math.abs(v) / Math.SQRT2;
  let half: f64;
  if (u < 3.5) {
    let term = u;
    let sum = u;
    for (let k = 1; k < 120; k++) {
      term *= (-u * u) / k;
      sum += term / (2 * k + 1);
    }
    half = 0.5 - sum / Math.sqrt(Math.PI);
  } else {
    let fraction: f64 = u;
    for (let k = 60; k > 0; k--) fraction = u + (<f64>k / 2) / fraction;
    half = (0.5 * Math.exp(-u * u)) / (fraction * Math.sqrt(Math.PI));
  }
  return v > 0 ? 1 - half : half;
}
