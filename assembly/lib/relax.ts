// Relaxed comparison for differentiable sorting networks: alpha, the share in which two wires keep their order, rises from 0 to 1
// with the difference d = upper − lower. v = steepness·d. Petersen et al. 2021 (arXiv:2105.04019) and 2022 (arXiv:2203.09630).
import { vatan } from './atan';
import { vexp } from './exp';
import { normalRef, vbell, vnormal } from './normal';

/** Numbers of the relaxations, as in src/kernels/diff-sort.ts. */
export const LOGISTIC: i32 = 0;
export const LOGISTIC_PHI: i32 = 1;
export const GAUSSIAN: i32 = 2;
export const RECIPROCAL: i32 = 3;
export const CAUCHY: i32 = 4;
export const OPTIMAL: i32 = 5;

/** Stores alpha(d) and d alpha/d d of the lanes. `kind` is a constant at every call, so that one branch remains. */
// @ts-ignore: decorator
@inline
export function relax<T>(alpha: usize, slope: usize, d: v128, kind: i32, steepness: T, lambda: T): void {
  const one = v128.splat<T>(<T>1);
  const s = v128.splat<T>(steepness);
  const v = v128.mul<T>(s, d);
  if (kind == CAUCHY) {
    v128.store(alpha, v128.add<T>(v128.mul<T>(vatan<T>(v), v128.splat<T>(<T>(1 / Math.PI))), v128.splat<T>(<T>0.5)));
    v128.store(slope, v128.div<T>(v128.splat<T>(steepness * <T>(1 / Math.PI)), v128.add<T>(one, v128.mul<T>(v, v))));
  } else if (kind == LOGISTIC || kind == LOGISTIC_PHI) {
    let scaled = v;
    let rate = s;
    if (kind == LOGISTIC_PHI) {
      // φ(d) = d·r^(−λ) with r = |d| + 1e-10; φ′ = r^(−λ)·(1 − λ|d|/r).
      const magnitude = v128.abs<T>(d);
      const r = v128.add<T>(magnitude, v128.splat<T>(<T>1e-10));
      const power = negativePower<T>(r, lambda);
      scaled = v128.mul<T>(v, power);
      rate = v128.mul<T>(
        v128.mul<T>(s, power),
        v128.sub<T>(one, v128.mul<T>(v128.splat<T>(lambda), v128.div<T>(magnitude, r))),
      );
    }
    const a = v128.div<T>(one, v128.add<T>(one, vexp<T>(v128.neg<T>(scaled))));
    v128.store(alpha, a);
    v128.store(slope, v128.mul<T>(rate, v128.mul<T>(a, v128.sub<T>(one, a))));
  } else if (kind == GAUSSIAN) {
    const bell = vbell<T>(v);
    v128.store(alpha, vnormal<T>(v, bell));
    v128.store(slope, v128.mul<T>(v128.splat<T>(steepness * <T>0.3989422804014327), bell)); // 1/√(2π)
  } else if (kind == RECIPROCAL) {
    // Bounded, as infinity times 1/infinity is not 1.
    const most = v128.splat<T>(sizeof<T>() == 4 ? <T>1e30 : <T>1e300);
    const bounded = v128.pmax<T>(v128.pmin<T>(v, most), v128.neg<T>(most));
    const inverse = v128.div<T>(one, v128.add<T>(v128.splat<T>(<T>2), v128.abs<T>(bounded)));
    v128.store(alpha, v128.mul<T>(v128.splat<T>(<T>0.5), v128.add<T>(v128.mul<T>(bounded, inverse), one)));
    v128.store(slope, v128.mul<T>(s, v128.mul<T>(inverse, inverse)));
  } else {
    const magnitude = v128.abs<T>(v);
    const inner = v128.le<T>(magnitude, v128.splat<T>(<T>0.25));
    // Outside, 1 − 1/(16v). The published code adds 1e-10 to |v|, which here also keeps lanes that are inside off a division by 0.
    const tail = v128.div<T>(v128.splat<T>(<T>0.0625), v128.add<T>(magnitude, v128.splat<T>(<T>1e-10)));
    const outer = v128.bitselect(v128.sub<T>(one, tail), tail, v128.gt<T>(v, v128.splat<T>(<T>0)));
    v128.store(alpha, v128.bitselect(v128.add<T>(v, v128.splat<T>(<T>0.5)), outer, inner));
    const falling = v128.mul<T>(v128.splat<T>(<T>16), v128.mul<T>(tail, tail)); // 1/(16v²)
    v128.store(slope, v128.mul<T>(s, v128.bitselect(one, falling, inner)));
  }
}

/** r^(−λ); two square roots for the default λ = ¼. */
// @ts-ignore: decorator
@inline
function negativePower<T>(r: v128, lambda: T): v128 {
  const one = v128.splat<T>(<T>1);
  if (lambda == <T>0.25) return v128.div<T>(one, v128.sqrt<T>(v128.sqrt<T>(r)));
  if (sizeof<T>() == 4) {
    const e = -<f64>lambda;
    return f32x4(
      <f32>NativeMath.pow(<f64>f32x4.extract_lane(r, 0), e),
      <f32>NativeMath.pow(<f64>f32x4.extract_lane(r, 1), e),
      <f32>NativeMath.pow(<f64>f32x4.extract_lane(r, 2), e),
      <f32>NativeMath.pow(<f64>f32x4.extract_lane(r, 3), e),
    );
  }
  return f64x2(NativeMath.pow(f64x2.extract_lane(r, 0), -<f64>lambda), NativeMath.pow(f64x2.extract_lane(r, 1), -<f64>lambda));
}

/** alpha(d), the formulas as printed. */
export function relaxRef(d: f64, kind: i32, steepness: f64, lambda: f64): f64 {
  const v = steepness * d;
  if (kind == LOGISTIC) return 1 / (1 + Math.exp(-v));
  if (kind == LOGISTIC_PHI) return 1 / (1 + Math.exp(-v / Math.pow(Math.abs(d) + 1e-10, lambda)));
  if (kind == GAUSSIAN) return normalRef(v);
  if (kind == RECIPROCAL) return 0.5 * (v / (2 + Math.abs(v)) + 1);
  if (kind == CAUCHY) return Math.atan(v) / Math.PI + 0.5;
  if (Math.abs(v) <= 0.25) return v + 0.5;
  const tail = 1 / (16 * (Math.abs(v) + 1e-10));
  return v > 0 ? 1 - tail : tail;
}

/** d alpha/d d. */
export function slopeRef(d: f64, kind: i32, steepness: f64, lambda: f64): f64 {
  const v = steepness * d;
  if (kind == LOGISTIC || kind == LOGISTIC_PHI) {
    const a = relaxRef(d, kind, steepness, lambda);
    const r = Math.abs(d) + 1e-10;
    const rate = kind == LOGISTIC ? 1 : Math.pow(r, -lambda) * (1 - (lambda * Math.abs(d)) / r);
    return steepness * rate * a * (1 - a);
  }
  if (kind == GAUSSIAN) return (steepness * Math.exp((-v * v) / 2)) / Math.sqrt(2 * Math.PI);
  if (kind == RECIPROCAL) return steepness / ((2 + Math.abs(v)) * (2 + Math.abs(v)));
  if (kind == CAUCHY) return steepness / (Math.PI * (1 + v * v));
  const outside = Math.abs(v) + 1e-10;
  return Math.abs(v) <= 0.25 ? steepness : steepness / (16 * outside * outside);
}
