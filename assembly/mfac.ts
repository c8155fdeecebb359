// What M-FAC needs beyond BLAS: products with UᵀU that read U from memory once, and sums of squares of columns.
import { gemv, gemvt } from './gemv';
import { at } from './lib/lanes';

/** Bytes of U between its first and its second reading: they stay in a 1 MB L2 beside the vectors. */
const resident: i32 = 524288;

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
 * y [n] += factor·Uᵀ(U x) for U [m, n] with rows ldu elements apart; x is not y. Groups of rows are multiplied with x and, while they are in
 * cache, added to y. Where four rows do not fit there, U is read twice. work: m elements.
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
  const fitting = (resident / max(1, n * <i32>sizeof<T>())) & ~3;
  const group = fitting < 4 ? m : fitting;
  for (let i = 0; i < m; i += group) {
    const rows = min(group, m - i);
    const from = at<T>(u, i * ldu);
    gemv<T>(rows, n, factor, from, ldu, x, 0, work);
    gemvt<T>(rows, n, 1, from, ldu, work, 1, y);
  }
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
