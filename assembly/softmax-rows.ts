// Softmax and log-sum-exp over the rows of a matrix. Rows are shifted by their largest element, so nothing overflows.
import { exp1, vexp } from './lib/exp';
import { at, hsum, lanes } from './lib/lanes';
import { largest, logSumExp } from './lib/log-sum-exp';

/** out[i, j] = e^x[i, j] / Σ_j e^x[i, j]. */
export function ssoftmaxRowsRef(out: usize, x: usize, rows: i32, cols: i32): void {
  softmaxRef<f32>(out, x, rows, cols);
}
/** out[i, j] = e^x[i, j] / Σ_j e^x[i, j]. */
export function dsoftmaxRowsRef(out: usize, x: usize, rows: i32, cols: i32): void {
  softmaxRef<f64>(out, x, rows, cols);
}
function softmaxRef<T>(out: usize, x: usize, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; i++) {
    const row = at<T>(x, i * cols);
    const top = largestRef<T>(row, cols);
    const sum = sumRef<T>(row, cols, top);
    for (let j = 0; j < cols; j++) store<T>(at<T>(out, i * cols + j), <T>(NativeMath.exp(<f64>load<T>(at<T>(row, j)) - top) / sum));
  }
}

/** out[i] = log Σ_j e^x[i, j]. */
export function slogSumExpRowsRef(out: usize, x: usize, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; i++) store<f32>(at<f32>(out, i), <f32>logSumExpRef<f32>(at<f32>(x, i * cols), cols));
}
/** out[i] = log Σ_j e^x[i, j]. */
export function dlogSumExpRowsRef(out: usize, x: usize, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; i++) store<f64>(at<f64>(out, i), logSumExpRef<f64>(at<f64>(x, i * cols), cols));
}
function logSumExpRef<T>(row: usize, cols: i32): f64 {
  const top = largestRef<T>(row, cols);
  return top == -Infinity || top == Infinity ? top : top + NativeMath.log(sumRef<T>(row, cols, top));
}
function largestRef<T>(row: usize, cols: i32): f64 {
  let top: f64 = -Infinity;
  for (let j = 0; j < cols; j++) top = max(top, <f64>load<T>(at<T>(row, j)));
  return top;
}
function sumRef<T>(row: usize, cols: i32, top: f64): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < cols; j++) sum += NativeMath.exp(<f64>load<T>(at<T>(row, j)) - top);
  return sum;
}

/**
 * out [rows, cols] = softmax of each row of x; out may be x. A row that is all −∞, or holds NaN or +∞, gives NaN. cols ≥ 1.
 * Relative error ≤ (8 + cols/8)·2⁻²⁴ against the twin.
 */
export function ssoftmaxRows(out: usize, x: usize, rows: i32, cols: i32): void {
  softmax<f32>(out, x, rows, cols);
}
/** As ssoftmaxRows in f64. */
export function dsoftmaxRows(out: usize, x: usize, rows: i32, cols: i32): void {
  softmax<f64>(out, x, rows, cols);
}
// @ts-ignore: decorator
@inline
function softmax<T>(out: usize, x: usize, rows: i32, cols: i32): void {
  const whole = cols - (cols % lanes<T>());
  for (let i = 0; i < rows; i++) {
    const from = at<T>(x, i * cols);
    const to = at<T>(out, i * cols);
    const top = largest<T>(from, cols);
    const shift = v128.splat<T>(top);
    let sums = v128.splat<T>(0);
    let j = 0;
    for (; j < whole; j += lanes<T>()) {
      const e = vexp<T>(v128.sub<T>(v128.load(at<T>(from, j)), shift));
      v128.store(at<T>(to, j), e);
      sums = v128.add<T>(sums, e);
    }
    let sum = hsum<T>(sums);
    for (; j < cols; j++) {
      const e = exp1<T>(load<T>(at<T>(from, j)) - top);
      store<T>(at<T>(to, j), e);
      sum += e;
    }
    const inverse: T = 1 / sum;
    const factor = v128.splat<T>(inverse);
    for (j = 0; j < whole; j += lanes<T>()) v128.store(at<T>(to, j), v128.mul<T>(factor, v128.load(at<T>(to, j))));
    for (; j < cols; j++) store<T>(at<T>(to, j), inverse * load<T>(at<T>(to, j)));
  }
}

/** out [rows] = log Σ_j e^x[i, j]; −∞ for a row that is all −∞, +∞ for one that holds +∞, NaN for one that holds NaN. cols ≥ 1. */
export function slogSumExpRows(out: usize, x: usize, rows: i32, cols: i32): void {
  logSumExpRows<f32>(out, x, rows, cols);
}
/** As slogSumExpRows in f64. */
export function dlogSumExpRows(out: usize, x: usize, rows: i32, cols: i32): void {
  logSumExpRows<f64>(out, x, rows, cols);
}
// @ts-ignore: decorator
@inline
function logSumExpRows<T>(out: usize, x: usize, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; i++) store<T>(at<T>(out, i), <T>logSumExp<T>(at<T>(x, i * cols), cols));
}
