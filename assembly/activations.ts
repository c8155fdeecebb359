// Activation functions with their first and second derivatives, element by element, for both precisions.
// Codes: 0 identity, 1 relu, 2 tanh, 3 sigmoid, 4 gelu (exact, by the normal distribution), 5 gelu by its tanh form.
import { spare } from './memory';
import { vexp } from './lib/exp';
import { at, lanes, madd } from './lib/lanes';

const identity = 0;
const relu = 1;
const tanh = 2;
const sigmoid = 3;
const gelu = 4;
const geluTanh = 5;
const cubic = 0.044715; // gelu's tanh form: ½z(1 + tanh(√(2/π)(z + 0.044715 z³))), Hendrycks & Gimpel 2016
const slope = 0.7978845608028654; // √(2/π)
const density = 0.3989422804014327; // 1/√(2π)
const pole = 3.5; // the tail of the normal distribution is a polynomial in (z − pole)/(z + pole)

/** a[i] = f(z[i]), d1[i] = f′(z[i]), d2[i] = f″(z[i]); a null address skips that output. */
export function sactivateRef(code: i32, n: i32, z: usize, a: usize, d1: usize, d2: usize): void {
  activateRef<f32>(code, n, z, a, d1, d2);
}
/** a = f(z), d1 = f′(z), d2 = f″(z). */
export function dactivateRef(code: i32, n: i32, z: usize, a: usize, d1: usize, d2: usize): void {
  activateRef<f64>(code, n, z, a, d1, d2);
}
function activateRef<T>(code: i32, n: i32, z: usize, a: usize, d1: usize, d2: usize): void {
  for (let i = 0; i < n; i++) {
    const x = <f64>load<T>(at<T>(z, i));
    let value = x;
    let first: f64 = 1;
    let second: f64 = 0;
    if (code == relu) {
      value = x > 0 ? x : x != x ? x : 0;
      first = x > 0 ? 1 : 0;
    } else if (code == tanh) {
      value = NativeMath.tanh(x);
      first = 1 - value * value;
      second = -2 * value * first;
    } else if (code == sigmoid) {
      value = 1 / (1 + NativeMath.exp(-x));
      first = value * (1 - value);
      second = first * (1 - 2 * value);
    } else if (code == gelu) {
      const phi = density * NativeMath.exp(-0.5 * x * x);
      const cdf = normalRef(x);
      value = x * cdf;
      first = cdf + x * phi;
      second = phi * (2 - x * x);
    } else if (code == geluTanh) {
      const u = slope * (x + cubic * x * x * x);
      const e = NativeMath.exp(-2 * Math.abs(u));
      const t = NativeMath.tanh(u);
      const inner = slope * (1 + 3 * cubic * x * x);
      const turn = (4 * e) / ((1 + e) * (1 + e)); // 1 − t² without cancellation
      const gate = (u < 0 ? e : 1) / (1 + e); // ½(1 + t), likewise
      value = x * gate;
      first = gate + 0.5 * x * turn * inner;
      second = turn * inner + 0.5 * x * turn * (6 * slope * cubic * x - 2 * t * inner * inner);
    }
    if (a) store<T>(at<T>(a, i), <T>value);
    if (d1) store<T>(at<T>(d1, i), <T>first);
    if (d2) store<T>(at<T>(d2, i), <T>second);
  }
}

/** Normal distribution function: Marsaglia's series ½ + φ(x)(x + x³/3 + x⁵/15 + …), beyond 6 the continued fraction of its tail. */
function normalRef(x: f64): f64 {
  const phi = density * NativeMath.exp(-0.5 * x * x);
  const size = Math.abs(x);
  if (size < 6) {
    let term = x;
    let sum = x;
    for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(sum); k += 2) sum += term *= (x * x) / <f64>k;
    return 0.5 + phi * sum;
  }
  let fraction = size;
  for (let k = 40; k > 0; k--) fraction = size + <f64>k / fraction;
  return x < 0 ? phi / fraction : 1 - phi / fraction;
}

/** a = f(z), d1 = f′(z), d2 = f″(z); a null address skips that output; a may be z. Absolute error ≤ 4·2⁻²⁴·max(1, |z|) against the twin. */
export function sactivate(code: i32, n: i32, z: usize, a: usize, d1: usize, d2: usize): void {
  activate<f32>(code, n, z, a, d1, d2);
}
/** a = f(z), d1 = f′(z), d2 = f″(z); a null address skips that output; a may be z. Absolute error ≤ 8·2⁻⁵³·max(1, |z|). */
export function dactivate(code: i32, n: i32, z: usize, a: usize, d1: usize, d2: usize): void {
  activate<f64>(code, n, z, a, d1, d2);
}
// @ts-ignore: decorator
@inline
function activate<T>(code: i32, n: i32, z: usize, a: usize, d1: usize, d2: usize): void {
  if (code == relu) each<T>(relu, n, z, a, d1, d2);
  else if (code == tanh) each<T>(tanh, n, z, a, d1, d2);
  else if (code == sigmoid) each<T>(sigmoid, n, z, a, d1, d2);
  else if (code == gelu) each<T>(gelu, n, z, a, d1, d2);
  else if (code == geluTanh) each<T>(geluTanh, n, z, a, d1, d2);
  else each<T>(identity, n, z, a, d1, d2);
}

// @ts-ignore: decorator
@inline
function each<T>(code: i32, n: i32, z: usize, a: usize, d1: usize, d2: usize): void {
  const whole = n - (n % lanes<T>());
  let i = 0;
  for (; i < whole; i += lanes<T>()) {
    emit<T>(code, v128.load(at<T>(z, i)), a ? at<T>(a, i) : 0, d1 ? at<T>(d1, i) : 0, d2 ? at<T>(d2, i) : 0);
  }
  if (i == n) return;
  // The last, partial vector is computed aside: kernels may load past the end, never store.
  emit<T>(code, v128.load(at<T>(z, i)), spare, spare + 16, spare + 32);
  for (let j = 0; i < n; i++, j++) {
    if (a) store<T>(at<T>(a, i), load<T>(at<T>(spare, j)));
    if (d1) store<T>(at<T>(d1, i), load<T>(at<T>(spare, j), 16));
    if (d2) store<T>(at<T>(d2, i), load<T>(at<T>(spare, j), 32));
  }
}

// @ts-ignore: decorator
@inline
function emit<T>(code: i32, x: v128, a: usize, d1: usize, d2: usize): void {
  const one = v128.splat<T>(<T>1);
  const zero = v128.splat<T>(<T>0);
  if (code == identity) {
    put(a, x), put(d1, one), put(d2, zero);
  } else if (code == relu) {
    put(a, v128.pmax<T>(x, zero)); // NaN stays: pmax keeps its first operand when the comparison fails
    put(d1, v128.and(v128.gt<T>(x, zero), one));
    put(d2, zero);
  } else if (code == tanh) {
    const e = vexp<T>(v128.mul<T>(v128.abs<T>(x), v128.splat<T>(<T>-2)));
    const t = tanhFrom<T>(x, e);
    const first = tanhSlope<T>(e);
    put(a, t), put(d1, first);
    put(d2, v128.mul<T>(v128.mul<T>(v128.splat<T>(<T>-2), t), first));
  } else if (code == sigmoid) {
    const e = vexp<T>(v128.neg<T>(v128.abs<T>(x)));
    const whole = v128.div<T>(one, v128.add<T>(one, e));
    const part = v128.mul<T>(e, whole);
    const value = v128.bitselect(part, whole, v128.lt<T>(x, zero));
    const first = v128.mul<T>(whole, part);
    put(a, value), put(d1, first);
    put(d2, v128.mul<T>(first, v128.sub<T>(one, v128.add<T>(value, value))));
  } else if (code == gelu) {
    const squared = v128.mul<T>(x, x);
    const e = vexp<T>(v128.mul<T>(squared, v128.splat<T>(<T>-0.5)));
    const tail = normalTail<T>(v128.abs<T>(x), e);
    const cdf = v128.bitselect(tail, v128.sub<T>(one, tail), v128.lt<T>(x, zero));
    const phi = v128.mul<T>(e, v128.splat<T>(<T>density));
    put(a, v128.mul<T>(x, cdf));
    put(d1, madd<T>(x, phi, cdf));
    put(d2, v128.mul<T>(phi, v128.sub<T>(v128.splat<T>(<T>2), squared)));
  } else if (code == geluTanh) {
    const half = v128.splat<T>(<T>0.5);
    const squared = v128.mul<T>(x, x);
    const u = v128.mul<T>(v128.mul<T>(v128.splat<T>(<T>slope), x), madd<T>(v128.splat<T>(<T>cubic), squared, one));
    const e = vexp<T>(v128.mul<T>(v128.abs<T>(u), v128.splat<T>(<T>-2)));
    const t = tanhFrom<T>(u, e);
    const turn = tanhSlope<T>(e);
    const inner = v128.mul<T>(v128.splat<T>(<T>slope), madd<T>(v128.splat<T>(<T>(3 * cubic)), squared, one));
    const gate = v128.div<T>(v128.bitselect(e, one, v128.lt<T>(u, zero)), v128.add<T>(one, e)); // ½(1 + t)
    const bend = v128.mul<T>(turn, inner);
    const halfX = v128.mul<T>(half, x);
    put(a, v128.mul<T>(x, gate));
    put(d1, madd<T>(halfX, bend, gate));
    const third = v128.mul<T>(v128.splat<T>(<T>(6 * slope * cubic)), x);
    const twice = v128.mul<T>(v128.mul<T>(v128.add<T>(t, t), inner), inner);
    put(d2, madd<T>(v128.mul<T>(halfX, turn), v128.sub<T>(third, twice), bend));
  }
}

// @ts-ignore: decorator
@inline
function put(address: usize, v: v128): void {
  if (address) v128.store(address, v);
}

/** 1 − tanh² from e = e^(−2|x|): 4e/(1 + e)², no cancellation where tanh saturates. */
// @ts-ignore: decorator
@inline
function tanhSlope<T>(e: v128): v128 {
  const sum = v128.add<T>(v128.splat<T>(<T>1), e);
  return v128.div<T>(v128.mul<T>(v128.splat<T>(<T>4), e), v128.mul<T>(sum, sum));
}

/** tanh x from e = e^(−2|x|); near 0, where that form cancels, x + x³·q(x²) with q interpolated at Chebyshev nodes. */
// @ts-ignore: decorator
@inline
function tanhFrom<T>(x: v128, e: v128): v128 {
  const one = v128.splat<T>(<T>1);
  const far = v128.div<T>(v128.sub<T>(one, e), v128.add<T>(one, e));
  const sign = v128.splat<T>(<T>-0.0);
  const y = v128.mul<T>(x, x);
  let q: v128;
  if (sizeof<T>() == 4) {
    q = v128.splat<T>(<T>-0.006096714165908197); // relative error of tanh 1.7e-8 up to 0.625
    q = madd<T>(q, y, v128.splat<T>(<T>0.020997178999074752));
    q = madd<T>(q, y, v128.splat<T>(<T>-0.05385090957851358));
    q = madd<T>(q, y, v128.splat<T>(<T>0.13332769736976327));
    q = madd<T>(q, y, v128.splat<T>(<T>-0.33333328944134255));
  } else {
    q = v128.splat<T>(<T>5.390642014172176e-5); // relative error 8e-17 up to 0.55
    q = madd<T>(q, y, v128.splat<T>(<T>-0.00021454222089075102));
    q = madd<T>(q, y, v128.splat<T>(<T>0.0005817724407868131));
    q = madd<T>(q, y, v128.splat<T>(<T>-0.0014541180436174583));
    q = madd<T>(q, y, v128.splat<T>(<T>0.003591904413192802));
    q = madd<T>(q, y, v128.splat<T>(<T>-0.008863217663269123));
    q = madd<T>(q, y, v128.splat<T>(<T>0.021869487712363182));
    q = madd<T>(q, y, v128.splat<T>(<T>-0.05396825394889914));
    q = madd<T>(q, y, v128.splat<T>(<T>0.13333333333315647));
    q = madd<T>(q, y, v128.splat<T>(<T>-0.3333333333333331));
  }
  const near = madd<T>(v128.mul<T>(x, y), q, x);
  const limit = sizeof<T>() == 4 ? <T>0.625 : <T>0.55;
  return v128.bitselect(near, v128.or(far, v128.and(x, sign)), v128.lt<T>(v128.abs<T>(x), v128.splat<T>(limit)));
}

/**
 * 1 − Φ(z) for z ≥ 0, given e = e^(−z²/2): e·p(t)/(z + 3.5), t = (z − 3.5)/(z + 3.5). p interpolates the scaled tail at Chebyshev
 * nodes on the whole half-line; relative error 1.2e-8 (f32) and 3.2e-16 (f64) before rounding.
 */
// @ts-ignore: decorator
@inline
function normalTail<T>(size: v128, e: v128): v128 {
  const z = v128.pmin<T>(size, v128.splat<T>(<T>1000)); // e is 0 there; keeps t finite at infinity
  const sum = v128.add<T>(z, v128.splat<T>(<T>pole));
  const t = v128.div<T>(v128.sub<T>(z, v128.splat<T>(<T>pole)), sum);
  let p: v128;
  if (sizeof<T>() == 4) {
    p = v128.splat<T>(<T>-4.976688935476645e-5);
    p = madd<T>(p, t, v128.splat<T>(<T>3.463520082150395e-5));
    p = madd<T>(p, t, v128.splat<T>(<T>0.00045269391972833255));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.0004177685981731509));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.0031789859006871686));
    p = madd<T>(p, t, v128.splat<T>(<T>0.006465234076703062));
    p = madd<T>(p, t, v128.splat<T>(<T>0.01740605873388274));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.11604904539383049));
    p = madd<T>(p, t, v128.splat<T>(<T>0.3154250579533054));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.5655619087289742));
    p = madd<T>(p, t, v128.splat<T>(<T>0.7444160754359381));
  } else {
    p = v128.splat<T>(<T>3.804705887649613e-9);
    p = madd<T>(p, t, v128.splat<T>(<T>3.3712599699778165e-9));
    p = madd<T>(p, t, v128.splat<T>(<T>-3.153671572603387e-8));
    p = madd<T>(p, t, v128.splat<T>(<T>-4.56663175592812e-8));
    p = madd<T>(p, t, v128.splat<T>(<T>1.149168552174176e-7));
    p = madd<T>(p, t, v128.splat<T>(<T>3.1382974572407185e-7));
    p = madd<T>(p, t, v128.splat<T>(<T>-1.3372048540090635e-7));
    p = madd<T>(p, t, v128.splat<T>(<T>-1.494691663262839e-6));
    p = madd<T>(p, t, v128.splat<T>(<T>-1.1711918205883623e-6));
    p = madd<T>(p, t, v128.splat<T>(<T>5.660153226983406e-6));
    p = madd<T>(p, t, v128.splat<T>(<T>1.1509173211516434e-5));
    p = madd<T>(p, t, v128.splat<T>(<T>-1.8791813939775615e-5));
    p = madd<T>(p, t, v128.splat<T>(<T>-7.55853189865464e-5));
    p = madd<T>(p, t, v128.splat<T>(<T>6.703390538930291e-5));
    p = madd<T>(p, t, v128.splat<T>(<T>0.00047665720479395985));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.00044501304648164553));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.0031891010571184087));
    p = madd<T>(p, t, v128.splat<T>(<T>0.006476218927643261));
    p = madd<T>(p, t, v128.splat<T>(<T>0.017407832602389744));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.11605092871437102));
    p = madd<T>(p, t, v128.splat<T>(<T>0.3154249698879487));
    p = madd<T>(p, t, v128.splat<T>(<T>-0.5655618160537756));
    p = madd<T>(p, t, v128.splat<T>(<T>0.7444160754359381));
  }
  return v128.div<T>(v128.mul<T>(e, p), sum);
}
