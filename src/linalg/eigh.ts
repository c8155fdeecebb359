import { asRecord } from '../core/check.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { readSymmetric, toTensor, transpose } from './matrix.js';
import { scaleBy, tame } from './scale.js';
import { rotateToDiagonal, sortAscending } from './tridiagonal.js';

/**
 * All eigenvalues and eigenvectors of a symmetric matrix: Householder reduction to tridiagonal form, then implicit QL, in f64.
 *
 * @param a symmetric matrix [n, n]
 * @param options `vectors: false` leaves the eigenvectors out and saves most of the time
 * @returns `values` [n] ascending (f64); `vectors` [n, n] with eigenvector j in COLUMN j, orthonormal, in the precision of `a`
 * @throws {ShapeError} when a is not square; {DomainError} when it is not symmetric to rounding, or holds NaN or infinity
 * @see Golub & Van Loan, Matrix Computations, §8.3.1 and §8.3.3
 */
export function eigh(a: TensorLike, options: { vectors?: boolean } = {}): { values: Float64Array; vectors: Tensor<FloatArray> } {
  const { vectors: wanted = true } = asRecord('options', options);
  const { data, rows: n, precision } = readSymmetric('a', a);
  if (n === 0) return { values: new Float64Array(0), vectors: toTensor(precision, new Float64Array(0), [0, 0]) };
  const factor = tame(data);
  const diagonal = new Float64Array(n);
  const off = new Float64Array(n);
  const rows = tridiagonalize(data, n, diagonal, off, wanted);
  const width = wanted ? n : 0;
  rotateToDiagonal(diagonal, off, rows, width);
  const sorted = sortAscending(diagonal, rows, width);
  return {
    values: scaleBy(sorted.values, factor),
    vectors: wanted ? toTensor(precision, transpose(sorted.rows, n, n), [n, n]) : toTensor(precision, new Float64Array(0), [n, 0]),
  };
}

/**
 * A = Q T Qᵀ with T tridiagonal: step k reflects column k below its subdiagonal onto one element. `a` is overwritten.
 * Fills the diagonals of T and returns Qᵀ row-major (row i: coefficients of the i-th column of Q), or nothing.
 */
function tridiagonalize(a: Float64Array, n: number, diagonal: Float64Array, off: Float64Array, wanted: boolean): Float64Array {
  const scales = new Float64Array(n); // 2/uᵀu of the reflector kept in row k, columns k+1 …; 0 where none was needed
  const p = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k]!;
    if (k >= n - 1) continue;
    const row = k * n;
    let largest = 0;
    for (let j = k + 1; j < n; j++) largest = Math.max(largest, Math.abs(a[row + j]!));
    if (largest === 0 || k === n - 2) {
      off[k] = a[row + k + 1]!;
      continue;
    }
    let squares = 0;
    for (let j = k + 1; j < n; j++) {
      const x = a[row + j]! / largest;
      a[row + j] = x;
      squares += x * x;
    }
    const first = a[row + k + 1]!;
    const norm = first > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    off[k] = norm * largest;
    a[row + k + 1] = first - norm;
    const scale = 1 / (squares - first * norm); // uᵀu = 2(‖x‖² − x₁·norm)
    scales[k] = scale;

    // p = scale·A u, then A ← A − u qᵀ − q uᵀ with q = p − (scale/2)(pᵀu)·u: the trailing block stays symmetric.
    let overlap = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j]! * a[row + j]!;
      p[i] = sum * scale;
      overlap += p[i]! * a[row + i]!;
    }
    const half = (overlap * scale) / 2;
    for (let i = k + 1; i < n; i++) p[i] = p[i]! - half * a[row + i]!;
    for (let i = k + 1; i < n; i++) {
      const u = a[row + i]!;
      const q = p[i]!;
      for (let j = k + 1; j < n; j++) a[i * n + j] = a[i * n + j]! - u * p[j]! - q * a[row + j]!;
    }
  }
  if (!wanted) return new Float64Array(0);

  // Qᵀ = … H₂H₁H₀ acts on the rows of the identity; built from the last reflector, rows and columns ≤ k are still the identity's.
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  for (let k = n - 3; k >= 0; k--) {
    const scale = scales[k]!;
    if (scale === 0) continue;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += q[i * n + j]! * a[k * n + j]!;
      sum *= scale;
      if (sum === 0) continue;
      for (let j = k + 1; j < n; j++) q[i * n + j] = q[i * n + j]! - sum * a[k * n + j]!;
    }
  }
  return q;
}
