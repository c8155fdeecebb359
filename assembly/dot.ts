// Level-1 BLAS over contiguous vectors: dot product, axpy, Euclidean norm. Any alignment, any length.
import { at, hsum, lanes, madd } from './lib/lanes';

/** Σ x[i]·y[i], accumulated in f64. */
export function sdotRef(n: i32, x: usize, y: usize): f64 {
  return dotRef<f32>(n, x, y);
}
/** Σ x[i]·y[i]. */
export function ddotRef(n: i32, x: usize, y: usize): f64 {
  return dotRef<f64>(n, x, y);
}
function dotRef<T>(n: i32, x: usize, y: usize): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += <f64>load<T>(at<T>(x, i)) * <f64>load<T>(at<T>(y, i));
  return sum;
}

/** Σ x[i]·y[i]; relative error ≤ n/32·2⁻²⁴·Σ|x·y| against the twin. */
export function sdot(n: i32, x: usize, y: usize): f64 {
  return dot<f32>(n, x, y);
}
/** Σ x[i]·y[i]. */
export function ddot(n: i32, x: usize, y: usize): f64 {
  return dot<f64>(n, x, y);
}
/** Σ x[i]·y[i] of either precision, eight vectors side by side; see sdot. */
// @ts-ignore: decorator
@inline
export function dot<T>(n: i32, x: usize, y: usize): f64 {
  const step = lanes<T>() * 8; // eight sums: with four, each addition waits for the one before it
  const whole = n - (n % step);
  let a = v128.splat<T>(0);
  let b = v128.splat<T>(0);
  let c = v128.splat<T>(0);
  let d = v128.splat<T>(0);
  let e = v128.splat<T>(0);
  let f = v128.splat<T>(0);
  let g = v128.splat<T>(0);
  let h = v128.splat<T>(0);
  let i = 0;
  for (; i < whole; i += step) {
    const p = at<T>(x, i);
    const q = at<T>(y, i);
    a = madd<T>(v128.load(p, 0), v128.load(q, 0), a);
    b = madd<T>(v128.load(p, 16), v128.load(q, 16), b);
    c = madd<T>(v128.load(p, 32), v128.load(q, 32), c);
    d = madd<T>(v128.load(p, 48), v128.load(q, 48), d);
    e = madd<T>(v128.load(p, 64), v128.load(q, 64), e);
    f = madd<T>(v128.load(p, 80), v128.load(q, 80), f);
    g = madd<T>(v128.load(p, 96), v128.load(q, 96), g);
    h = madd<T>(v128.load(p, 112), v128.load(q, 112), h);
  }
  a = v128.add<T>(v128.add<T>(v128.add<T>(a, b), v128.add<T>(c, d)), v128.add<T>(v128.add<T>(e, f), v128.add<T>(g, h)));
  let sum = <f64>hsum<T>(a);
  for (; i < n; i++) sum += <f64>load<T>(at<T>(x, i)) * <f64>load<T>(at<T>(y, i));
  return sum;
}

/** y += alpha·x. */
export function saxpyRef(n: i32, alpha: f32, x: usize, y: usize): void {
  axpyRef<f32>(n, alpha, x, y);
}
/** y += alpha·x. */
export function daxpyRef(n: i32, alpha: f64, x: usize, y: usize): void {
  axpyRef<f64>(n, alpha, x, y);
}
function axpyRef<T>(n: i32, alpha: T, x: usize, y: usize): void {
  for (let i = 0; i < n; i++) store<T>(at<T>(y, i), load<T>(at<T>(y, i)) + alpha * load<T>(at<T>(x, i)));
}

/** y += alpha·x. No overlap unless x = y. */
export function saxpy(n: i32, alpha: f32, x: usize, y: usize): void {
  axpy<f32>(n, alpha, x, y);
}
/** y += alpha·x. No overlap unless x = y. */
export function daxpy(n: i32, alpha: f64, x: usize, y: usize): void {
  axpy<f64>(n, alpha, x, y);
}
/** y += alpha·x of either precision; see saxpy. */
// @ts-ignore: decorator
@inline
export function axpy<T>(n: i32, alpha: T, x: usize, y: usize): void {
  const step = lanes<T>() * 2;
  const whole = n - (n % step);
  const factor = v128.splat<T>(alpha);
  let i = 0;
  for (; i < whole; i += step) {
    const p = at<T>(x, i);
    const q = at<T>(y, i);
    v128.store(q, madd<T>(factor, v128.load(p), v128.load(q)));
    v128.store(q, madd<T>(factor, v128.load(p, 16), v128.load(q, 16)), 16);
  }
  for (; i < n; i++) store<T>(at<T>(y, i), load<T>(at<T>(y, i)) + alpha * load<T>(at<T>(x, i)));
}

/** √Σ x[i]², accumulated in f64: no overflow for f32, none below 1e154 for f64. */
export function snrm2Ref(n: i32, x: usize): f64 {
  return Math.sqrt(dotRef<f32>(n, x, x));
}
/** √Σ x[i]². */
export function dnrm2Ref(n: i32, x: usize): f64 {
  return Math.sqrt(dotRef<f64>(n, x, x));
}

/** √Σ x[i]²; f32 elements are squared and summed in f64 lanes, so that 1e30 and 1e-30 are as safe as 1. */
export function snrm2(n: i32, x: usize): f64 {
  const whole = n & ~7;
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  let i = 0;
  for (; i < whole; i += 8) {
    const p = at<f32>(x, i);
    const u = f64x2.promote_low_f32x4(v128.load64_zero(p)); // loading halves costs less than shuffling
    const v = f64x2.promote_low_f32x4(v128.load64_zero(p, 8));
    const w = f64x2.promote_low_f32x4(v128.load64_zero(p, 16));
    const z = f64x2.promote_low_f32x4(v128.load64_zero(p, 24));
    a = madd<f64>(u, u, a);
    b = madd<f64>(v, v, b);
    c = madd<f64>(w, w, c);
    d = madd<f64>(z, z, d);
  }
  let sum = hsum<f64>(f64x2.add(f64x2.add(a, b), f64x2.add(c, d)));
  for (; i < n; i++) sum += <f64>load<f32>(at<f32>(x, i)) * <f64>load<f32>(at<f32>(x, i));
  return Math.sqrt(sum);
}
/** √Σ x[i]². */
export function dnrm2(n: i32, x: usize): f64 {
  return Math.sqrt(dot<f64>(n, x, x));
}
