// Progressive partial transport between kernel matrix and plan: single-precision shares for Newton's steps, and the plan itself.
import { at, lanes } from './lib/lanes';

/** out (f32) = rows·u_i·K_ij·v_j, 0 below `floor`: products of denormal numbers are a hundred times slower. K [rows, pitch], u, v f64 ≥ 0. */
export function dsharesRef(out: usize, K: usize, u: usize, v: usize, floor: f64, rows: i32, pitch: i32): void {
  for (let i = 0; i < rows; i++) {
    const factor = <f64>rows * load<f64>(at<f64>(u, i));
    for (let j = 0; j < pitch; j++) {
      const share = factor * load<f64>(at<f64>(K, i * pitch + j)) * load<f64>(at<f64>(v, j));
      store<f32>(at<f32>(out, i * pitch + j), share > floor ? <f32>share : 0);
    }
  }
}

/**
 * plan [rows, cols] = u_i·K_ij·v_j and slack [rows] (f64) = the same in the column behind them, where width > cols; returns Σ log u_i.
 * K [rows, pitch], u [rows], v [pitch], plan f32; no overlap.
 */
export function slabelPlanRef(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32, pitch: i32): f64 {
  return labelPlanRef<f32>(plan, slack, K, u, v, rows, cols, width, pitch);
}
/** As slabelPlanRef in f64. */
export function dlabelPlanRef(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32, pitch: i32): f64 {
  return labelPlanRef<f64>(plan, slack, K, u, v, rows, cols, width, pitch);
}
function labelPlanRef<T>(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32, pitch: i32): f64 {
  let logs: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const factor = <f64>load<T>(at<T>(u, i));
    logs += NativeMath.log(factor);
    store<f64>(at<f64>(slack, i), 0);
    for (let j = 0; j < width; j++) {
      const entry = factor * <f64>load<T>(at<T>(K, i * pitch + j)) * <f64>load<T>(at<T>(v, j));
      if (j < cols) store<T>(at<T>(plan, i * cols + j), <T>entry);
      else if (j == cols) store<f64>(at<f64>(slack, i), entry);
    }
  }
  return logs;
}

/** As the twin; relative error ≤ 2⁻²⁴ more. pitch is a multiple of 4. */
export function dshares(out: usize, K: usize, u: usize, v: usize, floor: f64, rows: i32, pitch: i32): void {
  const least = f64x2.splat(floor);
  for (let i = 0; i < rows; i++) {
    const factor = f64x2.splat(<f64>rows * load<f64>(at<f64>(u, i)));
    const row = at<f64>(K, i * pitch);
    const to = at<f32>(out, i * pitch);
    for (let j = 0; j < pitch; j += 4) {
      const low = f64x2.mul(f64x2.mul(factor, v128.load(at<f64>(row, j))), v128.load(at<f64>(v, j)));
      const high = f64x2.mul(f64x2.mul(factor, v128.load(at<f64>(row, j), 16)), v128.load(at<f64>(v, j), 16));
      const narrow = f32x4.demote_f64x2_zero(v128.and(low, f64x2.gt(low, least)));
      const upper = f32x4.demote_f64x2_zero(v128.and(high, f64x2.gt(high, least)));
      v128.store(at<f32>(to, j), i32x4.shuffle(narrow, upper, 0, 1, 4, 5));
    }
  }
}

/** As the twin; relative error ≤ 2⁻²³ in f32. */
export function slabelPlan(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32, pitch: i32): f64 {
  return labelPlan<f32>(plan, slack, K, u, v, rows, cols, width, pitch);
}
/** As slabelPlan in f64. */
export function dlabelPlan(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32, pitch: i32): f64 {
  return labelPlan<f64>(plan, slack, K, u, v, rows, cols, width, pitch);
}
// @ts-ignore: decorator
@inline
function labelPlan<T>(plan: usize, slack: usize, K: usize, u: usize, v: usize, rows: i32, cols: i32, width: i32, pitch: i32): f64 {
  let logs: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const row = at<T>(K, i * pitch);
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
