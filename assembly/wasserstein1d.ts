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
 * Finishes by insertion an order [n] of x (f64) that is right but for neighbours, as one by rounded values is; stable. Returns 0 when that
 * takes more than `budget` moves: the order is then not finished.
 */
export function dpolish(order: usize, x: usize, n: i32, budget: i32): i32 {
  let last = load<f64>(at<f64>(x, load<i32>(order)));
  for (let i = 1; i < n; i++) {
    const index = load<i32>(at<i32>(order, i));
    const value = load<f64>(at<f64>(x, index));
    if (value >= last) {
      last = value;
      continue;
    }
    let j = i;
    for (; j > 0 && load<f64>(at<f64>(x, load<i32>(at<i32>(order, j - 1)))) > value; j--) {
      store<i32>(at<i32>(order, j), load<i32>(at<i32>(order, j - 1)));
    }
    store<i32>(at<i32>(order, j), index);
    budget -= i - j;
    if (budget < 0) return 0;
  }
  return 1;
}
