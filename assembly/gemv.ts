// Matrix times vector and transposed matrix times vector, each one pass over the matrix: bound by memory, so what matters is that
// the vectors stay in L1 and the matrix is read in few long streams.
import { axpy, dot } from './dot';
import { at, hsum, lanes, madd } from './lib/lanes';

/** Columns of Aᵀx per pass: 16 KB of y stay in L1. */
const columns: i32 = 4096;
/** Elements of a dot product that are added in the precision of the data; longer rows continue in f64. */
export const run: i32 = 1024;

/** y = alpha·A·x + beta·y. */
export function sgemvRef(m: i32, n: i32, alpha: f32, a: usize, lda: i32, x: usize, beta: f32, y: usize): void {
  gemvRef<f32>(m, n, alpha, a, lda, 1, x, beta, y);
}
/** y = alpha·A·x + beta·y. */
export function dgemvRef(m: i32, n: i32, alpha: f64, a: usize, lda: i32, x: usize, beta: f64, y: usize): void {
  gemvRef<f64>(m, n, alpha, a, lda, 1, x, beta, y);
}
/** y = alpha·Aᵀ·x + beta·y. */
export function sgemvtRef(m: i32, n: i32, alpha: f32, a: usize, lda: i32, x: usize, beta: f32, y: usize): void {
  gemvRef<f32>(n, m, alpha, a, 1, lda, x, beta, y);
}
/** y = alpha·Aᵀ·x + beta·y. */
export function dgemvtRef(m: i32, n: i32, alpha: f64, a: usize, lda: i32, x: usize, beta: f64, y: usize): void {
  gemvRef<f64>(n, m, alpha, a, 1, lda, x, beta, y);
}
function gemvRef<T>(m: i32, n: i32, alpha: f64, a: usize, rs: i32, cs: i32, x: usize, beta: f64, y: usize): void {
  for (let i = 0; i < m; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < n; j++) sum += <f64>load<T>(at<T>(a, i * rs + j * cs)) * <f64>load<T>(at<T>(x, j));
    const to = at<T>(y, i);
    store<T>(to, <T>(alpha * sum + (beta == 0 ? 0 : beta * <f64>load<T>(to))));
  }
}

/** y [m] = alpha·A [m, n]·x [n] + beta·y; rows of A are lda elements apart; beta = 0 does not read y. Error ≤ 128·2⁻²⁴·|A||x|. */
export function sgemv(m: i32, n: i32, alpha: f32, a: usize, lda: i32, x: usize, beta: f32, y: usize): void {
  gemv<f32>(m, n, alpha, a, lda, x, beta, y);
}
/** As sgemv in f64. */
export function dgemv(m: i32, n: i32, alpha: f64, a: usize, lda: i32, x: usize, beta: f64, y: usize): void {
  gemv<f64>(m, n, alpha, a, lda, x, beta, y);
}
/** y = alpha·A·x + beta·y of either precision, four rows at a time; see sgemv. */
// @ts-ignore: decorator
@inline
export function gemv<T>(m: i32, n: i32, alpha: f64, a: usize, lda: i32, x: usize, beta: f64, y: usize): void {
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    const row = at<T>(a, i * lda);
    let s0: f64 = 0;
    let s1: f64 = 0;
    let s2: f64 = 0;
    let s3: f64 = 0;
    for (let j = 0; j < n; j += run) {
      const length = min(n - j, run);
      const p = at<T>(row, j);
      dot4<T>(length, p, at<T>(p, lda), at<T>(p, 2 * lda), at<T>(p, 3 * lda), at<T>(x, j));
      s0 += sum0;
      s1 += sum1;
      s2 += sum2;
      s3 += sum3;
    }
    put<T>(at<T>(y, i), alpha, s0, beta);
    put<T>(at<T>(y, i + 1), alpha, s1, beta);
    put<T>(at<T>(y, i + 2), alpha, s2, beta);
    put<T>(at<T>(y, i + 3), alpha, s3, beta);
  }
  for (; i < m; i++) {
    const row = at<T>(a, i * lda);
    let s: f64 = 0;
    for (let j = 0; j < n; j += run) {
      s += dot<T>(min(n - j, run), at<T>(row, j), at<T>(x, j));
    }
    put<T>(at<T>(y, i), alpha, s, beta);
  }
}

// @ts-ignore: decorator
@inline
function put<T>(to: usize, alpha: f64, sum: f64, beta: f64): void {
  store<T>(to, <T>(alpha * sum + (beta == 0 ? 0 : beta * <f64>load<T>(to))));
}

// What dot4 returns: wasm functions of AssemblyScript give back one value.
let sum0: f64 = 0;
let sum1: f64 = 0;
let sum2: f64 = 0;
let sum3: f64 = 0;

/** Dot products of four rows with one vector, into sum0 … sum3. */
export function dot4<T>(n: i32, p: usize, q: usize, r: usize, s: usize, x: usize): void {
  const step = 2 * lanes<T>();
  const whole = n - (n % step);
  let a = v128.splat<T>(0);
  let b = v128.splat<T>(0);
  let c = v128.splat<T>(0);
  let d = v128.splat<T>(0);
  let e = v128.splat<T>(0);
  let f = v128.splat<T>(0);
  let g = v128.splat<T>(0);
  let h = v128.splat<T>(0);
  let i = 0;
  for (; i < whole; i += step) {
    const o = at<T>(0, i);
    const v = v128.load(x + o);
    const w = v128.load(x + o, 16);
    a = madd<T>(v128.load(p + o), v, a);
    b = madd<T>(v128.load(p + o, 16), w, b);
    c = madd<T>(v128.load(q + o), v, c);
    d = madd<T>(v128.load(q + o, 16), w, d);
    e = madd<T>(v128.load(r + o), v, e);
    f = madd<T>(v128.load(r + o, 16), w, f);
    g = madd<T>(v128.load(s + o), v, g);
    h = madd<T>(v128.load(s + o, 16), w, h);
  }
  let pa = <f64>hsum<T>(v128.add<T>(a, b));
  let qa = <f64>hsum<T>(v128.add<T>(c, d));
  let ra = <f64>hsum<T>(v128.add<T>(e, f));
  let sa = <f64>hsum<T>(v128.add<T>(g, h));
  for (; i < n; i++) {
    const o = at<T>(0, i);
    const v = <f64>load<T>(x + o);
    pa += <f64>load<T>(p + o) * v;
    qa += <f64>load<T>(q + o) * v;
    ra += <f64>load<T>(r + o) * v;
    sa += <f64>load<T>(s + o) * v;
  }
  sum0 = pa;
  sum1 = qa;
  sum2 = ra;
  sum3 = sa;
}

/** y [n] = alpha·Aᵀ·x [m] + beta·y for A [m, n]; rows of A are lda elements apart; beta = 0 does not read y. */
export function sgemvt(m: i32, n: i32, alpha: f32, a: usize, lda: i32, x: usize, beta: f32, y: usize): void {
  gemvt<f32>(m, n, alpha, a, lda, x, beta, y);
}
/** As sgemvt in f64. */
export function dgemvt(m: i32, n: i32, alpha: f64, a: usize, lda: i32, x: usize, beta: f64, y: usize): void {
  gemvt<f64>(m, n, alpha, a, lda, x, beta, y);
}
/** y = alpha·Aᵀ·x + beta·y of either precision, four rows at a time; see sgemvt. */
// @ts-ignore: decorator
@inline
export function gemvt<T>(m: i32, n: i32, alpha: T, a: usize, lda: i32, x: usize, beta: T, y: usize): void {
  for (let j = 0; j < n; j += columns) {
    const length = min(n - j, columns);
    const to = at<T>(y, j);
    if (beta == 0) memory.fill(to, 0, at<T>(0, length));
    else if (beta != 1) for (let c = 0; c < length; c++) store<T>(at<T>(to, c), beta * load<T>(at<T>(to, c)));
    let i = 0;
    for (; i + 8 <= m; i += 8) axpy8<T>(length, alpha, at<T>(x, i), at<T>(a, i * lda + j), at<T>(0, lda), to);
    for (; i + 4 <= m; i += 4) {
      const p = at<T>(a, i * lda + j);
      const f = at<T>(x, i);
      const size = sizeof<T>();
      axpy4<T>(length, alpha * load<T>(f), p, alpha * load<T>(f + size), at<T>(p, lda), alpha * load<T>(f + 2 * size), at<T>(p, 2 * lda), alpha * load<T>(f + 3 * size), at<T>(p, 3 * lda), to);
    }
    for (; i < m; i++) axpy<T>(length, alpha * load<T>(at<T>(x, i)), at<T>(a, i * lda + j), to);
  }
}

/** y += f0·p + f1·q + f2·r + f3·s. */
export function axpy4<T>(n: i32, f0: T, p: usize, f1: T, q: usize, f2: T, r: usize, f3: T, s: usize, y: usize): void {
  const step = lanes<T>();
  const whole = n - (n % step);
  const v0 = v128.splat<T>(f0);
  const v1 = v128.splat<T>(f1);
  const v2 = v128.splat<T>(f2);
  const v3 = v128.splat<T>(f3);
  let i = 0;
  for (; i < whole; i += step) {
    const o = at<T>(0, i);
    const left = madd<T>(v0, v128.load(p + o), madd<T>(v1, v128.load(q + o), v128.load(y + o)));
    v128.store(y + o, v128.add<T>(left, madd<T>(v2, v128.load(r + o), v128.mul<T>(v3, v128.load(s + o)))));
  }
  for (; i < n; i++) {
    const o = at<T>(0, i);
    store<T>(y + o, load<T>(y + o) + (f0 * load<T>(p + o) + f1 * load<T>(q + o) + (f2 * load<T>(r + o) + f3 * load<T>(s + o))));
  }
}

/** y += alpha·Σ f_r·row_r over eight rows that are `stride` bytes apart. */
function axpy8<T>(n: i32, alpha: T, f: usize, p: usize, stride: usize, y: usize): void {
  const step = lanes<T>();
  const whole = n - (n % step);
  const size = sizeof<T>();
  const f0 = v128.splat<T>(alpha * load<T>(f));
  const f1 = v128.splat<T>(alpha * load<T>(f + size));
  const f2 = v128.splat<T>(alpha * load<T>(f + 2 * size));
  const f3 = v128.splat<T>(alpha * load<T>(f + 3 * size));
  const f4 = v128.splat<T>(alpha * load<T>(f + 4 * size));
  const f5 = v128.splat<T>(alpha * load<T>(f + 5 * size));
  const f6 = v128.splat<T>(alpha * load<T>(f + 6 * size));
  const f7 = v128.splat<T>(alpha * load<T>(f + 7 * size));
  const far = p + 4 * stride;
  const three = 3 * stride;
  let i = 0;
  for (; i < whole; i += step) {
    const o = at<T>(0, i);
    const near = p + o;
    const next = far + o;
    let left = madd<T>(f0, v128.load(near), v128.load(y + o));
    let right = v128.mul<T>(f1, v128.load(near + stride));
    left = madd<T>(f2, v128.load(near + 2 * stride), left);
    right = madd<T>(f3, v128.load(near + three), right);
    left = madd<T>(f4, v128.load(next), left);
    right = madd<T>(f5, v128.load(next + stride), right);
    left = madd<T>(f6, v128.load(next + 2 * stride), left);
    right = madd<T>(f7, v128.load(next + three), right);
    v128.store(y + o, v128.add<T>(left, right));
  }
  for (; i < n; i++) {
    let sum = load<T>(at<T>(y, i));
    for (let row: usize = 0; row < 8; row++) sum += alpha * load<T>(f + row * size) * load<T>(at<T>(p + row * stride, i));
    store<T>(at<T>(y, i), sum);
  }
}
