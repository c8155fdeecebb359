// Sinkhorn on scalings u, v of a kernel matrix K (Cuturi 2013, arXiv:1306.0895), one read of K per full iteration (lib/scaling-sweep).
import { at } from './lib/lanes';
import { COLUMN_ERROR, ROW_ERROR } from './lib/marginal';
import { begin, CAPPED, finished, GRAM, HARD, scaleRow, SOFT } from './lib/scaling-row';
import { scaleColumns, sweep } from './lib/scaling-sweep';

/**
 * `count` iterations u = a/(K v), v = b/(Kᵀ u); stops early once row plus column error ≤ tolerance, a scaling leaves
 * [1/limit, limit], or a sum is unusable. Returns the iterations done. stats as in lib/marginal, of the last one.
 * u [rows], v [cols], acc [cols] scratch, K [rows, cols] row-major, a [rows], b [cols]; no overlap; rows, cols ≥ 1.
 */
export function sscalingRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f32>(HARD, count, tolerance, limit, u, v, acc, K, a, b, 0, 0, 0, 0, 1, 1, 1, stats, rows, cols);
}
/** As sscalingRef, in f64. */
export function dscalingRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f64>(HARD, count, tolerance, limit, u, v, acc, K, a, b, 0, 0, 0, 0, 1, 1, 1, stats, rows, cols);
}
/** As sscalingRef with over-relaxation omega and exponents kappa; lu, lv (f64) are the logarithms of u, v; shifts (f64) as in relaxedLog. */
export function sscalingSoftRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f32>(SOFT, count, tolerance, limit, u, v, acc, K, a, b, lu, lv, shiftU, shiftV, kappaU, kappaV, omega, stats, rows, cols);
}
/** As sscalingSoftRef, in f64. */
export function dscalingSoftRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f64>(SOFT, count, tolerance, limit, u, v, acc, K, a, b, lu, lv, shiftU, shiftV, kappaU, kappaV, omega, stats, rows, cols);
}
/** y = Kᵀ diag(w) K p: y [cols] out; K [rows, cols], p [cols], w [rows], product [rows] scratch; no overlap. */
export function sgramvRef(y: usize, K: usize, p: usize, w: usize, _product: usize, rows: i32, cols: i32): void {
  gramvRef<f32>(y, K, p, w, rows, cols);
}
/** As sgramvRef, in f64. */
export function dgramvRef(y: usize, K: usize, p: usize, w: usize, _product: usize, rows: i32, cols: i32): void {
  gramvRef<f64>(y, K, p, w, rows, cols);
}

/**
 * Half an iteration with bounds: u = min(cap, a/(K v)) (cap f64 [rows], may be ∞), acc = Kᵀu; ROW_ERROR is Σ |u_old − u|·(K v). A row
 * without support takes its cap, or keeps its scaling where that is infinite.
 */
export function scappedRef(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  cappedRef<f32>(u, v, acc, K, a, cap, stats, rows, cols);
}
/** As scappedRef, in f64. */
export function dcappedRef(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  cappedRef<f64>(u, v, acc, K, a, cap, stats, rows, cols);
}
function cappedRef<T>(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  begin(stats);
  for (let i = 0; i < rows; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < cols; j++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(v, j));
    scaleRow<T>(CAPPED, i, <T>sum, u, a, 0, cap, 1, 1, stats, ROW_ERROR);
  }
  for (let j = 0; j < cols; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < rows; i++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(u, i));
    store<T>(at<T>(acc, j), <T>sum);
  }
}

function gramvRef<T>(y: usize, K: usize, p: usize, w: usize, rows: i32, cols: i32): void {
  for (let j = 0; j < cols; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < rows; i++) {
      let s: f64 = 0;
      for (let k = 0; k < cols; k++) s += <f64>load<T>(at<T>(K, i * cols + k)) * <f64>load<T>(at<T>(p, k));
      sum += <f64>load<T>(at<T>(w, i)) * s * <f64>load<T>(at<T>(K, i * cols + j));
    }
    store<T>(at<T>(y, j), <T>sum);
  }
}

function iterateRef<T>(
  rule: i32, count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    for (let i = 0; i < rows; i++) {
      let sum: f64 = 0;
      for (let j = 0; j < cols; j++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(v, j));
      scaleRow<T>(rule, i, <T>sum, u, a, lu, shiftU, kappaU, omega, stats, ROW_ERROR);
    }
    for (let j = 0; j < cols; j++) {
      let sum: f64 = 0;
      for (let i = 0; i < rows; i++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(u, i));
      scaleRow<T>(rule, j, <T>sum, v, b, lv, shiftV, kappaV, omega, stats, COLUMN_ERROR);
    }
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}

/** As the twin; relative error of every sum ≤ (cols/4 + rows)·2⁻²⁴ in f32. */
export function sscaling(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f32>(HARD, u, v, acc, K, a, 0, 0, 1, 1, stats, rows, cols);
    scaleColumns<f32>(v, acc, b, stats, cols);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As sscaling, in f64. */
export function dscaling(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f64>(HARD, u, v, acc, K, a, 0, 0, 1, 1, stats, rows, cols);
    scaleColumns<f64>(v, acc, b, stats, cols);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As the twin; the logarithms are taken one row at a time, hidden behind the stream of K. */
export function sscalingSoft(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f32>(SOFT, u, v, acc, K, a, lu, shiftU, kappaU, omega, stats, rows, cols);
    for (let j = 0; j < cols; j++) scaleRow<f32>(SOFT, j, load<f32>(at<f32>(acc, j)), v, b, lv, shiftV, kappaV, omega, stats, COLUMN_ERROR);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As sscalingSoft, in f64. */
export function dscalingSoft(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f64>(SOFT, u, v, acc, K, a, lu, shiftU, kappaU, omega, stats, rows, cols);
    for (let j = 0; j < cols; j++) scaleRow<f64>(SOFT, j, load<f64>(at<f64>(acc, j)), v, b, lv, shiftV, kappaV, omega, stats, COLUMN_ERROR);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As the twin, in one read of K. */
export function scapped(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  begin(stats);
  sweep<f32>(CAPPED, u, v, acc, K, a, 0, cap, 1, 1, stats, rows, cols);
}
/** As scapped, in f64. */
export function dcapped(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  begin(stats);
  sweep<f64>(CAPPED, u, v, acc, K, a, 0, cap, 1, 1, stats, rows, cols);
}
/** y = Kᵀ diag(w) K p in one read of K; `product` [rows] is scratch. */
export function sgramv(y: usize, K: usize, p: usize, w: usize, product: usize, rows: i32, cols: i32): void {
  sweep<f32>(GRAM, product, p, y, K, w, 0, 0, 1, 1, 0, rows, cols);
}
/** As sgramv, in f64. */
export function dgramv(y: usize, K: usize, p: usize, w: usize, product: usize, rows: i32, cols: i32): void {
  sweep<f64>(GRAM, product, p, y, K, w, 0, 0, 1, 1, 0, rows, cols);
}
