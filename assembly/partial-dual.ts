// Costs in and plan out of progressive partial transport: a virtual column of cost 0 is added, and taken away again.
import { at, lanes } from './lib/lanes';

/**
 * C [rows, width], C[i, j] = base[i] − x[i·stride, j] for j < cols (x itself where base is 0), 0 from there on. `base` is indexed as x's
 * rows. All f32; no overlap.
 */
export function sextendRef(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  extendRef<f32, f32>(C, x, base, stride, rows, cols, width);
}
/** As sextendRef from f64 to f32. */
export function dsextendRef(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  extendRef<f64, f32>(C, x, base, stride, rows, cols, width);
}
/** As sextendRef in f64. */
export function dextendRef(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  extendRef<f64, f64>(C, x, base, stride, rows, cols, width);
}
function extendRef<X, T>(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) {
      let value: X = 0;
      if (j < cols) {
        value = load<X>(at<X>(x, i * stride * cols + j));
        if (base) value = load<X>(at<X>(base, i * stride)) - value;
      }
      store<T>(at<T>(C, i * width + j), <T>value);
    }
  }
}

/** out = x rounded to f32 [n], 0 below `floor`: products of denormal numbers are a hundred times slower. x f64 ≥ 0. */
export function droundRef(out: usize, x: usize, floor: f64, n: i32): void {
  for (let k = 0; k < n; k++) {
    const value = load<f64>(at<f64>(x, k));
    store<f32>(at<f32>(out, k), value > floor ? <f32>value : 0);
  }
}

/**
 * plan [rows, cols] = u_i·K_ij·v_j and slack [rows] (f64) = the same in the column behind them, where width > cols; returns Σ log u_i.
 * K [rows, width], u [rows], v [width], plan f32; no overlap.
 */
export function slabelPlanRef(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32): f64 {
  return labelPlanRef<f32>(plan, slack, K, u, v, rows, cols, width);
}
/** As slabelPlanRef in f64. */
export function dlabelPlanRef(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32): f64 {
  return labelPlanRef<f64>(plan, slack, K, u, v, rows, cols, width);
}
function labelPlanRef<T>(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32): f64 {
  let logs: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const factor = <f64>load<T>(at<T>(u, i));
    logs += NativeMath.log(factor);
    store<f64>(at<f64>(slack, i), 0);
    for (let j = 0; j < width; j++) {
      const entry = factor * <f64>load<T>(at<T>(K, i * width + j)) * <f64>load<T>(at<T>(v, j));
      if (j < cols) store<T>(at<T>(plan, i * cols + j), <T>entry);
      else if (j == cols) store<f64>(at<f64>(slack, i), entry);
    }
  }
  return logs;
}

/** As the twin, exactly. */
export function sextend(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  extend<f32, f32>(C, x, base, stride, rows, cols, width);
}
/** As sextend from f64 to f32. */
export function dsextend(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  extend<f64, f32>(C, x, base, stride, rows, cols, width);
}
/** As sextend in f64. */
export function dextend(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  extend<f64, f64>(C, x, base, stride, rows, cols, width);
}
// @ts-ignore: decorator
@inline
function extend<X, T>(C: usize, x: usize, base: usize, stride: i32, rows: i32, cols: i32, width: i32): void {
  const sign: X = base ? -1 : 1;
  for (let i = 0; i < rows; i++) {
    const from = at<X>(x, i * stride * cols);
    const to = at<T>(C, i * width);
    const shift: X = base ? load<X>(at<X>(base, i * stride)) : 0;
    let j = 0;
    if (sizeof<X>() == sizeof<T>()) {
      const shifts = v128.splat<X>(shift);
      const signs = v128.splat<X>(sign);
      for (; j + lanes<X>() <= cols; j += lanes<X>())
        v128.store(at<T>(to, j), v128.add<X>(shifts, v128.mul<X>(signs, v128.load(at<X>(from, j)))));
    }
    for (; j < cols; j++) store<T>(at<T>(to, j), <T>(shift + sign * load<X>(at<X>(from, j))));
    for (; j < width; j++) store<T>(at<T>(to, j), <T>0);
  }
}

/** As the twin, exactly. */
export function dround(out: usize, x: usize, floor: f64, n: i32): void {
  const whole = n & ~1;
  const least = f64x2.splat(floor);
  for (let k = 0; k < whole; k += 2) {
    const v = v128.load(at<f64>(x, k));
    v128.store64_lane(at<f32>(out, k), f32x4.demote_f64x2_zero(v128.and(v, f64x2.gt(v, least))), 0);
  }
  if (whole < n) {
    const last = load<f64>(at<f64>(x, whole));
    store<f32>(at<f32>(out, whole), last > floor ? <f32>last : 0);
  }
}

/** As the twin; relative error ≤ 2⁻²³ in f32. */
export function slabelPlan(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32): f64 {
  return labelPlan<f32>(plan, slack, K, u, v, rows, cols, width);
}
/** As slabelPlan in f64. */
export function dlabelPlan(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32): f64 {
  return labelPlan<f64>(plan, slack, K, u, v, rows, cols, width);
}
// @ts-ignore: decorator
@inline
function labelPlan<T>(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32): f64 {
  let logs: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const row = at<T>(K, i * width);
    const to = at<T>(plan, i * cols);
    const factor = load<T>(at<T>(u, i));
    const factors = v128.splat<T>(factor);
    logs += NativeMath.log(<f64>factor);
    let j = 0;
    for (; j + lanes<T>() <= cols; j += lanes<T>())
      v128.store(at<T>(to, j), v128.mul<T>(v128.mul<T>(factors, v128.load(at<T>(row, j))), v128.load(at<T>(v, j))));
    for (; j < cols; j++) store<T>(at<T>(to, j), factor * load<T>(at<T>(row, j)) * load<T>(at<T>(v, j)));
    store<f64>(at<f64>(slack, i), width > cols ? <f64>factor * <f64>load<T>(at<T>(row, cols)) * <f64>load<T>(at<T>(v, cols)) : 0);
  }
  return logs;
}
