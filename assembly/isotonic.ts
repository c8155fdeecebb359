// Isotonic regression by pooling adjacent violators, the core of soft ranks and sorts (Blondel et al. 2020, arXiv:2002.08871, §4).
// For s and w [n] falling:  v = argmin over v₁ ≥ … ≥ v_n of  ½|v − (s − w)|²  (l2),  or of the log-partition form (kl):
//   value of a pool B:  mean of s − w over B   (l2),     log Σ_B e^s − log Σ_B e^w   (kl)
// One pass with a stack of pools: O(n). All in f64.
import { at } from './lib/lanes';

/** log(e^a + e^b), never above the larger by more than log 2. */
// @ts-ignore: decorator
@inline
function logAdd(a: f64, b: f64): f64 {
  const top = max(a, b);
  return top + NativeMath.log1p(NativeMath.exp(min(a, b) - top));
}

/**
 * rest [rows, n] = s − v, formed within each pool, so that it keeps its digits where s is large; first [rows, n] = index of the
 * first element of each element's pool. Equal neighbours are pooled. `work`: 3n f64.
 */
export function disotonic(rest: usize, first: usize, s: usize, w: usize, rows: i32, n: i32, kl: i32, work: usize): void {
  // Pool j of the stack: value, and the two parts it comes from (l2: sum and unused; kl: both logarithms); its start is in `first`.
  const values = work;
  const upper = at<f64>(work, n);
  const lower = at<f64>(work, 2 * n);
  for (let row = 0; row < rows; row++) {
    const offset = row * n;
    const starts = at<i32>(first, offset);
    let pools = 0;
    for (let i = 0; i < n; i++) {
      let a = load<f64>(at<f64>(s, offset + i));
      let b = load<f64>(at<f64>(w, offset + i));
      let value = a - b;
      let start = i;
      if (!kl) a = value;
      while (pools > 0 && load<f64>(at<f64>(values, pools - 1)) <= value) {
        pools--;
        start = load<i32>(at<i32>(starts, pools));
        if (kl) {
          a = logAdd(load<f64>(at<f64>(upper, pools)), a);
          b = logAdd(load<f64>(at<f64>(lower, pools)), b);
          value = a - b;
        } else {
          a += load<f64>(at<f64>(upper, pools));
          value = a / <f64>(i + 1 - start);
        }
      }
      store<f64>(at<f64>(values, pools), value);
      store<f64>(at<f64>(upper, pools), a);
      store<f64>(at<f64>(lower, pools), b);
      store<i32>(at<i32>(starts, pools), start);
      pools++;
    }
    // From the back, so that the starts on the stack are read before they are overwritten.
    for (let pool = pools - 1, end = n; pool >= 0; pool--) {
      const start = load<i32>(at<i32>(starts, pool));
      fill(at<f64>(rest, offset), at<f64>(s, offset), at<f64>(w, offset), start, end, kl);
      for (let i = start; i < end; i++) store<i32>(at<i32>(starts, i), start);
      end = start;
    }
  }
}

/** rest over the pool [start, end): (s_i − s₁) − mean(s − s₁) + mean(w), or the same with log Σ exp in place of means. */
// @ts-ignore: decorator
@inline
function fill(rest: usize, s: usize, w: usize, start: i32, end: i32, kl: i32): void {
  const top = load<f64>(at<f64>(s, start));
  const bottom = load<f64>(at<f64>(w, start));
  let a: f64 = 0;
  let b: f64 = 0;
  for (let i = start; i < end; i++) {
    const ds = load<f64>(at<f64>(s, i)) - top;
    const dw = load<f64>(at<f64>(w, i)) - bottom;
    a += kl ? NativeMath.exp(ds) : ds;
    b += kl ? NativeMath.exp(dw) : dw;
  }
  const shift = bottom + (kl ? NativeMath.log(b) - NativeMath.log(a) : (b - a) / <f64>(end - start));
  for (let i = start; i < end; i++) store<f64>(at<f64>(rest, i), load<f64>(at<f64>(s, i)) - top + shift);
}

/** out [rows, n] = transposed derivative of v with respect to s applied to g (with respect to w: the same with s = w, negated). */
export function disotonicBack(out: usize, g: usize, first: usize, s: usize, rows: i32, n: i32, kl: i32): void {
  for (let row = 0; row < rows; row++) {
    const offset = row * n;
    for (let start = 0, end = 0; start < n; start = end) {
      let sum: f64 = 0;
      for (end = start; end < n && load<i32>(at<i32>(first, offset + end)) == start; end++) sum += load<f64>(at<f64>(g, offset + end));
      if (!kl) {
        for (let i = start; i < end; i++) store<f64>(at<f64>(out, offset + i), sum / <f64>(end - start));
        continue;
      }
      const top = load<f64>(at<f64>(s, offset + start)); // s falls: its first element is the largest of the pool
      let total: f64 = 0;
      for (let i = start; i < end; i++) {
        const e = NativeMath.exp(load<f64>(at<f64>(s, offset + i)) - top);
        store<f64>(at<f64>(out, offset + i), e);
        total += e;
      }
      for (let i = start; i < end; i++) store<f64>(at<f64>(out, offset + i), (load<f64>(at<f64>(out, offset + i)) * sum) / total);
    }
  }
}

/** Value of the pool j … k. */
function poolRef(s: usize, w: usize, j: i32, k: i32, kl: i32): f64 {
  let a: f64 = 0;
  let b: f64 = 0;
  const top = load<f64>(at<f64>(s, j));
  const bottom = load<f64>(at<f64>(w, j));
  for (let i = j; i <= k; i++) {
    a += kl ? NativeMath.exp(load<f64>(at<f64>(s, i)) - top) : load<f64>(at<f64>(s, i));
    b += kl ? NativeMath.exp(load<f64>(at<f64>(w, i)) - bottom) : load<f64>(at<f64>(w, i));
  }
  return kl ? top + NativeMath.log(a) - bottom - NativeMath.log(b) : (a - b) / <f64>(k + 1 - j);
}

/** The minimax formula v_i = min over j ≤ i of max over k ≥ i of the value of pool j … k: O(n⁴), no pooling. */
export function disotonicRef(rest: usize, first: usize, s: usize, w: usize, rows: i32, n: i32, kl: i32, _work: usize): void {
  for (let row = 0; row < rows; row++) {
    const a = at<f64>(s, row * n);
    const b = at<f64>(w, row * n);
    for (let i = 0; i < n; i++) {
      let best: f64 = Infinity;
      for (let j = 0; j <= i; j++) {
        let most: f64 = -Infinity;
        for (let k = i; k < n; k++) most = max(most, poolRef(a, b, j, k, kl));
        best = min(best, most);
      }
      const before = i > 0 ? load<f64>(at<f64>(a, i - 1)) - load<f64>(at<f64>(rest, row * n + i - 1)) : Infinity;
      store<f64>(at<f64>(rest, row * n + i), load<f64>(at<f64>(a, i)) - best);
      const same = i > 0 && Math.abs(best - before) <= 1e-12 * (1 + Math.abs(best));
      store<i32>(at<i32>(first, row * n + i), same ? load<i32>(at<i32>(first, row * n + i - 1)) : i);
    }
  }
}

/** Pool means, or softmax of s over a pool times the pool's sum. */
export function disotonicBackRef(out: usize, g: usize, first: usize, s: usize, rows: i32, n: i32, kl: i32): void {
  for (let row = 0; row < rows; row++) {
    for (let i = row * n; i < (row + 1) * n; i++) {
      let sum: f64 = 0;
      let total: f64 = 0;
      for (let j = row * n; j < (row + 1) * n; j++) {
        if (load<i32>(at<i32>(first, j)) != load<i32>(at<i32>(first, i))) continue;
        sum += load<f64>(at<f64>(g, j));
        total += kl ? NativeMath.exp(load<f64>(at<f64>(s, j)) - load<f64>(at<f64>(s, i))) : 1;
      }
      store<f64>(at<f64>(out, i), sum / total);
    }
  }
}
