// What the sliding window of M-FAC needs: products with its rows and combinations of them in f64, and the inverse after a replacement.
import { axpy, dot } from './dot';
import { gemv } from './gemv';
import { at, hsum, madd } from './lib/lanes';

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
  const step: usize = 2 * sizeof<T>();
  for (let i = 0; i < m; i += 4) {
    // The last rows of a count that is not a multiple of four are read again in place of those that do not exist.
    const p = at<T>(a, i * lda);
    const q = at<T>(a, min(i + 1, m - 1) * lda);
    const r = at<T>(a, min(i + 2, m - 1) * lda);
    const s = at<T>(a, min(i + 3, m - 1) * lda);
    let a0 = f64x2.splat(0);
    let a1 = f64x2.splat(0);
    let b0 = f64x2.splat(0);
    let b1 = f64x2.splat(0);
    let c0 = f64x2.splat(0);
    let c1 = f64x2.splat(0);
    let d0 = f64x2.splat(0);
    let d1 = f64x2.splat(0);
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const o = at<T>(0, j);
      const low = pair<T>(x + o);
      const high = pair<T>(x + o + step);
      a0 = madd<f64>(pair<T>(p + o), low, a0);
      a1 = madd<f64>(pair<T>(p + o + step), high, a1);
      b0 = madd<f64>(pair<T>(q + o), low, b0);
      b1 = madd<f64>(pair<T>(q + o + step), high, b1);
      c0 = madd<f64>(pair<T>(r + o), low, c0);
      c1 = madd<f64>(pair<T>(r + o + step), high, c1);
      d0 = madd<f64>(pair<T>(s + o), low, d0);
      d1 = madd<f64>(pair<T>(s + o + step), high, d1);
    }
    let sa = hsum<f64>(f64x2.add(a0, a1));
    let sb = hsum<f64>(f64x2.add(b0, b1));
    let sc = hsum<f64>(f64x2.add(c0, c1));
    let sd = hsum<f64>(f64x2.add(d0, d1));
    for (; j < n; j++) {
      const o = at<T>(0, j);
      const v = <f64>load<T>(x + o);
      sa += <f64>load<T>(p + o) * v;
      sb += <f64>load<T>(q + o) * v;
      sc += <f64>load<T>(r + o) * v;
      sd += <f64>load<T>(s + o) * v;
    }
    store<f64>(at<f64>(out, i), sa);
    if (i + 1 < m) store<f64>(at<f64>(out, i + 1), sb);
    if (i + 2 < m) store<f64>(at<f64>(out, i + 2), sc);
    if (i + 3 < m) store<f64>(at<f64>(out, i + 3), sd);
  }
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

/** y [n] = alpha·Aᵀc + beta·x for f32 A [m, n], x and y, f64 c [m]; summed in f64, rounded once. y may be x. work: 1024 f64. */
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
  for (let j0 = 0; j0 < n; j0 += 1024) { // 8 KB of sums stay in L1
    const length = min(1024, n - j0);
    memory.fill(work, 0, at<f64>(0, length));
    for (let i = 0; i < m; i += 4) {
      const p = at<T>(a, i * lda + j0);
      const q = at<T>(a, min(i + 1, m - 1) * lda + j0);
      const r = at<T>(a, min(i + 2, m - 1) * lda + j0);
      const s = at<T>(a, min(i + 3, m - 1) * lda + j0);
      const f0 = load<f64>(at<f64>(c, i));
      const f1: f64 = i + 1 < m ? load<f64>(at<f64>(c, i + 1)) : 0;
      const f2: f64 = i + 2 < m ? load<f64>(at<f64>(c, i + 2)) : 0;
      const f3: f64 = i + 3 < m ? load<f64>(at<f64>(c, i + 3)) : 0;
      const v0 = f64x2.splat(f0);
      const v1 = f64x2.splat(f1);
      const v2 = f64x2.splat(f2);
      const v3 = f64x2.splat(f3);
      let j = 0;
      for (; j + 2 <= length; j += 2) {
        const o = at<T>(0, j);
        const to = at<f64>(work, j);
        const left = madd<f64>(v1, pair<T>(q + o), madd<f64>(v0, pair<T>(p + o), v128.load(to)));
        v128.store(to, f64x2.add(left, madd<f64>(v3, pair<T>(s + o), f64x2.mul(v2, pair<T>(r + o)))));
      }
      for (; j < length; j++) {
        const o = at<T>(0, j);
        const to = at<f64>(work, j);
        const left = load<f64>(to) + f0 * <f64>load<T>(p + o) + f1 * <f64>load<T>(q + o);
        store<f64>(to, left + (f2 * <f64>load<T>(r + o) + f3 * <f64>load<T>(s + o)));
      }
    }
    for (let j = 0; j < length; j++) {
      const from = at<T>(x, j0 + j);
      store<T>(at<T>(y, j0 + j), <T>(alpha * load<f64>(at<f64>(work, j)) + (beta == 0 ? 0 : beta * <f64>load<T>(from))));
    }
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
