// Ground costs between two point sets, by differences (a product form would cancel for near points).
import { at, lanes, madd } from './lib/lanes';

/**
 * C[i,j] = factor·|x_i − y_j|², or factor·|x_i − y_j| with root ≠ 0. C [rows, cols] out; x [rows, d] row-major, yt [d, cols] (the points
 * transposed); no overlap; d ≥ 1.
 */
export function scostRef(C: usize, x: usize, yt: usize, factor: f64, root: i32, rows: i32, cols: i32, d: i32): void {
  costRef<f32>(C, x, yt, factor, root, rows, cols, d);
}
/** As scostRef, in f64. */
export function dcostRef(C: usize, x: usize, yt: usize, factor: f64, root: i32, rows: i32, cols: i32, d: i32): void {
  costRef<f64>(C, x, yt, factor, root, rows, cols, d);
}
function costRef<T>(C: usize, x: usize, yt: usize, factor: f64, root: i32, rows: i32, cols: i32, d: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) store<T>(at<T>(C, i * cols + j), one<T>(x, yt, factor, root, i, j, cols, d));
  }
}
// @ts-ignore: decorator
@inline
function one<T>(x: usize, yt: usize, factor: f64, root: i32, i: i32, j: i32, cols: i32, d: i32): T {
  let sum: T = 0;
  for (let k = 0; k < d; k++) {
    const difference = load<T>(at<T>(x, i * d + k)) - load<T>(at<T>(yt, k * cols + j));
    sum += difference * difference;
  }
  return <T>factor * (root ? sqrt<T>(sum) : sum);
}

/** As the twin; relative error ≤ (d + 2)·2⁻²⁴. */
export function scost(C: usize, x: usize, yt: usize, factor: f64, root: i32, rows: i32, cols: i32, d: i32): void {
  cost<f32>(C, x, yt, factor, root, rows, cols, d);
}
/** As scost, in f64. */
export function dcost(C: usize, x: usize, yt: usize, factor: f64, root: i32, rows: i32, cols: i32, d: i32): void {
  cost<f64>(C, x, yt, factor, root, rows, cols, d);
}
// @ts-ignore: decorator
@inline
function cost<T>(C: usize, x: usize, yt: usize, factor: f64, root: i32, rows: i32, cols: i32, d: i32): void {
  const step = 2 * lanes<T>();
  const whole = cols - (cols % step);
  const pitch = (<usize>cols) << alignof<T>();
  const width = (<usize>d) << alignof<T>();
  const times = v128.splat<T>(<T>factor);
  const even = rows & ~1;
  for (let j = 0; j < whole; j += step) {
    for (let i = 0; i < even; i += 2) {
      let a = v128.splat<T>(0);
      let b = v128.splat<T>(0);
      let c = v128.splat<T>(0);
      let e = v128.splat<T>(0);
      let p = at<T>(x, i * d);
      let q = at<T>(yt, j);
      for (let k = 0; k < d; k++) {
        const u = v128.splat<T>(load<T>(p));
        const v = v128.splat<T>(load<T>(p + width));
        const y = v128.load(q);
        const z = v128.load(q, 16);
        const uy = v128.sub<T>(u, y);
        const uz = v128.sub<T>(u, z);
        const vy = v128.sub<T>(v, y);
        const vz = v128.sub<T>(v, z);
        a = madd<T>(uy, uy, a);
        b = madd<T>(uz, uz, b);
        c = madd<T>(vy, vy, c);
        e = madd<T>(vz, vz, e);
        p += sizeof<T>();
        q += pitch;
      }
      if (root) {
        a = v128.sqrt<T>(a);
        b = v128.sqrt<T>(b);
        c = v128.sqrt<T>(c);
        e = v128.sqrt<T>(e);
      }
      const to = at<T>(C, i * cols + j);
      v128.store(to, v128.mul<T>(a, times));
      v128.store(to, v128.mul<T>(b, times), 16);
      v128.store(to + pitch, v128.mul<T>(c, times));
      v128.store(to + pitch, v128.mul<T>(e, times), 16);
    }
  }
  for (let i = 0; i < rows; i++) {
    for (let j = i < even ? whole : 0; j < cols; j++) store<T>(at<T>(C, i * cols + j), one<T>(x, yt, factor, root, i, j, cols, d));
  }
}
