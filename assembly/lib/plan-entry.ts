// Entries exp(F_i + G_j − C_ij·scale) of a plan or kernel matrix, exponents formed in f64.
import { expPair } from './exp';
import { at } from './lanes';

/** Exponents below this give exactly 0 (e^−46 = 1e-20, e^−600 = 2.6e-261): products that underflow are a hundred times slower. */
// @ts-ignore: decorator
@inline
export function lowest<T>(): f64 {
  if (sizeof<T>() == 4) return -46;
  return -600;
}

/** Two costs as f64. */
// @ts-ignore: decorator
@inline
export function pair<T>(p: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(p));
  return v128.load(p);
}

/** Two entries of P. */
// @ts-ignore: decorator
@inline
export function plan2<T>(base: v128, G: usize, row: usize, factor: v128, j: i32): v128 {
  const exponents = f64x2.sub(f64x2.add(base, v128.load(at<f64>(G, j))), f64x2.mul(pair<T>(at<T>(row, j)), factor));
  return v128.and(expPair(exponents), f64x2.ge(exponents, f64x2.splat(lowest<f64>())));
}
/** One entry of P, for the tail. */
// @ts-ignore: decorator
@inline
export function plan1<T>(base: v128, G: usize, row: usize, scale: f64, j: i32): f64 {
  const exponent = f64x2.extract_lane(base, 0) + load<f64>(at<f64>(G, j)) - <f64>load<T>(at<T>(row, j)) * scale;
  return exponent < lowest<f64>() ? 0 : f64x2.extract_lane(expPair(f64x2.splat(exponent)), 0);
}

/** Four exponents base + G − c·factor, formed in f64 and rounded to f32; c four costs. */
// @ts-ignore: decorator
@inline
export function exponents4(base: v128, G: usize, c: v128, factor: v128): v128 {
  const low = f64x2.sub(f64x2.add(base, v128.load(G)), f64x2.mul(f64x2.promote_low_f32x4(c), factor));
  const upper = f64x2.promote_low_f32x4(i32x4.shuffle(c, c, 2, 3, 0, 1));
  const high = f64x2.sub(f64x2.add(base, v128.load(G, 16)), f64x2.mul(upper, factor));
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}
