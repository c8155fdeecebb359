// Between potentials and kernel matrices: F = f/ε + log a, G = g/ε + log b (both f64), P = exp(F_i + G_j − C_ij/ε).
// Exponents are formed in f64 whatever the cost's precision: at ε = 1e-4 an f32 difference would lose three digits of the plan.
import { exp4 } from './lib/exp';
import { at, hmax, lanes } from './lib/lanes';
import { exponents4, lowest, plan1, plan2 } from './lib/plan-entry';

/** K[i,j] = exp(F[i] + G[j] − C[i,j]·scale), 0 below the lowest exponent: C and K f32. K may be C. */
export function sgibbsRef(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  gibbsRef<f32, f32>(K, F, G, C, scale, rows, cols);
}
/** As sgibbsRef with C f32 and K f64; K is not C. */
export function sdgibbsRef(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  gibbsRef<f32, f64>(K, F, G, C, scale, rows, cols);
}
/** As sgibbsRef with C and K f64. */
export function dgibbsRef(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  gibbsRef<f64, f64>(K, F, G, C, scale, rows, cols);
}
function gibbsRef<C_, K_>(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      const k = i * cols + j;
      const exponent = load<f64>(at<f64>(F, i)) + load<f64>(at<f64>(G, j)) - <f64>load<C_>(at<C_>(C, k)) * scale;
      store<K_>(at<K_>(K, k), exponent < lowest<K_>() ? 0 : <K_>NativeMath.exp(exponent));
    }
  }
}

/**
 * F[i] = −max_j (G[j] − C[i,j]·scale), then top[j] = max_i (F[i] + G[j] − C[i,j]·scale) ≤ 0 up to rounding: with these F every row of the
 * kernel matrix has an entry 1, and top tells the columns that have none. F, G, top f64; line [2·cols] of C's precision is scratch.
 */
export function stightenRef(F: usize, top: usize, G: usize, C: usize, _line: usize, scale: f64, rows: i32, cols: i32): void {
  tightenRef<f32>(F, top, G, C, scale, rows, cols);
}
/** As stightenRef for C f64. */
export function dtightenRef(F: usize, top: usize, G: usize, C: usize, _line: usize, scale: f64, rows: i32, cols: i32): void {
  tightenRef<f64>(F, top, G, C, scale, rows, cols);
}
function tightenRef<T>(F: usize, top: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  for (let j = 0; j < cols; j++) store<f64>(at<f64>(top, j), -Infinity);
  for (let i = 0; i < rows; i++) {
    let most = -Infinity;
    for (let j = 0; j < cols; j++) most = max<f64>(most, load<f64>(at<f64>(G, j)) - <f64>load<T>(at<T>(C, i * cols + j)) * scale);
    store<f64>(at<f64>(F, i), -most);
    for (let j = 0; j < cols; j++) {
      const value = load<f64>(at<f64>(G, j)) - <f64>load<T>(at<T>(C, i * cols + j)) * scale - most;
      store<f64>(at<f64>(top, j), max<f64>(load<f64>(at<f64>(top, j)), value));
    }
  }
}

/** stightenRef, then sgibbsRef with its F. K is not C. */
export function sliftRef(K: usize, F: usize, top: usize, G: usize, C: usize, line: usize, scale: f64, rows: i32, cols: i32): void {
  stightenRef(F, top, G, C, line, scale, rows, cols);
  sgibbsRef(K, F, G, C, scale, rows, cols);
}

/** As the twin; relative error ≤ 2e-7 (f32), ≤ 4e-16·(1 + |exponent|) (f64). */
export function sgibbs(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  const factor = f64x2.splat(scale);
  const whole = cols & ~3;
  for (let i = 0; i < rows; i++) {
    const f = load<f64>(at<f64>(F, i));
    const base = f64x2.splat(f);
    const from = at<f32>(C, i * cols);
    const to = at<f32>(K, i * cols);
    let j = 0;
    for (; j < whole; j += 4) {
      const exponents = exponents4(base, at<f64>(G, j), v128.load(at<f32>(from, j)), factor);
      v128.store(at<f32>(to, j), v128.and(exp4(exponents), f32x4.ge(exponents, f32x4.splat(<f32>lowest<f32>()))));
    }
    for (; j < cols; j++) {
      const exponent = <f32>(f + load<f64>(at<f64>(G, j)) - <f64>load<f32>(at<f32>(from, j)) * scale);
      store<f32>(at<f32>(to, j), exponent < <f32>lowest<f32>() ? 0 : f32x4.extract_lane(exp4(f32x4.splat(exponent)), 0));
    }
  }
}
/** As sgibbs with C f32 and K f64. */
export function sdgibbs(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  gibbs64<f32>(K, F, G, C, scale, rows, cols);
}
/** As sgibbs with C and K f64. */
export function dgibbs(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  gibbs64<f64>(K, F, G, C, scale, rows, cols);
}
// @ts-ignore: decorator
@inline
function gibbs64<T>(K: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): void {
  const factor = f64x2.splat(scale);
  const whole = cols & ~1;
  for (let i = 0; i < rows; i++) {
    const base = f64x2.splat(load<f64>(at<f64>(F, i)));
    const from = at<T>(C, i * cols);
    const to = at<f64>(K, i * cols);
    for (let j = 0; j < whole; j += 2) {
      v128.store(at<f64>(to, j), plan2<T>(base, G, from, factor, j));
    }
    if (whole < cols) store<f64>(at<f64>(to, whole), plan1<T>(base, G, from, scale, whole));
  }
}
/** As the twin, rounded to the precision of C: only the size of the scalings depends on it. */
export function stighten(F: usize, top: usize, G: usize, C: usize, line: usize, scale: f64, rows: i32, cols: i32): void {
  tighten<f32>(F, top, G, C, line, scale, rows, cols);
}
/** As stighten for C f64. */
export function dtighten(F: usize, top: usize, G: usize, C: usize, line: usize, scale: f64, rows: i32, cols: i32): void {
  tighten<f64>(F, top, G, C, line, scale, rows, cols);
}
// @ts-ignore: decorator
@inline
function tighten<T>(F: usize, top: usize, G: usize, C: usize, line: usize, scale: f64, rows: i32, cols: i32): void {
  const whole = cols - (cols % lanes<T>());
  const end = at<T>(0, whole);
  const most = at<T>(line, cols);
  const factor = v128.splat<T>(<T>scale);
  for (let j = 0; j < cols; j++) {
    store<T>(at<T>(line, j), <T>load<f64>(at<f64>(G, j)));
    store<T>(at<T>(most, j), <T>-Infinity);
  }
  for (let i = 0; i < rows; i++) {
    const row = at<T>(C, i * cols);
    let tops = v128.splat<T>(<T>-Infinity);
    for (let j: usize = 0; j < end; j += 16) tops = v128.pmax<T>(tops, v128.sub<T>(v128.load(line + j), v128.mul<T>(v128.load(row + j), factor)));
    let peak = hmax<T>(tops);
    for (let j = whole; j < cols; j++) peak = max<T>(peak, load<T>(at<T>(line, j)) - load<T>(at<T>(row, j)) * <T>scale);
    store<f64>(at<f64>(F, i), -<f64>peak);
    const shift = v128.splat<T>(peak);
    for (let j: usize = 0; j < end; j += 16) {
      const value = v128.sub<T>(v128.sub<T>(v128.load(line + j), v128.mul<T>(v128.load(row + j), factor)), shift);
      v128.store(most + j, v128.pmax<T>(v128.load(most + j), value));
    }
    for (let j = whole; j < cols; j++) {
      const value = load<T>(at<T>(line, j)) - load<T>(at<T>(row, j)) * <T>scale - peak;
      store<T>(at<T>(most, j), max<T>(load<T>(at<T>(most, j)), value));
    }
  }
  for (let j = 0; j < cols; j++) store<f64>(at<f64>(top, j), <f64>load<T>(at<T>(most, j)));
}

/** As the twin, each row of C read twice while it is in the first-level cache. */
export function slift(K: usize, F: usize, top: usize, G: usize, C: usize, line: usize, scale: f64, rows: i32, cols: i32): void {
  const factor = f64x2.splat(scale);
  const single = f32x4.splat(<f32>scale);
  const floor = f32x4.splat(<f32>lowest<f32>());
  const whole = cols & ~3;
  const most = at<f32>(line, cols);
  for (let j = 0; j < cols; j++) {
    store<f32>(at<f32>(line, j), <f32>load<f64>(at<f64>(G, j)));
    store<f32>(at<f32>(most, j), -Infinity);
  }
  for (let i = 0; i < rows; i++) {
    const from = at<f32>(C, i * cols);
    const to = at<f32>(K, i * cols);
    let tops = f32x4.splat(-Infinity);
    let j = 0;
    for (; j < whole; j += 4) tops = f32x4.pmax(tops, f32x4.sub(v128.load(at<f32>(line, j)), f32x4.mul(v128.load(at<f32>(from, j)), single)));
    let peak = hmax<f32>(tops);
    for (; j < cols; j++) peak = max<f32>(peak, load<f32>(at<f32>(line, j)) - load<f32>(at<f32>(from, j)) * <f32>scale);
    const f = -<f64>peak;
    const base = f64x2.splat(f);
    store<f64>(at<f64>(F, i), f);
    for (j = 0; j < whole; j += 4) {
      const exponents = exponents4(base, at<f64>(G, j), v128.load(at<f32>(from, j)), factor);
      v128.store(at<f32>(to, j), v128.and(exp4(exponents), f32x4.ge(exponents, floor)));
      v128.store(at<f32>(most, j), f32x4.pmax(v128.load(at<f32>(most, j)), exponents));
    }
    for (; j < cols; j++) {
      const exponent = <f32>(f + load<f64>(at<f64>(G, j)) - <f64>load<f32>(at<f32>(from, j)) * scale);
      store<f32>(at<f32>(to, j), exponent < <f32>lowest<f32>() ? 0 : f32x4.extract_lane(exp4(f32x4.splat(exponent)), 0));
      store<f32>(at<f32>(most, j), max<f32>(load<f32>(at<f32>(most, j)), exponent));
    }
  }
  for (let j = 0; j < cols; j++) store<f64>(at<f64>(top, j), <f64>load<f32>(at<f32>(most, j)));
}
