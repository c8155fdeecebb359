// Between potentials and kernel matrices: F = f/ε + log a, G = g/ε + log b (both f64), P = exp(F_i + G_j − C_ij/ε).
// Exponents are formed in f64 whatever the cost's precision: at ε = 1e-4 an f32 difference would lose three digits of the plan.
import { expPair, exp4 } from './lib/exp';
import { at, hmax, hsum, lanes } from './lib/lanes';

/** Exponents below this give exactly 0 (e^−46 = 1e-20, e^−600 = 2.6e-261): products that underflow are a hundred times slower. */
// @ts-ignore: decorator
@inline
function lowest<T>(): f64 {
  if (sizeof<T>() == 4) return -46;
  return -600;
}

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

/**
 * Row sums (into r [rows]) and column sums (into c [cols]) of P in f64, and Σ P·C as the result. With `plan` ≠ 0 also writes P in the
 * precision of C. Everything else f64.
 */
export function smarginalsRef(r: usize, c: usize, plan: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  return marginalsRef<f32>(r, c, plan, F, G, C, scale, rows, cols);
}
/** As smarginalsRef for C f64. */
export function dmarginalsRef(r: usize, c: usize, plan: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  return marginalsRef<f64>(r, c, plan, F, G, C, scale, rows, cols);
}
function marginalsRef<T>(r: usize, c: usize, plan: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  let total: f64 = 0;
  memory.fill(c, 0, (<usize>cols) << 3);
  for (let i = 0; i < rows; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < cols; j++) {
      const cost = <f64>load<T>(at<T>(C, i * cols + j));
      const exponent = load<f64>(at<f64>(F, i)) + load<f64>(at<f64>(G, j)) - cost * scale;
      const p = exponent < lowest<f64>() ? 0 : NativeMath.exp(exponent);
      if (plan) store<T>(at<T>(plan, i * cols + j), <T>p);
      sum += p;
      total += p * cost;
      store<f64>(at<f64>(c, j), load<f64>(at<f64>(c, j)) + p);
    }
    store<f64>(at<f64>(r, i), sum);
  }
  return total;
}

/** Two costs as f64. */
// @ts-ignore: decorator
@inline
function pair<T>(p: usize): v128 {
  if (sizeof<T>() == 4) return f64x2.promote_low_f32x4(v128.load64_zero(p));
  return v128.load(p);
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
      const c = v128.load(at<f32>(from, j));
      const low = f64x2.sub(f64x2.add(base, v128.load(at<f64>(G, j))), f64x2.mul(f64x2.promote_low_f32x4(c), factor));
      const upper = f64x2.promote_low_f32x4(i32x4.shuffle(c, c, 2, 3, 0, 1));
      const high = f64x2.sub(f64x2.add(base, v128.load(at<f64>(G, j), 16)), f64x2.mul(upper, factor));
      const exponents = i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
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
/** Two entries of P. */
// @ts-ignore: decorator
@inline
function plan2<T>(base: v128, G: usize, row: usize, factor: v128, j: i32): v128 {
  const exponents = f64x2.sub(f64x2.add(base, v128.load(at<f64>(G, j))), f64x2.mul(pair<T>(at<T>(row, j)), factor));
  return v128.and(expPair(exponents), f64x2.ge(exponents, f64x2.splat(lowest<f64>())));
}
/** One entry of P, for the tail. */
// @ts-ignore: decorator
@inline
function plan1<T>(base: v128, G: usize, row: usize, scale: f64, j: i32): f64 {
  const exponent = f64x2.extract_lane(base, 0) + load<f64>(at<f64>(G, j)) - <f64>load<T>(at<T>(row, j)) * scale;
  return exponent < lowest<f64>() ? 0 : f64x2.extract_lane(expPair(f64x2.splat(exponent)), 0);
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

/** As the twin; relative error of each entry ≤ 4e-16·(1 + |exponent|). */
export function smarginals(r: usize, c: usize, plan: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  return marginals<f32>(r, c, plan, F, G, C, scale, rows, cols);
}
/** As smarginals for C f64. */
export function dmarginals(r: usize, c: usize, plan: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  return marginals<f64>(r, c, plan, F, G, C, scale, rows, cols);
}
// @ts-ignore: decorator
@inline
function marginals<T>(r: usize, c: usize, plan: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  const factor = f64x2.splat(scale);
  const whole = cols & ~1;
  let total: f64 = 0;
  memory.fill(c, 0, (<usize>cols) << 3);
  for (let i = 0; i < rows; i++) {
    const base = f64x2.splat(load<f64>(at<f64>(F, i)));
    const from = at<T>(C, i * cols);
    let sums = f64x2.splat(0);
    let products = f64x2.splat(0);
    let j = 0;
    if (!plan) {
      // Two independent exponentials at a time.
      for (; j + 4 <= cols; j += 4) {
        const p = plan2<T>(base, G, from, factor, j);
        const q = plan2<T>(base, G, from, factor, j + 2);
        const to = at<f64>(c, j);
        sums = f64x2.add(sums, f64x2.add(p, q));
        products = f64x2.add(products, f64x2.mul(p, pair<T>(at<T>(from, j))));
        products = f64x2.add(products, f64x2.mul(q, pair<T>(at<T>(from, j + 2))));
        v128.store(to, f64x2.add(v128.load(to), p));
        v128.store(to, f64x2.add(v128.load(to, 16), q), 16);
      }
    }
    for (; j < whole; j += 2) {
      const p = plan2<T>(base, G, from, factor, j);
      const to = at<f64>(c, j);
      sums = f64x2.add(sums, p);
      products = f64x2.add(products, f64x2.mul(p, pair<T>(at<T>(from, j))));
      v128.store(to, f64x2.add(v128.load(to), p));
      if (plan) {
        if (sizeof<T>() == 4) v128.store64_lane(at<T>(plan, i * cols + j), f32x4.demote_f64x2_zero(p), 0);
        else v128.store(at<T>(plan, i * cols + j), p);
      }
    }
    let sum = hsum<f64>(sums);
    total += hsum<f64>(products);
    if (whole < cols) {
      const p = plan1<T>(base, G, from, scale, whole);
      sum += p;
      total += p * <f64>load<T>(at<T>(from, whole));
      store<f64>(at<f64>(c, whole), load<f64>(at<f64>(c, whole)) + p);
      if (plan) store<T>(at<T>(plan, i * cols + whole), <T>p);
    }
    store<f64>(at<f64>(r, i), sum);
  }
  return total;
}

/** Σ a[i]·exp(factor·(la[i] − F[i] − lu[i])): the mass that a KL penalty wants on one side, factor = ε/ρ. All f64 [n]. */
export function dpenaltyMassRef(n: i32, a: usize, la: usize, F: usize, lu: usize, factor: f64): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) {
    const gap = load<f64>(at<f64>(la, i)) - load<f64>(at<f64>(F, i)) - load<f64>(at<f64>(lu, i));
    sum += load<f64>(at<f64>(a, i)) * NativeMath.exp(factor * gap);
  }
  return sum;
}
/** As the twin; relative error ≤ 4e-16·(1 + |exponent|). */
export function dpenaltyMass(n: i32, a: usize, la: usize, F: usize, lu: usize, factor: f64): f64 {
  const times = f64x2.splat(factor);
  const whole = n & ~1;
  let sums = f64x2.splat(0);
  for (let i = 0; i < whole; i += 2) {
    const gap = f64x2.sub(f64x2.sub(v128.load(at<f64>(la, i)), v128.load(at<f64>(F, i))), v128.load(at<f64>(lu, i)));
    sums = f64x2.add(sums, f64x2.mul(v128.load(at<f64>(a, i)), expPair(f64x2.mul(times, gap))));
  }
  let sum = hsum<f64>(sums);
  if (whole < n) {
    const gap = load<f64>(at<f64>(la, whole)) - load<f64>(at<f64>(F, whole)) - load<f64>(at<f64>(lu, whole));
    sum += load<f64>(at<f64>(a, whole)) * f64x2.extract_lane(expPair(f64x2.splat(factor * gap)), 0);
  }
  return sum;
}

/** Least and largest of n elements into out [2] (f64); both NaN when any element is. n ≥ 1. */
export function sspreadRef(out: usize, x: usize, n: i32): void {
  spreadRef<f32>(out, x, n);
}
/** As sspreadRef, in f64. */
export function dspreadRef(out: usize, x: usize, n: i32): void {
  spreadRef<f64>(out, x, n);
}
function spreadRef<T>(out: usize, x: usize, n: i32): void {
  let low = <f64>load<T>(x);
  let high = low;
  for (let i = 1; i < n; i++) {
    const value = <f64>load<T>(at<T>(x, i));
    low = min<f64>(low, value);
    high = max<f64>(high, value);
  }
  store<f64>(out, low);
  store<f64>(out, high, 8);
}
/** As the twin. */
export function sspread(out: usize, x: usize, n: i32): void {
  spread<f32>(out, x, n);
}
/** As sspread, in f64. */
export function dspread(out: usize, x: usize, n: i32): void {
  spread<f64>(out, x, n);
}
// @ts-ignore: decorator
@inline
function spread<T>(out: usize, x: usize, n: i32): void {
  const step = 2 * lanes<T>();
  const whole = n - (n % step);
  let low = v128.splat<T>(load<T>(x));
  let high = low;
  let low2 = low;
  let high2 = low;
  for (let i = 0; i < whole; i += step) {
    const a = v128.load(at<T>(x, i));
    const b = v128.load(at<T>(x, i), 16);
    low = v128.min<T>(low, a);
    high = v128.max<T>(high, a);
    low2 = v128.min<T>(low2, b);
    high2 = v128.max<T>(high2, b);
  }
  low = v128.min<T>(low, low2);
  high = v128.max<T>(high, high2);
  let least = <f64>v128.extract_lane<T>(low, 0);
  let most = <f64>v128.extract_lane<T>(high, 0);
  least = min<f64>(least, <f64>v128.extract_lane<T>(low, 1));
  most = max<f64>(most, <f64>v128.extract_lane<T>(high, 1));
  if (sizeof<T>() == 4) {
    least = min<f64>(least, min<f64>(<f64>f32x4.extract_lane(low, 2), <f64>f32x4.extract_lane(low, 3)));
    most = max<f64>(most, max<f64>(<f64>f32x4.extract_lane(high, 2), <f64>f32x4.extract_lane(high, 3)));
  }
  for (let i = whole; i < n; i++) {
    const value = <f64>load<T>(at<T>(x, i));
    least = min<f64>(least, value);
    most = max<f64>(most, value);
  }
  store<f64>(out, least);
  store<f64>(out, most, 8);
}
