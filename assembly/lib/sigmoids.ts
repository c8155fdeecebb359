// Sums of sigmoids over a row and the shift at which they reach a number: the core of soft top-k (assembly/soft-topk.ts).
import { vexp } from './exp';
import { at, hsum, lanes } from './lanes';

/** Largest move of the exponent before e is taken anew: both directions stay inside f32. */
const reach: f64 = 30;

/** e[j] = e^(−alpha·(x[j·stride] + t)) for j < n; the tail of the last vector is +∞, whose σ is 0. */
// @ts-ignore: decorator
@inline
export function exponents<T>(e: usize, x: usize, n: i32, stride: i32, alpha: T, t: T): void {
  const rate = v128.splat<T>(-alpha);
  const shift = v128.splat<T>(t);
  const whole = n - (n % lanes<T>());
  if (stride == 1) {
    for (let j = 0; j < whole; j += lanes<T>()) {
      v128.store(at<T>(e, j), vexp<T>(v128.mul<T>(rate, v128.add<T>(v128.load(at<T>(x, j)), shift))));
    }
    for (let j = whole; j < n; j++) store<T>(at<T>(e, j), load<T>(at<T>(x, j)));
  } else for (let j = 0; j < n; j++) store<T>(at<T>(e, j), load<T>(at<T>(x, j * stride)));
  for (let j = stride == 1 ? whole : 0; j < n; j += lanes<T>()) {
    v128.store(at<T>(e, j), vexp<T>(v128.mul<T>(rate, v128.add<T>(v128.load(at<T>(e, j)), shift))));
  }
  for (let j = n; j % lanes<T>(); j++) store<T>(at<T>(e, j), <T>Infinity);
}

/** 1/(1 + e), e ≥ 0; e is bounded so that shares and their products with gradients stay out of the slow denormal range. */
// @ts-ignore: decorator
@inline
export function share<T>(e: v128): v128 {
  const one = v128.splat<T>(<T>1);
  return v128.div<T>(one, v128.add<T>(one, v128.pmin<T>(e, v128.splat<T>(sizeof<T>() == 4 ? <T>1e30 : <T>1e300))));
}

/** The largest exponent of a factor on e: infinities and zeros of e then stay what they are. */
// @ts-ignore: decorator
@inline
export function factorOf<T>(exponent: f64): T {
  const most: f64 = sizeof<T>() == 4 ? 80 : 700;
  return <T>NativeMath.exp(max<f64>(-most, min<f64>(most, exponent)));
}

/** S of the last call of `sums`; its derivative is returned. */
let total: f64 = 0;
/** Σ σ(1 − σ) where the last call of `solve` ended. */
export let slope: f64 = 0;

/** total = Σ σ, and Σ σ(1 − σ), with σ = 1/(1 + e·factor); partial sums of 256 vectors are taken over into f64. */
// @ts-ignore: decorator
@inline
function sums<T>(e: usize, n: i32, factor: T): f64 {
  const one = v128.splat<T>(<T>1);
  const scale = v128.splat<T>(factor);
  let all: f64 = 0;
  let spread: f64 = 0;
  for (let start = 0; start < n; start += 256 * lanes<T>()) {
    const end = min(n, start + 256 * lanes<T>());
    let a = v128.splat<T>(<T>0);
    let b = v128.splat<T>(<T>0);
    for (let j = start; j < end; j += lanes<T>()) {
      const y = share<T>(v128.mul<T>(v128.load(at<T>(e, j)), scale));
      a = v128.add<T>(a, y);
      b = v128.add<T>(b, v128.mul<T>(y, v128.sub<T>(one, y)));
    }
    all += <f64>hsum<T>(a);
    spread += <f64>hsum<T>(b);
  }
  total = all;
  return spread;
}

/** Shift at which the last call of `solve` left its exponents. */
export let base: f64 = 0;

/**
 * The root t of Σ σ(alpha·(x[j·stride] + t)) = k over j < n, 0 < k < n, from a first guess, inside [low, high]. On return e holds the
 * exponents at `base`: those at t are e^(−alpha·(t − base)) times as large.
 */
// @ts-ignore: decorator
@inline
export function solve<T>(e: usize, x: usize, n: i32, stride: i32, k: f64, alpha: f64, guess: f64, low: f64, high: f64, tolerance: f64): f64 {
  let t = guess;
  base = <f64>(<T>t);
  exponents<T>(e, x, n, stride, <T>alpha, <T>base);
  const goal = NativeMath.log(k / (<f64>n - k));
  const bottom = low;
  const top = high;
  let cut = false; // whether the last step went back to a bound
  for (let round = 0; round < 200; round++) {
    if (alpha * Math.abs(t - base) > reach) {
      base = <f64>(<T>t);
      exponents<T>(e, x, n, stride, <T>alpha, <T>base);
    }
    const spread = sums<T>(e, n, factorOf<T>(-alpha * (t - base)));
    slope = spread;
    const s = total;
    if (s > k) high = t;
    else low = t;
    if (Math.abs(s - k) <= (sizeof<T>() == 4 ? 1e-7 : 4e-16) * k) break; // as near as the sum can tell
    const rest = <f64>n - s;
    const step = ((goal - NativeMath.log(s / rest)) * s * rest) / (<f64>n * alpha * spread);
    const next = t + step;
    if (next > low && next < high) {
      t = next;
      cut = false;
      if (Math.abs(step) * alpha <= tolerance) break;
    } else if (Math.abs(step) * alpha <= 1e-13 || high - low <= 1e-15 * Math.abs(t)) {
      break; // the step is rounding
    } else if (!cut && next >= high && high < top) {
      // Past a bound that was seen: from the bound itself Newton falls back inside, where a bisection would give away its speed.
      t = high;
      cut = true;
    } else if (!cut && next <= low && low > bottom) {
      t = low;
      cut = true;
    } else {
      t = (low + high) / 2; // also when s is 0 or n, or nothing is between
      cut = false;
    }
  }
  return t;
}

/** Takes e anew at the root where it lies too far from `base`. */
// @ts-ignore: decorator
@inline
export function rebase<T>(e: usize, x: usize, n: i32, alpha: f64, root: f64): void {
  if (alpha * Math.abs(root - base) <= reach) return;
  base = <f64>(<T>root);
  exponents<T>(e, x, n, 1, <T>alpha, <T>base);
}

/** Exponents from here on add nothing to a sum that holds a 1. */
const negligible: f64 = 40;

/**
 * The root where Σ σ is k to rounding on a whole interval: k scores lie above −t, and what they lack, Σ (1 − σ), is what the others hold,
 * Σ σ. With a and b the scores nearest to the gap, both sums are e^(−α(a+t))·A and e^(α(b+t))·B with A, B near 1: a fixed point in t that
 * contracts by e^(−α(a−b)/2). Returns t as it is where the count above it is not k.
 */
export function balanced<T>(x: usize, n: i32, k: i32, alpha: f64, t: f64): f64 {
  let a: f64 = Infinity;
  let b: f64 = -Infinity;
  let above = 0;
  for (let j = 0; j < n; j++) {
    const value = <f64>load<T>(at<T>(x, j));
    if (value + t > 0) {
      a = min<f64>(a, value);
      above++;
    } else b = max<f64>(b, value);
  }
  if (above != k || above == n) return t;
  let root = -(a / 2 + b / 2);
  for (let round = 0; round < 8; round++) {
    let A: f64 = 0;
    let B: f64 = 0;
    for (let j = 0; j < n; j++) {
      const value = <f64>load<T>(at<T>(x, j));
      const up = value >= a;
      const far = alpha * (up ? value - a : b - value);
      if (!(far < negligible)) continue;
      const part = NativeMath.exp(-far) / (1 + NativeMath.exp(-alpha * Math.abs(value + root)));
      if (up) A += part;
      else B += part;
    }
    const next = -(a / 2 + b / 2) + (NativeMath.log(A) - NativeMath.log(B)) / (2 * alpha);
    const move = alpha * Math.abs(next - root);
    root = next;
    if (move <= 1e-12) break;
  }
  return root;
}
