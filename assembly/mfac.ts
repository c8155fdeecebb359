// What M-FAC needs beyond BLAS: products with UᵀU that read U from memory once, and sums of squares of columns.
import { gemv, gemvt, run } from './gemv';
import { at, hsum, lanes, madd } from './lib/lanes';

/** y += factor·Uᵀ(U x); see sproject. */
export function sprojectRef(m: i32, n: i32, factor: f32, u: usize, ldu: i32, x: usize, y: usize, work: usize): void {
  projectRef<f32>(m, n, factor, u, ldu, x, y);
}
/** y += factor·Uᵀ(U x); see dproject. */
export function dprojectRef(m: i32, n: i32, factor: f64, u: usize, ldu: i32, x: usize, y: usize, work: usize): void {
  projectRef<f64>(m, n, factor, u, ldu, x, y);
}
function projectRef<T>(m: i32, n: i32, factor: f64, u: usize, ldu: i32, x: usize, y: usize): void {
  for (let i = 0; i < m; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < n; j++) sum += <f64>load<T>(at<T>(u, i * ldu + j)) * <f64>load<T>(at<T>(x, j));
    for (let j = 0; j < n; j++) {
      const to = at<T>(y, j);
      store<T>(to, <T>(<f64>load<T>(to) + factor * sum * <f64>load<T>(at<T>(u, i * ldu + j))));
    }
  }
}

/**
 * y [n] += factor·Uᵀ(U x) for U [m, n] with rows ldu elements apart; x is not y. Four rows are multiplied with x while the four before them are
 * added to y: memory is waited for once a row, and rows that do not fit in cache come a second time while the next ones arrive. work: 4 elements.
 */
export function sproject(m: i32, n: i32, factor: f32, u: usize, ldu: i32, x: usize, y: usize, work: usize): void {
  project<f32>(m, n, factor, u, ldu, x, y, work);
}
/** As sproject in f64. */
export function dproject(m: i32, n: i32, factor: f64, u: usize, ldu: i32, x: usize, y: usize, work: usize): void {
  project<f64>(m, n, factor, u, ldu, x, y, work);
}
// @ts-ignore: decorator
@inline
function project<T>(m: i32, n: i32, factor: T, u: usize, ldu: i32, x: usize, y: usize, work: usize): void {
  for (let i = 0; i < m; i += 4) {
    const q = at<T>(u, i * ldu);
    const before = at<T>(u, (i - 4) * ldu);
    if (i > 0 && m - i >= 4) {
      sweep<T>(n, factor, before, q, at<T>(0, ldu), x, y, work);
      continue;
    }
    if (i > 0) gemvt<T>(4, n, 1, before, ldu, work, 1, y);
    gemv<T>(min(4, m - i), n, factor, q, ldu, x, 0, work);
  }
  const start = (m - 1) & ~3;
  if (m > 0) gemvt<T>(m - start, n, 1, at<T>(u, start * ldu), ldu, work, 1, y);
}

/** y += Σ f_k·p_k over four rows, then f_k = factor·(q_k · x) for the four rows at q; rows are `size` bytes apart, f at `work`. */
function sweep<T>(n: i32, factor: T, p: usize, q: usize, size: usize, x: usize, y: usize, work: usize): void {
  const f0 = load<T>(work);
  const f1 = load<T>(at<T>(work, 1));
  const f2 = load<T>(at<T>(work, 2));
  const f3 = load<T>(at<T>(work, 3));
  const v0 = v128.splat<T>(f0);
  const v1 = v128.splat<T>(f1);
  const v2 = v128.splat<T>(f2);
  const v3 = v128.splat<T>(f3);
  const two = 2 * size;
  const three = 3 * size;
  const whole = n - (n % lanes<T>());
  let s0: f64 = 0;
  let s1: f64 = 0;
  let s2: f64 = 0;
  let s3: f64 = 0;
  let j = 0;
  while (j < whole) {
    const stop = min(whole, j + run);
    let a = v128.splat<T>(0);
    let b = v128.splat<T>(0);
    let c = v128.splat<T>(0);
    let d = v128.splat<T>(0);
    for (; j < stop; j += lanes<T>()) {
      const o = at<T>(0, j);
      const w = v128.load(x + o);
      const next = q + o;
      const last = p + o;
      a = madd<T>(v128.load(next), w, a);
      b = madd<T>(v128.load(next + size), w, b);
      c = madd<T>(v128.load(next + two), w, c);
      d = madd<T>(v128.load(next + three), w, d);
      const left = madd<T>(v1, v128.load(last + size), madd<T>(v0, v128.load(last), v128.load(y + o)));
      v128.store(y + o, v128.add<T>(left, madd<T>(v3, v128.load(last + three), v128.mul<T>(v2, v128.load(last + two)))));
    }
    s0 += <f64>hsum<T>(a);
    s1 += <f64>hsum<T>(b);
    s2 += <f64>hsum<T>(c);
    s3 += <f64>hsum<T>(d);
  }
  for (; j < n; j++) {
    const o = at<T>(0, j);
    const w = <f64>load<T>(x + o);
    s0 += <f64>load<T>(q + o) * w;
    s1 += <f64>load<T>(q + size + o) * w;
    s2 += <f64>load<T>(q + two + o) * w;
    s3 += <f64>load<T>(q + three + o) * w;
    const left = load<T>(y + o) + f0 * load<T>(p + o) + f1 * load<T>(p + size + o);
    store<T>(y + o, left + (f2 * load<T>(p + two + o) + f3 * load<T>(p + three + o)));
  }
  store<T>(work, <T>(<f64>factor * s0));
  store<T>(at<T>(work, 1), <T>(<f64>factor * s1));
  store<T>(at<T>(work, 2), <T>(<f64>factor * s2));
  store<T>(at<T>(work, 3), <T>(<f64>factor * s3));
}

/** out [n] (f64) = Σ_i a[i, j]²; see scolumnNorms. */
export function scolumnNormsRef(m: i32, n: i32, a: usize, lda: i32, out: usize): void {
  columnNormsRef<f32>(m, n, a, lda, out);
}
/** out [n] = Σ_i a[i, j]²; see dcolumnNorms. */
export function dcolumnNormsRef(m: i32, n: i32, a: usize, lda: i32, out: usize): void {
  columnNormsRef<f64>(m, n, a, lda, out);
}
function columnNormsRef<T>(m: i32, n: i32, a: usize, lda: i32, out: usize): void {
  for (let j = 0; j < n; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < m; i++) sum += <f64>load<T>(at<T>(a, i * lda + j)) * <f64>load<T>(at<T>(a, i * lda + j));
    store<f64>(at<f64>(out, j), sum);
  }
}

/** out [n] (f64) = sums of squares of the columns of A [m, n], squared and added in f64. */
export function scolumnNorms(m: i32, n: i32, a: usize, lda: i32, out: usize): void {
  columnNorms<f32>(m, n, a, lda, out);
}
/** As scolumnNorms for f64 A. */
export function dcolumnNorms(m: i32, n: i32, a: usize, lda: i32, out: usize): void {
  columnNorms<f64>(m, n, a, lda, out);
}
// @ts-ignore: decorator
@inline
function columnNorms<T>(m: i32, n: i32, a: usize, lda: i32, out: usize): void {
  memory.fill(out, 0, at<f64>(0, n));
  for (let j0 = 0; j0 < n; j0 += 1024) { // 8 KB of sums stay in L1
    const end = min(n, j0 + 1024);
    for (let i = 0; i < m; i++) {
      const row = at<T>(a, i * lda);
      let j = j0;
      for (; j + 4 <= end; j += 4) {
        const to = at<f64>(out, j);
        const p = at<T>(row, j);
        const low = sizeof<T>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(p)) : v128.load(p);
        const high = sizeof<T>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(p, 8)) : v128.load(p, 16);
        v128.store(to, f64x2.add(v128.load(to), f64x2.mul(low, low)));
        v128.store(to, f64x2.add(v128.load(to, 16), f64x2.mul(high, high)), 16);
      }
      for (; j < end; j++) {
        const v = <f64>load<T>(at<T>(row, j));
        store<f64>(at<f64>(out, j), load<f64>(at<f64>(out, j)) + v * v);
      }
    }
  }
}
