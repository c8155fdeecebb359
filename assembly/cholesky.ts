// Cholesky factorisation in f64: block columns, each updated by one matrix product with what is factored already.
import { dot } from './dot';
import { gemm } from './gemm';
import { at } from './lib/lanes';

/** Columns per block: its triangle (8 KB) stays in L1. */
const block: i32 = 32;

/** A = L·Lᵀ in place; see dcholesky. */
export function dcholeskyRef(n: i32, a: usize, lda: i32, work: usize): i32 {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = load<f64>(at<f64>(a, i * lda + j));
      for (let k = 0; k < j; k++) sum -= load<f64>(at<f64>(a, i * lda + k)) * load<f64>(at<f64>(a, j * lda + k));
      if (i == j && !(sum > 0)) return j;
      const pivot = i == j ? sum : load<f64>(at<f64>(a, j * lda + j));
      store<f64>(at<f64>(a, i * lda + j), i == j ? Math.sqrt(sum) : sum / pivot);
    }
    for (let k = j + 1; k < n; k++) store<f64>(at<f64>(a, j * lda + k), 0);
  }
  return -1;
}

/**
 * Overwrites symmetric A [n, n] (lower triangle read) by L with A = L·Lᵀ and zeros above the diagonal. Returns −1, or the index of the
 * first pivot that is not > 0; A then holds part of L. work: gemmWork(n, 32, n, 8) bytes.
 */
export function dcholesky(n: i32, a: usize, lda: i32, work: usize): i32 {
  for (let j0 = 0; j0 < n; j0 += block) {
    const cols = min(n - j0, block);
    const corner = at<f64>(a, j0 * lda + j0);
    const left = at<f64>(a, j0 * lda);
    if (j0 > 0) gemm<f64>(n - j0, cols, j0, -1, left, lda, 1, left, 1, lda, 1, corner, lda, work);
    for (let i = 0; i < n - j0; i++) {
      const row = at<f64>(corner, i * lda);
      const across = min(i, cols);
      for (let j = 0; j < across; j++) {
        const other = at<f64>(corner, j * lda);
        const to = at<f64>(row, j);
        store<f64>(to, (load<f64>(to) - dot<f64>(j, row, other)) / load<f64>(at<f64>(other, j)));
      }
      if (i >= cols) continue;
      const to = at<f64>(row, i);
      const pivot = load<f64>(to) - dot<f64>(i, row, row);
      if (!(pivot > 0)) return j0 + i;
      store<f64>(to, Math.sqrt(pivot));
    }
    for (let i = 0; i < cols; i++) memory.fill(at<f64>(corner, i * lda + i + 1), 0, at<f64>(0, n - j0 - i - 1));
  }
  return -1;
}
