// Transport on a line: the monotone coupling of two sorted samples, in one merge. Scalar by nature: twin and kernel are one.
import { at } from './lib/lanes';

// @ts-ignore: decorator
@inline
function power(d: f64, p: f64): f64 {
  if (p == 2) return d * d;
  if (p == 1) return d;
  if (p == 3) return d * d * d;
  return NativeMath.pow(d, p);
}

// @ts-ignore: decorator
@inline
function order(o: usize, i: i32): i32 {
  return load<i32>(at<i32>(o, i));
}

/**
 * Σ mass·|x − y|^p along the monotone coupling; x [n], y [m] with their orders, weights a [n], b [m] of one total, p ≥ 1, n, m ≥ 1.
 * Where not 0: gx [n], gy [m] += derivatives by the points; f [n], g [m] = dual potentials (f_i + g_j = |x_i − y_j|^p on the coupling).
 */
// @ts-ignore: decorator
@inline
function wasserstein1d<T>(n: i32, m: i32, x: usize, y: usize, ox: usize, oy: usize, a: usize, b: usize, p: f64, gx: usize, gy: usize, f: usize, g: usize): f64 {
  let i = 0;
  let j = 0;
  let r = order(ox, 0);
  let c = order(oy, 0);
  let left = load<f64>(at<f64>(a, r)); // mass that x_r has still to send
  let right = load<f64>(at<f64>(b, c)); // mass that y_c can still take
  let total: f64 = 0;
  let fi: f64 = 0;
  let gj: f64 = 0;
  let fresh = true;
  for (;;) {
    const d = <f64>load<T>(at<T>(x, r)) - <f64>load<T>(at<T>(y, c));
    const gap = Math.abs(d);
    const cost = power(gap, p);
    // The path of cells is a basis of the transport problem; |x − y|^p is Monge, so its potentials are feasible everywhere.
    if (f) {
      if (fresh) {
        fi = cost - gj;
        store<f64>(at<f64>(f, r), fi);
      } else {
        gj = cost - fi;
      }
      store<f64>(at<f64>(g, c), gj);
    }
    const lastRow = i == n - 1;
    const lastColumn = j == m - 1;
    const mass = lastRow ? right : lastColumn ? left : min(left, right);
    total += mass * cost;
    if (gx && gap > 0) {
      const slope = mass * p * (cost / d);
      store<f64>(at<f64>(gx, r), load<f64>(at<f64>(gx, r)) + slope);
      store<f64>(at<f64>(gy, c), load<f64>(at<f64>(gy, c)) - slope);
    }
    if (lastRow && lastColumn) break;
    fresh = !lastRow && (lastColumn || left <= right);
    if (fresh) {
      right = max(0, right - left);
      r = order(ox, ++i);
      left = load<f64>(at<f64>(a, r));
    } else {
      left = max(0, left - right);
      c = order(oy, ++j);
      right = load<f64>(at<f64>(b, c));
    }
  }
  return total;
}

/** The merge over f32 points. */
export function swasserstein1d(n: i32, m: i32, x: usize, y: usize, ox: usize, oy: usize, a: usize, b: usize, p: f64, gx: usize, gy: usize, f: usize, g: usize): f64 {
  return wasserstein1d<f32>(n, m, x, y, ox, oy, a, b, p, gx, gy, f, g);
}

/** The merge over f64 points. */
export function dwasserstein1d(n: i32, m: i32, x: usize, y: usize, ox: usize, oy: usize, a: usize, b: usize, p: f64, gx: usize, gy: usize, f: usize, g: usize): f64 {
  return wasserstein1d<f64>(n, m, x, y, ox, oy, a, b, p, gx, gy, f, g);
}

/**
 * The same for n = m points of weight 1/n each: gx, gy, f, g [n] are overwritten, the mean of g is 0 (the gauge of
 * this area). No weights are read and no masses cut.
 */
// @ts-ignore: decorator
@inline
function pairSorted<T>(n: i32, x: usize, y: usize, ox: usize, oy: usize, p: f64, gx: usize, gy: usize, f: usize, g: usize): f64 {
  const mass = 1 / <f64>n;
  let total: f64 = 0;
  let held: f64 = 0;
  let fi: f64 = 0;
  let lastCost: f64 = 0; // of the pair before
  let lastY = <f64>load<T>(at<T>(y, order(oy, 0)));
  for (let i = 0; i < n; i++) {
    const r = order(ox, i);
    const c = order(oy, i);
    const point = <f64>load<T>(at<T>(x, r));
    const other = <f64>load<T>(at<T>(y, c));
    const d = point - other;
    const gap = Math.abs(d);
    const cost = power(gap, p);
    // Along the path (i − 1, i − 1), (i, i − 1), (i, i) of the merge: f_i − f_{i−1} is the difference of the first two costs.
    fi += i ? power(Math.abs(point - lastY), p) - lastCost : cost;
    const gj = cost - fi;
    const slope = p == 2 ? d : p == 1 ? copysign<f64>(gap > 0 ? 1 : 0, d) : gap > 0 ? cost / d : 0;
    store<f64>(at<f64>(gx, r), mass * p * slope);
    store<f64>(at<f64>(gy, c), -mass * p * slope);
    store<f64>(at<f64>(f, r), fi);
    store<f64>(at<f64>(g, c), gj);
    total += cost;
    held += gj;
    lastCost = cost;
    lastY = other;
  }
  const mean = held * mass;
  for (let i = 0; i < n; i++) {
    store<f64>(at<f64>(f, i), load<f64>(at<f64>(f, i)) + mean);
    store<f64>(at<f64>(g, i), load<f64>(at<f64>(g, i)) - mean);
  }
  return total * mass;
}

/** Pairs of f32 points. */
export function spairSorted(n: i32, x: usize, y: usize, ox: usize, oy: usize, p: f64, gx: usize, gy: usize, f: usize, g: usize): f64 {
  return pairSorted<f32>(n, x, y, ox, oy, p, gx, gy, f, g);
}
/** Pairs of f64 points. */
export function dpairSorted(n: i32, x: usize, y: usize, ox: usize, oy: usize, p: f64, gx: usize, gy: usize, f: usize, g: usize): f64 {
  return pairSorted<f64>(n, x, y, ox, oy, p, gx, gy, f, g);
}

/**
 * order [n] = the indices of x by equal intervals of its range, in each as they come: right but for neighbours where the values are spread
 * evenly enough. Returns 0 where the range is not a number. work: n + 2^bits places of 4 bytes.
 */
export function sbuckets(order: usize, x: usize, n: i32, bits: i32, work: usize): i32 {
  return buckets<f32>(order, x, n, bits, work);
}
/** As sbuckets for f64. */
export function dbuckets(order: usize, x: usize, n: i32, bits: i32, work: usize): i32 {
  return buckets<f64>(order, x, n, bits, work);
}
function buckets<T>(order: usize, x: usize, n: i32, bits: i32, work: usize): i32 {
  let high = load<T>(x);
  let low = high;
  for (let j = 1; j < n; j++) {
    const v = load<T>(at<T>(x, j));
    if (v > high) high = v;
    if (v < low) low = v;
  }
  const range = <f64>high - <f64>low;
  const scale = range > 0 ? <f64>((1 << bits) - 1) / range : 0;
  if (!(scale < Infinity && range < Infinity)) return 0;
  const counts = at<i32>(work, n);
  memory.fill(counts, 0, (<usize>4) << bits);
  for (let j = 0; j < n; j++) {
    const id = <i32>((<f64>load<T>(at<T>(x, j)) - <f64>low) * scale);
    store<i32>(at<i32>(work, j), id);
    store<i32>(at<i32>(counts, id), load<i32>(at<i32>(counts, id)) + 1);
  }
  let total = <i32>order;
  for (let p = counts, end = counts + ((<usize>4) << bits); p < end; p += 4) {
    const here = load<i32>(p);
    store<i32>(p, total);
    total += here << 2;
  }
  for (let j = 0; j < n; j++) {
    const p = at<i32>(counts, load<i32>(at<i32>(work, j)));
    const place = load<i32>(p);
    store<i32>(place, j);
    store<i32>(p, place + 4);
  }
  return 1;
}

/**
 * Finishes by insertion an order [n] of x that is right but for neighbours, as one by rounded values or by buckets is; stable. Returns 0 when that
 * takes more than `budget` moves: the order is then not finished.
 */
export function spolish(order: usize, x: usize, n: i32, budget: i32): i32 {
  return polish<f32>(order, x, n, budget);
}
/** As spolish for f64. */
export function dpolish(order: usize, x: usize, n: i32, budget: i32): i32 {
  return polish<f64>(order, x, n, budget);
}
function polish<T>(order: usize, x: usize, n: i32, budget: i32): i32 {
  let last = load<T>(at<T>(x, load<i32>(order)));
  for (let i = 1; i < n; i++) {
    const index = load<i32>(at<i32>(order, i));
    const value = load<T>(at<T>(x, index));
    if (value >= last) {
      last = value;
      continue;
    }
    let j = i;
    for (; j > 0 && load<T>(at<T>(x, load<i32>(at<i32>(order, j - 1)))) > value; j--) {
      store<i32>(at<i32>(order, j), load<i32>(at<i32>(order, j - 1)));
    }
    store<i32>(at<i32>(order, j), index);
    budget -= i - j;
    if (budget < 0) return 0;
  }
  return 1;
}
