// The kernel matrix of partial transport straight from logits or costs, in one read of them; its virtual column costs 0.
import { exp1, expPair, vexp } from './lib/exp';
import { at, hmax, hsum, lanes } from './lib/lanes';
import { exponents4, lowest, pair } from './lib/plan-entry';
import { logSumExp } from './lib/log-sum-exp';

/**
 * K [rows, pitch], K[i, j] = exp(F[i] + G[j] − C[i, j]·|scale|), 0 below the lowest exponent; a column of C = 0 at `cols` where width > cols,
 * K = 0 from `width` on. C = base − x with base = log Σ_j e^x, written unless `known`, and scale = 1/ε; or, where base is 0, C = x and
 * scale = −1/ε. x [·, cols] is read every `stride` rows. F [rows]: every row's largest exponent is 0; top [pitch], where it is not 0: the
 * largest exponent of each column. base, F, G [pitch], top are f64. No overlap.
 */
export function slabelKernelRef(
  K: usize, F: usize, top: usize, base: usize, x: usize, G: usize, scale: f64, known: i32, stride: i32, rows: i32, cols: i32,
  width: i32, pitch: i32,
): void {
  labelKernelRef<f32>(K, F, top, base, x, G, scale, known, stride, rows, cols, width, pitch);
}
/** As slabelKernelRef in f64. */
export function dlabelKernelRef(
  K: usize, F: usize, top: usize, base: usize, x: usize, G: usize, scale: f64, known: i32, stride: i32, rows: i32, cols: i32,
  width: i32, pitch: i32,
): void {
  labelKernelRef<f64>(K, F, top, base, x, G, scale, known, stride, rows, cols, width, pitch);
}
function labelKernelRef<T>(
  K: usize, F: usize, top: usize, base: usize, x: usize, G: usize, scale: f64, known: i32, stride: i32, rows: i32, cols: i32, width: i32,
  pitch: i32,
): void {
  if (top) for (let j = 0; j < pitch; j++) store<f64>(at<f64>(top, j), -Infinity);
  for (let i = 0; i < rows; i++) {
    const from = at<T>(x, i * stride * cols);
    let most: f64 = -Infinity;
    for (let j = 0; j < cols; j++) most = max<f64>(most, <f64>load<T>(at<T>(from, j)));
    if (base && !known) {
      let sum: f64 = 0;
      for (let j = 0; j < cols; j++) sum += NativeMath.exp(<f64>load<T>(at<T>(from, j)) - most);
      store<f64>(at<f64>(base, i), most + NativeMath.log(sum));
    }
    const level = base ? load<f64>(at<f64>(base, i)) * abs(scale) : 0;
    let peak: f64 = -Infinity;
    for (let j = 0; j < width; j++) peak = max<f64>(peak, exponentRef<T>(from, G, level, scale, cols, j));
    store<f64>(at<f64>(F, i), level - peak);
    for (let j = 0; j < pitch; j++) {
      const exponent = j < width ? exponentRef<T>(from, G, level, scale, cols, j) - peak : -Infinity;
      store<T>(at<T>(K, i * pitch + j), exponent < lowest<T>() ? 0 : <T>NativeMath.exp(exponent));
      if (top) store<f64>(at<f64>(top, j), max<f64>(load<f64>(at<f64>(top, j)), exponent));
    }
  }
}
function exponentRef<T>(from: usize, G: usize, level: f64, scale: f64, cols: i32, j: i32): f64 {
  return load<f64>(at<f64>(G, j)) + (j < cols ? <f64>load<T>(at<T>(from, j)) * scale : level);
}

/**
 * The same in f64 with G = 0 and one shift for all rows: F[i] = scale·(base[i] − high), high ≥ x, where (high − x)·scale stays far inside
 * the range of exponentials. `power` is scale where that is an integer to take powers by, else 0.
 */
export function dflatKernelRef(
  K: usize, F: usize, base: usize, x: usize, high: f64, scale: f64, _power: i32, stride: i32, rows: i32, cols: i32, width: i32, pitch: i32,
): void {
  for (let i = 0; i < rows; i++) {
    const from = at<f64>(x, i * stride * cols);
    let sum: f64 = 0;
    for (let j = 0; j < cols; j++) sum += NativeMath.exp(load<f64>(at<f64>(from, j)) - high);
    const level = NativeMath.log(sum);
    store<f64>(at<f64>(base, i), high + level);
    store<f64>(at<f64>(F, i), scale * level);
    for (let j = 0; j < pitch; j++) {
      const exponent = j < cols ? load<f64>(at<f64>(from, j)) - high : j < width ? level : -Infinity;
      store<f64>(at<f64>(K, i * pitch + j), NativeMath.exp(exponent * scale));
    }
  }
}

/** As the twin; relative error ≤ 3e-7 (f32), ≤ 4e-16·(1 + |exponent|) (f64). */
export function slabelKernel(
  K: usize, F: usize, top: usize, base: usize, x: usize, G: usize, scale: f64, known: i32, stride: i32, rows: i32, cols: i32, width: i32,
  pitch: i32,
): void {
  labelKernel<f32>(K, F, top, base, x, G, scale, known, stride, rows, cols, width, pitch);
}
/** As slabelKernel in f64. */
export function dlabelKernel(
  K: usize, F: usize, top: usize, base: usize, x: usize, G: usize, scale: f64, known: i32, stride: i32, rows: i32, cols: i32, width: i32,
  pitch: i32,
): void {
  labelKernel<f64>(K, F, top, base, x, G, scale, known, stride, rows, cols, width, pitch);
}
// @ts-ignore: decorator
@inline
function labelKernel<T>(
  K: usize, F: usize, top: usize, base: usize, x: usize, G: usize, scale: f64, known: i32, stride: i32, rows: i32, cols: i32, width: i32,
  pitch: i32,
): void {
  if (top) for (let j = 0; j < pitch; j++) store<f64>(at<f64>(top, j), -Infinity);
  for (let i = 0; i < rows; i++) {
    const from = at<T>(x, i * stride * cols);
    const to = at<T>(K, i * pitch);
    if (base && !known) store<f64>(at<f64>(base, i), logSumExp<T>(from, cols));
    const level = base ? load<f64>(at<f64>(base, i)) * abs(scale) : 0;
    let peak = largestExponent<T>(from, G, scale, cols);
    if (width > cols) peak = max<f64>(peak, level + load<f64>(at<f64>(G, cols)));
    store<f64>(at<f64>(F, i), level - peak);
    exponentials<T>(to, top, from, G, peak, scale, cols);
    for (let j = cols; j < pitch; j++) store<T>(at<T>(to, j), 0);
    if (width > cols) entry<T>(to, top, level + load<f64>(at<f64>(G, cols)) - peak, cols);
  }
}

/** max_j (G[j] + x[j]·scale), two chains of comparisons at a time. */
// @ts-ignore: decorator
@inline
function largestExponent<T>(x: usize, G: usize, scale: f64, n: i32): f64 {
  const whole = n & ~3;
  const factor = f64x2.splat(scale);
  let tops = f64x2.splat(-Infinity);
  let others = tops;
  for (let j = 0; j < whole; j += 4) {
    tops = f64x2.pmax(tops, f64x2.add(v128.load(at<f64>(G, j)), f64x2.mul(pair<T>(at<T>(x, j)), factor)));
    others = f64x2.pmax(others, f64x2.add(v128.load(at<f64>(G, j), 16), f64x2.mul(pair<T>(at<T>(x, j + 2)), factor)));
  }
  let top = hmax<f64>(f64x2.pmax(tops, others));
  for (let j = whole; j < n; j++) top = max<f64>(top, load<f64>(at<f64>(G, j)) + <f64>load<T>(at<T>(x, j)) * scale);
  return top;
}

/** to[j] = exp(G[j] + x[j]·scale − peak), exponents in f64. */
// @ts-ignore: decorator
@inline
function exponentials<T>(to: usize, top: usize, x: usize, G: usize, peak: f64, scale: f64, cols: i32): void {
  const whole = cols - (cols % lanes<T>());
  const shift = f64x2.splat(-peak);
  const factor = f64x2.splat(-scale);
  const floor = v128.splat<T>(<T>lowest<T>());
  for (let j = 0; j < whole; j += lanes<T>()) {
    let exponents: v128;
    if (sizeof<T>() == 4) exponents = exponents4(shift, at<f64>(G, j), v128.load(at<T>(x, j)), factor);
    else exponents = f64x2.sub(f64x2.add(shift, v128.load(at<f64>(G, j))), f64x2.mul(v128.load(at<T>(x, j)), factor));
    v128.store(at<T>(to, j), v128.and(vexp<T>(exponents), v128.ge<T>(exponents, floor)));
    if (top) raise<T>(at<f64>(top, j), exponents);
  }
  for (let j = whole; j < cols; j++) entry<T>(to, top, load<f64>(at<f64>(G, j)) + <f64>load<T>(at<T>(x, j)) * scale - peak, j);
}

/** The largest exponents of columns, kept in f64. */
function raise<T>(top: usize, exponents: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(top, f64x2.pmax(v128.load(top), exponents));
    return;
  }
  v128.store(top, f64x2.pmax(v128.load(top), f64x2.promote_low_f32x4(exponents)));
  const upper = f64x2.promote_low_f32x4(i32x4.shuffle(exponents, exponents, 2, 3, 0, 1));
  v128.store(top, f64x2.pmax(v128.load(top, 16), upper), 16);
}

/** One entry of K from its exponent. */
// @ts-ignore: decorator
@inline
function entry<T>(to: usize, top: usize, exponent: f64, j: i32): void {
  store<T>(at<T>(to, j), exponent < lowest<T>() ? <T>0 : exp1<T>(<T>exponent));
  if (top) store<f64>(at<f64>(top, j), max<f64>(load<f64>(at<f64>(top, j)), exponent));
}

/** As the twin, exponentials taken once where `power` > 0; relative error ≤ 4e-16·(2·scale + |exponent|). */
export function dflatKernel(
  K: usize, F: usize, base: usize, x: usize, high: f64, scale: f64, power: i32, stride: i32, rows: i32, cols: i32, width: i32, pitch: i32,
): void {
  const whole = cols & ~3;
  const shift = f64x2.splat(high);
  const factor = f64x2.splat(scale);
  for (let i = 0; i < rows; i++) {
    const from = at<f64>(x, i * stride * cols);
    const to = at<f64>(K, i * pitch);
    let sums = f64x2.splat(0);
    let others = sums;
    for (let j = 0; j < whole; j += 4) {
      const y0 = f64x2.sub(v128.load(at<f64>(from, j)), shift);
      const y1 = f64x2.sub(v128.load(at<f64>(from, j), 16), shift);
      let b0 = expPair(y0);
      let b1 = expPair(y1);
      sums = f64x2.add(sums, b0);
      others = f64x2.add(others, b1);
      let p0: v128;
      let p1: v128;
      if (power) {
        p0 = f64x2.splat(1);
        p1 = p0;
        for (let q = power; ; ) {
          if (q & 1) {
            p0 = f64x2.mul(p0, b0);
            p1 = f64x2.mul(p1, b1);
          }
          q >>= 1;
          if (!q) break;
          b0 = f64x2.mul(b0, b0);
          b1 = f64x2.mul(b1, b1);
        }
      } else {
        p0 = expPair(f64x2.mul(y0, factor));
        p1 = expPair(f64x2.mul(y1, factor));
      }
      v128.store(at<f64>(to, j), p0);
      v128.store(at<f64>(to, j), p1, 16);
    }
    let sum = hsum<f64>(f64x2.add(sums, others));
    for (let j = whole; j < cols; j++) {
      const y = load<f64>(at<f64>(from, j)) - high;
      sum += exp1<f64>(y);
      store<f64>(at<f64>(to, j), exp1<f64>(y * scale));
    }
    const level = NativeMath.log(sum);
    store<f64>(at<f64>(base, i), high + level);
    store<f64>(at<f64>(F, i), scale * level);
    for (let j = cols; j < pitch; j++) store<f64>(at<f64>(to, j), 0);
    if (width > cols) store<f64>(at<f64>(to, cols), exp1<f64>(scale * level));
  }
}
