// Differentiable sorting networks by swaps of wires, forward and backward (Petersen et al. 2021, arXiv:2105.04019).
//   comparator (p, q), d = x_q − x_p, alpha = relax(d):   x_p ← x_q − alpha·d,   x_q ← x_p + alpha·d     (p receives the smaller)
// The same mixing of whole rows gives the permutation. It is symmetric, so one sweep serves in both directions:
//   places = 0: rows start as the unit vectors and pass the comparators in order: row r becomes row r of P, where y = P x
//   places = U [m, n]: wire r starts with column r of U and passes them backwards, giving Z = U P without P
// Layout: the batch is cut into blocks of one vector, lane = row of the batch; everything of a block stays in cache, and columns
// of the sweep are cut into chunks of 16. Gradients recompute the block's forward pass in place of storing it for the whole batch.
// `pairs` [count, 2]; `spans` [count, 2]: the columns [start, end) of P that can differ from 0 before the comparator.
import { at, lanes } from './lib/lanes';
import { CAUCHY, GAUSSIAN, LOGISTIC, LOGISTIC_PHI, OPTIMAL, RECIPROCAL, relax, relaxRef, slopeRef } from './lib/relax';
import { begin, chunk, loadBlock, loadRows, mix, storeBlock, storeRows, unmix, vec } from './lib/wires';

/** All comparators over the values of a block; keeps alpha, its slope and the difference. */
// @ts-ignore: decorator
@inline
function compareAs<T>(x: usize, pairs: usize, count: i32, kind: i32, steepness: T, lambda: T, alpha: usize, slope: usize, gap: usize): void {
  for (let c = 0; c < count; c++) {
    const p = vec(x, load<i32>(at<i32>(pairs, 2 * c)));
    const q = vec(x, load<i32>(at<i32>(pairs, 2 * c + 1)));
    const low = v128.load(p);
    const high = v128.load(q);
    const d = v128.sub<T>(high, low);
    relax<T>(vec(alpha, c), vec(slope, c), d, kind, steepness, lambda);
    v128.store(vec(gap, c), d);
    const t = v128.mul<T>(v128.load(vec(alpha, c)), d);
    v128.store(p, v128.sub<T>(high, t));
    v128.store(q, v128.add<T>(low, t));
  }
}
function compare<T>(x: usize, pairs: usize, count: i32, kind: i32, steepness: T, lambda: T, alpha: usize, slope: usize, gap: usize): void {
  if (kind == LOGISTIC) compareAs<T>(x, pairs, count, LOGISTIC, steepness, lambda, alpha, slope, gap);
  else if (kind == LOGISTIC_PHI) compareAs<T>(x, pairs, count, LOGISTIC_PHI, steepness, lambda, alpha, slope, gap);
  else if (kind == GAUSSIAN) compareAs<T>(x, pairs, count, GAUSSIAN, steepness, lambda, alpha, slope, gap);
  else if (kind == RECIPROCAL) compareAs<T>(x, pairs, count, RECIPROCAL, steepness, lambda, alpha, slope, gap);
  else if (kind == CAUCHY) compareAs<T>(x, pairs, count, CAUCHY, steepness, lambda, alpha, slope, gap);
  else compareAs<T>(x, pairs, count, OPTIMAL, steepness, lambda, alpha, slope, gap);
}

// @ts-ignore: decorator
@inline
function forward<T>(y: usize, z: usize, x: usize, u: usize, pairs: usize, spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: T, lambda: T, work: usize): void {
  const block = work;
  const alpha = vec(block, n);
  const slope = vec(alpha, count);
  const gap = vec(slope, count);
  const rows = vec(gap, count);
  for (let row = 0; row < batch; row += lanes<T>()) {
    loadBlock<T>(block, x, row, batch, n);
    compare<T>(block, pairs, count, kind, steepness, lambda, alpha, slope, gap);
    if (y) storeBlock<T>(y, block, row, batch, n);
    if (!z) continue;
    for (let from = 0; from < m; from += chunk) {
      const width = min(chunk, m - from);
      begin<T>(rows, u, n, from, width);
      mix<T>(rows, 0, alpha, pairs, u ? 0 : spans, count, from, width, u != 0);
      storeRows<T>(z, rows, row, batch, n, m, from, width, u == 0);
    }
  }
}

// @ts-ignore: decorator
@inline
function backward<T>(gx: usize, gy: usize, gz: usize, x: usize, u: usize, pairs: usize, spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: T, lambda: T, work: usize): void {
  const block = work;
  const alpha = vec(block, n);
  const slope = vec(alpha, count);
  const gap = vec(slope, count);
  const galpha = vec(gap, count);
  const rows = vec(galpha, count);
  const grads = vec(rows, n * chunk);
  const gaps = vec(grads, n * chunk);
  for (let row = 0; row < batch; row += lanes<T>()) {
    loadBlock<T>(block, x, row, batch, n);
    compare<T>(block, pairs, count, kind, steepness, lambda, alpha, slope, gap);
    memory.fill(galpha, 0, (<usize>count) << 4);
    if (gz) {
      for (let from = 0; from < m; from += chunk) {
        const width = min(chunk, m - from);
        begin<T>(rows, u, n, from, width);
        mix<T>(rows, gaps, alpha, pairs, u ? 0 : spans, count, from, width, u != 0);
        loadRows<T>(grads, gz, row, batch, n, m, from, width, u == 0);
        unmix<T>(grads, gaps, alpha, galpha, pairs, u ? 0 : spans, count, from, width, u != 0);
      }
    }
    if (gy) loadBlock<T>(block, gy, row, batch, n);
    else memory.fill(block, 0, (<usize>n) << 4);
    for (let c = count - 1; c >= 0; c--) {
      const p = vec(block, load<i32>(at<i32>(pairs, 2 * c)));
      const q = vec(block, load<i32>(at<i32>(pairs, 2 * c + 1)));
      const low = v128.load(p);
      const high = v128.load(q);
      const e = v128.sub<T>(high, low);
      const total = v128.add<T>(v128.load(vec(galpha, c)), v128.mul<T>(v128.load(vec(gap, c)), e));
      // The gradient of alpha reaches both wires through d = x_q − x_p.
      const t = v128.add<T>(v128.mul<T>(v128.load(vec(alpha, c)), e), v128.mul<T>(v128.load(vec(slope, c)), total));
      v128.store(p, v128.sub<T>(high, t));
      v128.store(q, v128.add<T>(low, t));
    }
    storeBlock<T>(gx, block, row, batch, n);
  }
}

/** y [batch, n] = values of the network (0: not wanted); z = P [batch, n, n], or U P [batch, m, n] when U is given (0: not wanted). */
export function sdiffsort(y: usize, z: usize, x: usize, u: usize, pairs: usize, spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f32, lambda: f32, work: usize): void {
  forward<f32>(y, z, x, u, pairs, spans, batch, n, m, count, kind, steepness, lambda, work);
}
/** y [batch, n] = values of the network (0: not wanted); z = P [batch, n, n], or U P [batch, m, n] when U is given (0: not wanted). */
export function ddiffsort(y: usize, z: usize, x: usize, u: usize, pairs: usize, spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f64, lambda: f64, work: usize): void {
  forward<f64>(y, z, x, u, pairs, spans, batch, n, m, count, kind, steepness, lambda, work);
}

/** gx [batch, n] = gradient of ⟨gy, y⟩ + ⟨gz, z⟩; gy or gz may be 0. */
export function sdiffsortBack(gx: usize, gy: usize, gz: usize, x: usize, u: usize, pairs: usize, spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f32, lambda: f32, work: usize): void {
  backward<f32>(gx, gy, gz, x, u, pairs, spans, batch, n, m, count, kind, steepness, lambda, work);
}
/** gx [batch, n] = gradient of ⟨gy, y⟩ + ⟨gz, z⟩; gy or gz may be 0. */
export function ddiffsortBack(gx: usize, gy: usize, gz: usize, x: usize, u: usize, pairs: usize, spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f64, lambda: f64, work: usize): void {
  backward<f64>(gx, gy, gz, x, u, pairs, spans, batch, n, m, count, kind, steepness, lambda, work);
}

// Twins: one row at a time in f64. P is a product of dense layers' rows; gradients follow by the chain rule with every state kept
// by recomputation from the input (count passes): slow and plain.
function stateRef<T>(values: usize, matrix: usize, x: usize, pairs: usize, n: i32, until: i32, kind: i32, steepness: f64, lambda: f64): void {
  memory.fill(matrix, 0, (<usize>(n * n)) << 3);
  for (let i = 0; i < n; i++) {
    store<f64>(at<f64>(values, i), <f64>load<T>(at<T>(x, i)));
    store<f64>(at<f64>(matrix, i * n + i), 1);
  }
  for (let c = 0; c < until; c++) {
    const p = load<i32>(at<i32>(pairs, 2 * c));
    const q = load<i32>(at<i32>(pairs, 2 * c + 1));
    const low = load<f64>(at<f64>(values, p));
    const high = load<f64>(at<f64>(values, q));
    const a = relaxRef(high - low, kind, steepness, lambda);
    store<f64>(at<f64>(values, p), a * low + (1 - a) * high);
    store<f64>(at<f64>(values, q), (1 - a) * low + a * high);
    for (let j = 0; j < n; j++) {
      const above = load<f64>(at<f64>(matrix, p * n + j));
      const below = load<f64>(at<f64>(matrix, q * n + j));
      store<f64>(at<f64>(matrix, p * n + j), a * above + (1 - a) * below);
      store<f64>(at<f64>(matrix, q * n + j), (1 - a) * above + a * below);
    }
  }
}

/** Element (r, j) of the gradient that reaches P: gz itself, or Uᵀ gz. */
function inflowRef<T>(gz: usize, u: usize, n: i32, m: i32, r: i32, j: i32): f64 {
  if (!u) return <f64>load<T>(at<T>(gz, r * n + j));
  let sum: f64 = 0;
  for (let k = 0; k < m; k++) sum += <f64>load<T>(at<T>(u, k * n + r)) * <f64>load<T>(at<T>(gz, k * n + j));
  return sum;
}

function forwardRef<T>(y: usize, z: usize, x: usize, u: usize, pairs: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f64, lambda: f64, work: usize): void {
  const values = work;
  const matrix = at<f64>(values, n);
  for (let row = 0; row < batch; row++) {
    stateRef<T>(values, matrix, at<T>(x, row * n), pairs, n, count, kind, steepness, lambda);
    if (y) for (let i = 0; i < n; i++) store<T>(at<T>(y, row * n + i), <T>load<f64>(at<f64>(values, i)));
    if (!z) continue;
    for (let k = 0; k < m; k++) {
      for (let j = 0; j < n; j++) {
        let sum: f64 = 0;
        if (!u) sum = load<f64>(at<f64>(matrix, k * n + j));
        else for (let r = 0; r < n; r++) sum += <f64>load<T>(at<T>(u, k * n + r)) * load<f64>(at<f64>(matrix, r * n + j));
        store<T>(at<T>(z, (row * m + k) * n + j), <T>sum);
      }
    }
  }
}

function backwardRef<T>(gx: usize, gy: usize, gz: usize, x: usize, u: usize, pairs: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f64, lambda: f64, work: usize): void {
  const values = work;
  const matrix = at<f64>(values, n);
  const g = at<f64>(matrix, n * n);
  const inflow = at<f64>(g, n);
  for (let row = 0; row < batch; row++) {
    for (let i = 0; i < n; i++) {
      store<f64>(at<f64>(g, i), gy ? <f64>load<T>(at<T>(gy, row * n + i)) : 0);
      for (let j = 0; j < n; j++) store<f64>(at<f64>(inflow, i * n + j), gz ? inflowRef<T>(at<T>(gz, row * m * n), u, n, m, i, j) : 0);
    }
    for (let c = count - 1; c >= 0; c--) {
      stateRef<T>(values, matrix, at<T>(x, row * n), pairs, n, c, kind, steepness, lambda);
      const p = load<i32>(at<i32>(pairs, 2 * c));
      const q = load<i32>(at<i32>(pairs, 2 * c + 1));
      const d = load<f64>(at<f64>(values, q)) - load<f64>(at<f64>(values, p));
      const a = relaxRef(d, kind, steepness, lambda);
      let rate = d * (load<f64>(at<f64>(g, q)) - load<f64>(at<f64>(g, p)));
      for (let j = 0; j < n; j++) {
        const above = load<f64>(at<f64>(inflow, p * n + j));
        const below = load<f64>(at<f64>(inflow, q * n + j));
        rate += (load<f64>(at<f64>(matrix, q * n + j)) - load<f64>(at<f64>(matrix, p * n + j))) * (below - above);
        store<f64>(at<f64>(inflow, p * n + j), a * above + (1 - a) * below);
        store<f64>(at<f64>(inflow, q * n + j), (1 - a) * above + a * below);
      }
      const low = load<f64>(at<f64>(g, p));
      const high = load<f64>(at<f64>(g, q));
      const pull = rate * slopeRef(d, kind, steepness, lambda);
      store<f64>(at<f64>(g, p), a * low + (1 - a) * high - pull);
      store<f64>(at<f64>(g, q), (1 - a) * low + a * high + pull);
    }
    for (let i = 0; i < n; i++) store<T>(at<T>(gx, row * n + i), <T>load<f64>(at<f64>(g, i)));
  }
}

/** Values and permutation, one row at a time in f64. `work`: n + n² f64. */
export function sdiffsortRef(y: usize, z: usize, x: usize, u: usize, pairs: usize, _spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f32, lambda: f32, work: usize): void {
  forwardRef<f32>(y, z, x, u, pairs, batch, n, m, count, kind, steepness, lambda, work);
}
/** Values and permutation, one row at a time. `work`: n + n² f64. */
export function ddiffsortRef(y: usize, z: usize, x: usize, u: usize, pairs: usize, _spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f64, lambda: f64, work: usize): void {
  forwardRef<f64>(y, z, x, u, pairs, batch, n, m, count, kind, steepness, lambda, work);
}
/** Gradient, one row at a time in f64. `work`: 2n + 2n² f64. */
export function sdiffsortBackRef(gx: usize, gy: usize, gz: usize, x: usize, u: usize, pairs: usize, _spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f32, lambda: f32, work: usize): void {
  backwardRef<f32>(gx, gy, gz, x, u, pairs, batch, n, m, count, kind, steepness, lambda, work);
}
/** Gradient, one row at a time. `work`: 2n + 2n² f64. */
export function ddiffsortBackRef(gx: usize, gy: usize, gz: usize, x: usize, u: usize, pairs: usize, _spans: usize, batch: i32, n: i32, m: i32, count: i32, kind: i32, steepness: f64, lambda: f64, work: usize): void {
  backwardRef<f64>(gx, gy, gz, x, u, pairs, batch, n, m, count, kind, steepness, lambda, work);
}
