// Sigmoid soft top-k (Gupta et al. 2023, arXiv:2310.10636): y_i = σ(alpha·(x_i + t)), t the root of Σ y = k; rows of x [rows, n].
// Newton on log(S/(n − S)), S = Σ y, which is linear in t when the scores are equal and nearly so when they are spread; a step
// that leaves the bracket becomes a bisection. The bracket ±(10 + log n)/alpha beyond the scores holds for every n and k: at its
// lower end S < n·e^−10/n, at the upper n − S is. exp is taken once per element: after a move of t by δ it is e·e^(−alpha·δ).
import { vexp } from './lib/exp';
import { at, hmax, lanes } from './lib/lanes';
import { vlog1p } from './lib/log1p';
import { balanced, base, exponents, factorOf, rebase, share, slope, solve } from './lib/sigmoids';

/** Rows from here on are solved on every 16th element first. */
const sampled: i32 = 2048;
// @ts-ignore: decorator
@inline
function softtopk<T>(y: usize, t: usize, x: usize, rows: i32, n: i32, k: i32, alpha: f64, logarithm: i32, work: usize): void {
  for (let row = 0; row < rows; row++) {
    const from = at<T>(x, row * n);
    const to = at<T>(y, row * n);
    if (k == n) {
      for (let j = 0; j < n; j++) store<T>(at<T>(to, j), logarithm ? <T>0 : <T>1);
      store<f64>(at<f64>(t, row), Infinity);
      continue;
    }
    let lows = v128.splat<T>(load<T>(from));
    let highs = lows;
    let place = 0;
    for (; place + lanes<T>() <= n; place += lanes<T>()) {
      const values = v128.load(at<T>(from, place));
      lows = v128.pmin<T>(lows, values);
      highs = v128.pmax<T>(highs, values);
    }
    for (; place < n; place++) {
      const value = v128.splat<T>(load<T>(at<T>(from, place)));
      lows = v128.pmin<T>(lows, value);
      highs = v128.pmax<T>(highs, value);
    }
    const smallest = -(<f64>hmax<T>(v128.neg<T>(lows)));
    const largest = <f64>hmax<T>(highs);
    const margin = (10 + NativeMath.log(<f64>n)) / alpha;
    const low = -largest - margin;
    const high = -smallest + margin;
    const centre = NativeMath.log(<f64>k / <f64>(n - k)) / alpha;
    let guess = max(low, min(high, centre - (smallest + largest) / 2));
    if (n >= sampled) guess = solve<T>(work, from, n >> 4, 16, (<f64>k * <f64>(n >> 4)) / <f64>n, alpha, guess, low, high, 1e-2);
    const tolerance = sizeof<T>() == 4 ? 1e-4 : 1e-8; // of the last step: the error after it is of the order of its square
    let root = solve<T>(work, from, n, 1, <f64>k, alpha, guess, low, high, tolerance);
    if (slope < (sizeof<T>() == 4 ? 1e-3 : 1e-7) * <f64>k) {
      // Nearly hard: sums of σ do not tell t any more.
      root = balanced<T>(from, n, k, alpha, root);
      rebase<T>(work, from, n, alpha, root);
    }
    store<f64>(at<f64>(t, row), root);

    const scale = v128.splat<T>(factorOf<T>(-alpha * (root - base)));
    const whole = n - (n % lanes<T>());
    if (!logarithm) {
      let j = 0;
      for (; j < whole; j += lanes<T>()) {
        v128.store(at<T>(to, j), share<T>(v128.mul<T>(v128.load(at<T>(work, j)), scale)));
      }
      if (j < n) {
        v128.store(at<T>(work, j), share<T>(v128.mul<T>(v128.load(at<T>(work, j)), scale)));
        memory.copy(at<T>(to, j), at<T>(work, j), at<T>(0, n - j));
      }
      continue;
    }
    // log σ(u) = min(u, 0) − log(1 + e^−|u|); u in two parts, so that scores near −t keep their digits.
    const near = v128.splat<T>(<T>base);
    const residue = v128.splat<T>(<T>(alpha * (root - base)));
    const rate = v128.splat<T>(<T>alpha);
    const zero = v128.splat<T>(<T>0);
    memory.copy(work, from, at<T>(0, n)); // the last vector may reach past x and must not reach past y
    for (let j = 0; j < n; j += lanes<T>()) {
      const u = v128.add<T>(v128.mul<T>(rate, v128.add<T>(v128.load(at<T>(work, j)), near)), residue);
      v128.store(at<T>(work, j), v128.sub<T>(v128.pmin<T>(u, zero), vlog1p<T>(vexp<T>(v128.neg<T>(v128.abs<T>(u))))));
    }
    memory.copy(to, work, at<T>(0, n));
  }
}

/** y [rows, n] = soft top-k indicators (or their logarithms), t [rows] f64. 1 ≤ k ≤ n; alpha > 0. `work`: n elements and a vector. */
export function ssofttopk(y: usize, t: usize, x: usize, rows: i32, n: i32, k: i32, alpha: f64, logarithm: i32, work: usize): void {
  softtopk<f32>(y, t, x, rows, n, k, alpha, logarithm, work);
}
/** y [rows, n] = soft top-k indicators (or their logarithms), t [rows] f64. 1 ≤ k ≤ n; alpha > 0. `work`: n elements and a vector. */
export function dsofttopk(y: usize, t: usize, x: usize, rows: i32, n: i32, k: i32, alpha: f64, logarithm: i32, work: usize): void {
  softtopk<f64>(y, t, x, rows, n, k, alpha, logarithm, work);
}

/** σ(v) and 1 − σ(v) without cancellation. */
// @ts-ignore: decorator
@inline
function shareOf(v: f64): f64 {
  return 1 / (1 + NativeMath.exp(-v));
}

/** v/max v in place of v where all of v is below the range of numbers, as ratios of exponentials; returns their sum. */
function shares<T>(v: usize, x: usize, n: i32, alpha: f64, root: f64): f64 {
  let nearest: f64 = Infinity;
  for (let j = 0; j < n; j++) nearest = min<f64>(nearest, Math.abs(<f64>load<T>(at<T>(x, j)) + root));
  let sum: f64 = 0;
  for (let j = 0; j < n; j++) {
    const share = NativeMath.exp(-alpha * (Math.abs(<f64>load<T>(at<T>(x, j)) + root) - nearest));
    store<T>(at<T>(v, j), <T>share);
    sum += share;
  }
  return sum;
}

// With v = alpha·y(1 − y): gx = v·(g − ⟨v, g⟩/Σv); for logarithms, with u = g·alpha·(1 − y): gx = u − v·Σu/Σv.
// @ts-ignore: decorator
@inline
function softtopkBack<T>(gx: usize, g: usize, x: usize, t: usize, rows: i32, n: i32, alpha: f64, logarithm: i32, work: usize): void {
  const one = v128.splat<T>(<T>1);
  const rate = v128.splat<T>(<T>alpha);
  const u = at<T>(work, n + 4);
  for (let row = 0; row < rows; row++) {
    const root = load<f64>(at<f64>(t, row));
    const near = <f64>(<T>root);
    const from = at<T>(x, row * n);
    const inflow = at<T>(g, row * n);
    const to = at<T>(gx, row * n);
    let along: f64 = 0;
    let sum: f64 = 0;
    if (root < Infinity) {
      // work = e^(−alpha(x + t)); then v, with 1 − y = e/(1 + e), and u behind it.
      exponents<T>(work, from, n, 1, <T>alpha, <T>near);
      const scale = v128.splat<T>(factorOf<T>(-alpha * (root - near)));
      for (let j = 0; j < n; j += lanes<T>()) {
        const e = v128.mul<T>(v128.load(at<T>(work, j)), scale);
        const y = share<T>(e);
        const other = share<T>(v128.div<T>(one, e));
        v128.store(at<T>(work, j), v128.mul<T>(rate, v128.mul<T>(y, other)));
        v128.store(at<T>(u, j), v128.mul<T>(rate, other));
      }
      for (let j = 0; j < n; j++) {
        const v = load<T>(at<T>(work, j));
        const weight = (logarithm ? load<T>(at<T>(u, j)) : v) * load<T>(at<T>(inflow, j));
        store<T>(at<T>(u, j), weight);
        along += <f64>weight;
        sum += <f64>v;
      }
      if (logarithm && sum < (sizeof<T>() == 4 ? 1e-20 : 1e-200)) sum = shares<T>(work, from, n, alpha, root);
    }
    if (!(sum > 0)) {
      memory.fill(to, 0, at<T>(0, n)); // a hard indicator: nothing moves
      continue;
    }
    const mean = <T>(along / sum);
    for (let j = 0; j < n; j++) store<T>(at<T>(to, j), load<T>(at<T>(u, j)) - load<T>(at<T>(work, j)) * mean);
  }
}

/** gx = gradient of ⟨g, y⟩, or of ⟨g, log y⟩. `work`: 2n elements and two vectors. */
export function ssofttopkBack(gx: usize, g: usize, x: usize, t: usize, rows: i32, n: i32, alpha: f64, logarithm: i32, work: usize): void {
  softtopkBack<f32>(gx, g, x, t, rows, n, alpha, logarithm, work);
}
/** gx = gradient of ⟨g, y⟩, or of ⟨g, log y⟩. `work`: 2n elements and two vectors. */
export function dsofttopkBack(gx: usize, g: usize, x: usize, t: usize, rows: i32, n: i32, alpha: f64, logarithm: i32, work: usize): void {
  softtopkBack<f64>(gx, g, x, t, rows, n, alpha, logarithm, work);
}

// Twins: plain bisection, sums in f64; S − k from what scores above −t lack and the others hold, so that a nearly hard S loses no digits.
function softtopkRef<T>(y: usize, t: usize, x: usize, rows: i32, n: i32, k: i32, alpha: f64, logarithm: i32): void {
  for (let row = 0; row < rows; row++) {
    const from = at<T>(x, row * n);
    let low: f64 = Infinity;
    let high: f64 = -Infinity;
    const margin = (10 + NativeMath.log(<f64>n)) / alpha;
    for (let j = 0; j < n; j++) {
      low = min(low, -(<f64>load<T>(at<T>(from, j))) - margin);
      high = max(high, -(<f64>load<T>(at<T>(from, j))) + margin);
    }
    for (let round = 0; round < 200; round++) {
      const middle = (low + high) / 2;
      let above = 0;
      let excess: f64 = 0;
      for (let j = 0; j < n; j++) {
        const u = alpha * (<f64>load<T>(at<T>(from, j)) + middle);
        excess += u > 0 ? -shareOf(-u) : shareOf(u);
        if (u > 0) above++;
      }
      if (<f64>(above - k) + excess < 0) low = middle;
      else high = middle;
    }
    const root = k == n ? Infinity : (low + high) / 2;
    store<f64>(at<f64>(t, row), root);
    for (let j = 0; j < n; j++) {
      const u = alpha * (<f64>load<T>(at<T>(from, j)) + root);
      const value = logarithm ? min(u, 0) - NativeMath.log1p(NativeMath.exp(-Math.abs(u))) : shareOf(u);
      store<T>(at<T>(y, row * n + j), <T>value);
    }
  }
}
function softtopkBackRef<T>(gx: usize, g: usize, x: usize, t: usize, rows: i32, n: i32, alpha: f64, logarithm: i32): void {
  for (let row = 0; row < rows; row++) {
    const root = load<f64>(at<f64>(t, row));
    let along: f64 = 0;
    let sum: f64 = 0;
    for (let j = row * n; j < (row + 1) * n; j++) {
      const y = shareOf(alpha * (<f64>load<T>(at<T>(x, j)) + root));
      const other = shareOf(-alpha * (<f64>load<T>(at<T>(x, j)) + root));
      along += <f64>load<T>(at<T>(g, j)) * alpha * other * (logarithm ? 1 : y);
      sum += alpha * y * other;
    }
    for (let j = row * n; j < (row + 1) * n; j++) {
      const y = shareOf(alpha * (<f64>load<T>(at<T>(x, j)) + root));
      const other = shareOf(-alpha * (<f64>load<T>(at<T>(x, j)) + root));
      const own = <f64>load<T>(at<T>(g, j)) * alpha * other * (logarithm ? 1 : y);
      store<T>(at<T>(gx, j), sum > 0 ? <T>(own - (alpha * y * other * along) / sum) : <T>0);
    }
  }
}

/** Indicators by bisection. */
export function ssofttopkRef(y: usize, t: usize, x: usize, rows: i32, n: i32, k: i32, alpha: f64, logarithm: i32, _work: usize): void {
  softtopkRef<f32>(y, t, x, rows, n, k, alpha, logarithm);
}
/** Indicators by bisection. */
export function dsofttopkRef(y: usize, t: usize, x: usize, rows: i32, n: i32, k: i32, alpha: f64, logarithm: i32, _work: usize): void {
  softtopkRef<f64>(y, t, x, rows, n, k, alpha, logarithm);
}
/** Gradients in f64. */
export function ssofttopkBackRef(gx: usize, g: usize, x: usize, t: usize, rows: i32, n: i32, alpha: f64, logarithm: i32, _work: usize): void {
  softtopkBackRef<f32>(gx, g, x, t, rows, n, alpha, logarithm);
}
/** Gradients in f64. */
export function dsofttopkBackRef(gx: usize, g: usize, x: usize, t: usize, rows: i32, n: i32, alpha: f64, logarithm: i32, _work: usize): void {
  softtopkBackRef<f64>(gx, g, x, t, rows, n, alpha, logarithm);
}
