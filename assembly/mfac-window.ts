// What the sliding window of M-FAC needs: products with its rows and combinations of them in f64, and the inverse after a replacement.
import { axpy, dot } from './dot';
import { gemv } from './gemv';
import { at, hsum, madd } from './lib/lanes';

/** Columns of a combination per pass over the rows: 256 kB of sums stay in L2, and rows are read in pieces long enough to prefetch. */
const strip: i32 = 32768;

/** out [m] (f64) = A x; see srowDots. */
export function srowDotsRef(m: i32, n: i32, a: usize, lda: i32, x: usize, out: usize): void {
  rowDotsRef<f32>(m, n, a, lda, x, out);
}
/** out [m] = A x. */
export function drowDotsRef(m: i32, n: i32, a: usize, lda: i32, x: usize, out: usize): void {
  rowDotsRef<f64>(m, n, a, lda, x, out);
}
function rowDotsRef<T>(m: i32, n: i32, a: usize, lda: i32, x: usize, out: usize): void {
  for (let i = 0; i < m; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < n; j++) sum += <f64>load<T>(at<T>(a, i * lda + j)) * <f64>load<T>(at<T>(x, j));
    store<f64>(at<f64>(out, i), sum);
  }
}

/** out [m] (f64) = A [m, n]·x [n], products and sums in f64: for f32 numbers the products are exact. */
export function srowDots(m: i32, n: i32, a: usize, lda: i32, x: usize, out: usize): void {
  rowDots<f32>(m, n, a, lda, x, out);
}
/** As srowDots for f64 numbers. */
export function drowDots(m: i32, n: i32, a: usize, lda: i32, x: usize, out: usize): void {
  rowDots<f64>(m, n, a, lda, x, out);
}
// @ts-ignore: decorator
@inline
function rowDots<T>(m: i32, n: i32, a: usize, lda: i32, x: usize, out: usize): void {
  // The last rows of a count that is not a multiple of eight are read again in place of those that do not exist.
  for (let i = 0; i < m; i += 8) {
    const last = m - 1 - i;
    const p = at<T>(a, i * lda);
    const size = at<T>(0, lda);
    eightDots<T>(n, p, size * min(1, last), size * min(2, last), size * min(3, last), size * min(4, last), size * min(5, last), size * min(6, last), size * min(7, last), x);
    const to = at<f64>(out, i);
    store<f64>(to, d0);
    if (last > 0) store<f64>(to, d1, 8);
    if (last > 1) store<f64>(to, d2, 16);
    if (last > 2) store<f64>(to, d3, 24);
    if (last > 3) store<f64>(to, d4, 32);
    if (last > 4) store<f64>(to, d5, 40);
    if (last > 5) store<f64>(to, d6, 48);
    if (last > 6) store<f64>(to, d7, 56);
  }
}

// What eightDots returns.
let d0: f64 = 0;
let d1: f64 = 0;
let d2: f64 = 0;
let d3: f64 = 0;
let d4: f64 = 0;
let d5: f64 = 0;
let d6: f64 = 0;
let d7: f64 = 0;

/** Dot products in f64 of x with the rows at p, p + r1 … p + r7 bytes, into d0 … d7: as many streams as memory answers at once. */
function eightDots<T>(n: i32, p: usize, r1: usize, r2: usize, r3: usize, r4: usize, r5: usize, r6: usize, r7: usize, x: usize): void {
  let a0 = f64x2.splat(0);
  let a1 = f64x2.splat(0);
  let a2 = f64x2.splat(0);
  let a3 = f64x2.splat(0);
  let a4 = f64x2.splat(0);
  let a5 = f64x2.splat(0);
  let a6 = f64x2.splat(0);
  let a7 = f64x2.splat(0);
  let j = 0;
  for (; j + 2 <= n; j += 2) {
    const q = at<T>(p, j);
    const v = pair<T>(at<T>(x, j));
    a0 = madd<f64>(pair<T>(q), v, a0);
    a1 = madd<f64>(pair<T>(q + r1), v, a1);
    a2 = madd<f64>(pair<T>(q + r2), v, a2);
    a3 = madd<f64>(pair<T>(q + r3), v, a3);
    a4 = madd<f64>(pair<T>(q + r4), v, a4);
    a5 = madd<f64>(pair<T>(q + r5), v, a5);
    a6 = madd<f64>(pair<T>(q + r6), v, a6);
    a7 = madd<f64>(pair<T>(q + r7), v, a7);
  }
  const odd = j < n;
  const q = at<T>(p, j);
  const v: f64 = odd ? <f64>load<T>(at<T>(x, j)) : 0;
  d0 = hsum<f64>(a0) + (odd ? v * <f64>load<T>(q) : 0);
  d1 = hsum<f64>(a1) + (odd ? v * <f64>load<T>(q + r1) : 0);
  d2 = hsum<f64>(a2) + (odd ? v * <f64>load<T>(q + r2) : 0);
  d3 = hsum<f64>(a3) + (odd ? v * <f64>load<T>(q + r3) : 0);
  d4 = hsum<f64>(a4) + (odd ? v * <f64>load<T>(q + r4) : 0);
  d5 = hsum<f64>(a5) + (odd ? v * <f64>load<T>(q + r5) : 0);
  d6 = hsum<f64>(a6) + (odd ? v * <f64>load<T>(q + r6) : 0);
  d7 = hsum<f64>(a7) + (odd ? v * <f64>load<T>(q + r7) : 0);
}

/** Two neighbouring numbers as f64. */
// @ts-ignore: decorator
@inline
function pair<T>(p: usize): v128 {
  return sizeof<T>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(p)) : v128.load(p);
}

/** y = alpha·Aᵀc + beta·x; see scombineRows. */
export function scombineRowsRef(m: i32, n: i32, alpha: f64, a: usize, lda: i32, c: usize, beta: f64, x: usize, y: usize, work: usize): void {
  combineRowsRef<f32>(m, n, alpha, a, lda, c, beta, x, y);
}
/** y = alpha·Aᵀc + beta·x; see dcombineRows. */
export function dcombineRowsRef(m: i32, n: i32, alpha: f64, a: usize, lda: i32, c: usize, beta: f64, x: usize, y: usize, work: usize): void {
  combineRowsRef<f64>(m, n, alpha, a, lda, c, beta, x, y);
}
function combineRowsRef<T>(m: i32, n: i32, alpha: f64, a: usize, lda: i32, c: usize, beta: f64, x: usize, y: usize): void {
  for (let j = 0; j < n; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < m; i++) sum += <f64>load<T>(at<T>(a, i * lda + j)) * load<f64>(at<f64>(c, i));
    store<T>(at<T>(y, j), <T>(alpha * sum + (beta == 0 ? 0 : beta * <f64>load<T>(at<T>(x, j)))));
  }
}

/** y [n] = alpha·Aᵀc + beta·x for f32 A [m, n], x and y, f64 c [m]; summed in f64, rounded once. y may be x. work: min(n, 32768) f64. */
export function scombineRows(m: i32, n: i32, alpha: f64, a: usize, lda: i32, c: usize, beta: f64, x: usize, y: usize, work: usize): void {
  combineRows<f32>(m, n, alpha, a, lda, c, beta, x, y, work);
}
/** As scombineRows for f64. */
export function dcombineRows(m: i32, n: i32, alpha: f64, a: usize, lda: i32, c: usize, beta: f64, x: usize, y: usize, work: usize): void {
  combineRows<f64>(m, n, alpha, a, lda, c, beta, x, y, work);
}
// @ts-ignore: decorator
@inline
function combineRows<T>(m: i32, n: i32, alpha: f64, a: usize, lda: i32, c: usize, beta: f64, x: usize, y: usize, work: usize): void {
  const size = at<T>(0, lda);
  for (let j0 = 0; j0 < n; j0 += strip) {
    const length = min(strip, n - j0);
    memory.fill(work, 0, at<f64>(0, length));
    for (let i = 0; i < m; i += 8) {
      const last = m - 1 - i;
      const p = at<T>(a, i * lda + j0);
      const f = at<f64>(c, i);
      addEight<T>(length, last, f, p, size * min(1, last), size * min(2, last), size * min(3, last), size * min(4, last), size * min(5, last), size * min(6, last), size * min(7, last), work);
    }
    const valpha = f64x2.splat(alpha);
    const vbeta = f64x2.splat(beta);
    let j = 0;
    for (; j + 2 <= length; j += 2) {
      const o = at<T>(0, j0 + j);
      const sum = f64x2.mul(valpha, v128.load(at<f64>(work, j)));
      const value = beta == 0 ? sum : madd<f64>(vbeta, pair<T>(x + o), sum);
      if (sizeof<T>() == 4) v128.store64_lane(y + o, f32x4.demote_f64x2_zero(value), 0);
      else v128.store(y + o, value);
    }
    if (j < length) {
      const from = at<T>(x, j0 + j);
      store<T>(at<T>(y, j0 + j), <T>(alpha * load<f64>(at<f64>(work, j)) + (beta == 0 ? 0 : beta * <f64>load<T>(from))));
    }
  }
}

/** out += Σ f_k·row_k over the rows at p, p + r1 … p + r7 bytes; rows beyond `last` repeat the last one and count as zero. */
function addEight<T>(n: i32, last: i32, f: usize, p: usize, r1: usize, r2: usize, r3: usize, r4: usize, r5: usize, r6: usize, r7: usize, out: usize): void {
  const f0 = load<f64>(f);
  const f1 = last > 0 ? load<f64>(f, 8) : 0;
  const f2 = last > 1 ? load<f64>(f, 16) : 0;
  const f3 = last > 2 ? load<f64>(f, 24) : 0;
  const f4 = last > 3 ? load<f64>(f, 32) : 0;
  const f5 = last > 4 ? load<f64>(f, 40) : 0;
  const f6 = last > 5 ? load<f64>(f, 48) : 0;
  const f7 = last > 6 ? load<f64>(f, 56) : 0;
  const v0 = f64x2.splat(f0);
  const v1 = f64x2.splat(f1);
  const v2 = f64x2.splat(f2);
  const v3 = f64x2.splat(f3);
  const v4 = f64x2.splat(f4);
  const v5 = f64x2.splat(f5);
  const v6 = f64x2.splat(f6);
  const v7 = f64x2.splat(f7);
  let j = 0;
  for (; j + 2 <= n; j += 2) {
    const q = at<T>(p, j);
    const to = at<f64>(out, j);
    let left = madd<f64>(v0, pair<T>(q), v128.load(to));
    let right = f64x2.mul(v1, pair<T>(q + r1));
    left = madd<f64>(v2, pair<T>(q + r2), left);
    right = madd<f64>(v3, pair<T>(q + r3), right);
    left = madd<f64>(v4, pair<T>(q + r4), left);
    right = madd<f64>(v5, pair<T>(q + r5), right);
    left = madd<f64>(v6, pair<T>(q + r6), left);
    right = madd<f64>(v7, pair<T>(q + r7), right);
    v128.store(to, f64x2.add(left, right));
  }
  if (j < n) {
    const q = at<T>(p, j);
    const to = at<f64>(out, j);
    const left = load<f64>(to) + f0 * <f64>load<T>(q) + f2 * <f64>load<T>(q + r2) + f4 * <f64>load<T>(q + r4) + f6 * <f64>load<T>(q + r6);
    store<f64>(to, left + (f1 * <f64>load<T>(q + r1) + f3 * <f64>load<T>(q + r3) + f5 * <f64>load<T>(q + r5) + f7 * <f64>load<T>(q + r7)));
  }
}

/** The inverse after a row and column were replaced; see dreplaceInverse. */
export function dreplaceInverseRef(m: i32, slot: i32, c: usize, B: usize, work: usize): f64 {
  const q = at<f64>(work, m);
  const pivot = load<f64>(at<f64>(B, slot * m + slot));
  for (let i = 0; i < m; i++) store<f64>(at<f64>(work, i), load<f64>(at<f64>(B, i * m + slot)));
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      const to = at<f64>(B, i * m + j);
      const gone = i == slot || j == slot;
      store<f64>(to, gone ? 0 : load<f64>(to) - (load<f64>(at<f64>(work, i)) * load<f64>(at<f64>(work, j))) / pivot);
    }
  }
  let schur = load<f64>(at<f64>(c, slot));
  for (let i = 0; i < m; i++) {
    let sum: f64 = i == slot ? -1 : 0;
    for (let j = 0; j < m; j++) sum += load<f64>(at<f64>(B, i * m + j)) * load<f64>(at<f64>(c, j));
    store<f64>(at<f64>(q, i), sum);
    if (i != slot) schur -= sum * load<f64>(at<f64>(c, i));
  }
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < m; j++) {
      const to = at<f64>(B, i * m + j);
      store<f64>(to, load<f64>(to) + (load<f64>(at<f64>(q, i)) * load<f64>(at<f64>(q, j))) / schur);
    }
  }
  return schur;
}

/**
 * B [m, m] is the inverse of a symmetric positive definite K; row and column `slot` of K become c [m]: B follows in O(m²), by taking the
 * row out (B −= ppᵀ/B_ss, p its column) and putting the new one in (B += zzᵀ/σ). Returns σ, the new row's distance² from the others, > 0
 * for a K that stays definite; B is worthless otherwise. work: 2m elements.
 */
export function dreplaceInverse(m: i32, slot: i32, c: usize, B: usize, work: usize): f64 {
  const p = work;
  const z = at<f64>(work, m);
  memory.copy(p, at<f64>(B, slot * m), at<f64>(0, m));
  const pivot = load<f64>(at<f64>(p, slot));
  const diagonal = load<f64>(at<f64>(c, slot));
  // z = (B − ppᵀ/B_ss)c without row and column slot, from B as it is.
  store<f64>(at<f64>(c, slot), 0);
  gemv<f64>(m, m, 1, B, m, c, 0, z);
  axpy<f64>(m, -dot<f64>(m, p, c) / pivot, p, z);
  store<f64>(at<f64>(z, slot), 0);
  const schur = diagonal - dot<f64>(m, z, c);
  store<f64>(at<f64>(c, slot), diagonal);
  store<f64>(at<f64>(z, slot), -1);
  store<f64>(at<f64>(p, slot), 0);
  memory.fill(at<f64>(B, slot * m), 0, at<f64>(0, m));
  for (let i = 0; i < m; i++) {
    const row = at<f64>(B, i * m);
    store<f64>(at<f64>(row, slot), 0);
    addBoth(m, row, -load<f64>(at<f64>(p, i)) / pivot, p, load<f64>(at<f64>(z, i)) / schur, z);
  }
  return schur;
}

/** row += a·p + b·z. */
// @ts-ignore: decorator
@inline
function addBoth(n: i32, row: usize, a: f64, p: usize, b: f64, z: usize): void {
  const va = f64x2.splat(a);
  const vb = f64x2.splat(b);
  let j = 0;
  for (; j + 2 <= n; j += 2) {
    const o = at<f64>(0, j);
    v128.store(row + o, madd<f64>(vb, v128.load(z + o), madd<f64>(va, v128.load(p + o), v128.load(row + o))));
  }
  for (; j < n; j++) {
    const o = at<f64>(0, j);
    store<f64>(row + o, load<f64>(row + o) + a * load<f64>(p + o) + b * load<f64>(z + o));
  }
}
