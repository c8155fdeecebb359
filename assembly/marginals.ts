// What a pair of potentials amounts to: marginals and cost of the plan P = exp(F_i + G_j − C_ij/ε), in f64 (F = f/ε + log a, G = g/ε + log b).
import { exp4, expPair } from './lib/exp';
import { at, hsum, lanes } from './lib/lanes';
import { exponents4, lowest, pair, plan1, plan2 } from './lib/plan-entry';

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

/** Columns whose f32 sums are added before f64 takes over. */
const tile = 256;

/**
 * smarginalsRef without a plan, entries of P rounded to f32 (relative error ≤ 3e-7, entries below e^−46 = 1e-20 dropped): sums of four
 * rows of a column, and of a quarter of 256 columns of a row, are f32, all others f64.
 */
export function scoarseMarginalsRef(r: usize, c: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  return marginalsRef<f32>(r, c, 0, F, G, C, scale, rows, cols);
}
/** As the twin. */
export function scoarseMarginals(r: usize, c: usize, F: usize, G: usize, C: usize, scale: f64, rows: i32, cols: i32): f64 {
  const factor = f64x2.splat(scale);
  const floor = f32x4.splat(<f32>lowest<f32>());
  const whole = cols & ~3;
  const blocks = rows & ~3;
  const pitch = (<usize>cols) << 2;
  let total: f64 = 0;
  memory.fill(c, 0, (<usize>cols) << 3);
  memory.fill(r, 0, (<usize>rows) << 3);
  for (let i = 0; i < blocks; i += 4) {
    const row = C + (<usize>i) * pitch;
    const to = at<f64>(r, i);
    const f0 = v128.load64_splat(at<f64>(F, i));
    const f1 = v128.load64_splat(at<f64>(F, i), 8);
    const f2 = v128.load64_splat(at<f64>(F, i), 16);
    const f3 = v128.load64_splat(at<f64>(F, i), 24);
    for (let start = 0; start < whole; start += tile) {
      const end = min(whole, start + tile);
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      let products = s0;
      for (let j = start; j < end; j += 4) {
        const p = row + ((<usize>j) << 2);
        const g = at<f64>(G, j);
        const c0 = v128.load(p);
        const c1 = v128.load(p + pitch);
        const e0 = exponents4(f0, g, c0, factor);
        const e1 = exponents4(f1, g, c1, factor);
        const p0 = v128.and(exp4(e0), f32x4.ge(e0, floor));
        const p1 = v128.and(exp4(e1), f32x4.ge(e1, floor));
        s0 = f32x4.add(s0, p0);
        s1 = f32x4.add(s1, p1);
        products = f32x4.add(products, f32x4.add(f32x4.mul(p0, c0), f32x4.mul(p1, c1)));
        const c2 = v128.load(p + 2 * pitch);
        const c3 = v128.load(p + 3 * pitch);
        const e2 = exponents4(f2, g, c2, factor);
        const e3 = exponents4(f3, g, c3, factor);
        const p2 = v128.and(exp4(e2), f32x4.ge(e2, floor));
        const p3 = v128.and(exp4(e3), f32x4.ge(e3, floor));
        s2 = f32x4.add(s2, p2);
        s3 = f32x4.add(s3, p3);
        products = f32x4.add(products, f32x4.add(f32x4.mul(p2, c2), f32x4.mul(p3, c3)));
        const sum = f32x4.add(f32x4.add(p0, p1), f32x4.add(p2, p3));
        const column = at<f64>(c, j);
        v128.store(column, f64x2.add(v128.load(column), f64x2.promote_low_f32x4(sum)));
        v128.store(column, f64x2.add(v128.load(column, 16), f64x2.promote_low_f32x4(i32x4.shuffle(sum, sum, 2, 3, 0, 1))), 16);
      }
      total += <f64>hsum<f32>(products);
      store<f64>(to, load<f64>(to) + <f64>hsum<f32>(s0));
      store<f64>(to, load<f64>(to, 8) + <f64>hsum<f32>(s1), 8);
      store<f64>(to, load<f64>(to, 16) + <f64>hsum<f32>(s2), 16);
      store<f64>(to, load<f64>(to, 24) + <f64>hsum<f32>(s3), 24);
    }
    for (let k = 0; k < 4; k++) total += coarseRest(r, c, F, G, C, scale, i + k, whole, cols);
  }
  for (let i = blocks; i < rows; i++) total += coarseRest(r, c, F, G, C, scale, i, 0, cols);
  return total;
}
/** What a row has left from column `from` on, one entry at a time; returns its share of Σ P·C. */
function coarseRest(r: usize, c: usize, F: usize, G: usize, C: usize, scale: f64, i: i32, from: i32, cols: i32): f64 {
  const base = v128.load64_splat(at<f64>(F, i));
  const row = at<f32>(C, i * cols);
  let sum: f64 = 0;
  let total: f64 = 0;
  for (let j = from; j < cols; j++) {
    const p = plan1<f32>(base, G, row, scale, j);
    sum += p;
    total += p * <f64>load<f32>(at<f32>(row, j));
    store<f64>(at<f64>(c, j), load<f64>(at<f64>(c, j)) + p);
  }
  store<f64>(at<f64>(r, i), load<f64>(at<f64>(r, i)) + sum);
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
  let numbers = v128.eq<T>(low, low); // pmin and pmax are one instruction each and lose NaN: it is looked for beside them
  for (let i = 0; i < whole; i += step) {
    const a = v128.load(at<T>(x, i));
    const b = v128.load(at<T>(x, i), 16);
    low = v128.pmin<T>(low, a);
    high = v128.pmax<T>(high, a);
    low2 = v128.pmin<T>(low2, b);
    high2 = v128.pmax<T>(high2, b);
    numbers = v128.and(numbers, v128.and(v128.eq<T>(a, a), v128.eq<T>(b, b)));
  }
  if (!v128.all_true<i32>(numbers)) low = high = v128.splat<T>(<T>NaN);
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
