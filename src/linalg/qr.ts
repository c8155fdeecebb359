import { square } from '../core/square.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { readMatrix, toTensor, transpose } from './matrix.js';
import { scaleBy, tame } from './scale.js';

/**
 * QR decomposition A = Q R by Householder reflections, in f64; the diagonal of R is ≥ 0, so that the answer is unique at full rank.
 *
 * @param a matrix [m, n]
 * @returns `q` [m, min(m, n)] with orthonormal columns, `r` [min(m, n), n] upper triangular, in the precision of `a`
 * @throws {ShapeError} when a is not a matrix; {DomainError} on NaN or infinity
 * @see Golub & Van Loan, Matrix Computations, §5.2
 */
export function qr(a: TensorLike): { q: Tensor<FloatArray>; r: Tensor<FloatArray> } {
  const { data, rows: m, cols: n, precision } = readMatrix('a', a);
  const k = Math.min(m, n);
  const columns = transpose(data, m, n);
  const factor = tame(columns);
  const { q, r } = householder(columns, m, n);
  return { q: toTensor(precision, transpose(q, k, m), [m, k]), r: toTensor(precision, scaleBy(r, factor), [k, n]) };
}

/** QR of a matrix given by columns (`columns` [n, m], overwritten): q [k, m] by columns, r [k, n] row-major, diagonal ≥ 0. */
export function householder(columns: Float64Array, m: number, n: number): { q: Float64Array; r: Float64Array } {
  const k = Math.min(m, n);
  const r = new Float64Array(k * n);
  const scales = new Float64Array(k);
  const signs = new Float64Array(k).fill(1);
  for (let j = 0; j < k; j++) {
    const column = columns.subarray(j * m, (j + 1) * m);
    let largest = 0;
    for (let i = j; i < m; i++) largest = Math.max(largest, Math.abs(column[i]!));
    let norm = 0;
    if (largest > 0) {
      let squares = 0;
      for (let i = j; i < m; i++) squares += square(column[i]! / largest);
      norm = Math.sqrt(squares) * largest;
      const first = column[j]!;
      const target = first > 0 ? -norm : norm; // away from the element: no cancellation
      if (first > 0) signs[j] = -1;
      const head = first - target;
      for (let i = j + 1; i < m; i++) column[i] = column[i]! / head; // reflector with u[j] = 1
      column[j] = 1;
      scales[j] = -head / target; // 2/uᵀu
      for (let c = j + 1; c < n; c++) reflect(columns.subarray(c * m, (c + 1) * m), column, j, scales[j]!);
    }
    r[j * n + j] = norm;
    for (let c = j + 1; c < n; c++) r[j * n + c] = signs[j]! * columns[c * m + j]!;
  }
  const q = new Float64Array(k * m);
  for (let j = 0; j < k; j++) {
    const column = q.subarray(j * m, (j + 1) * m);
    column[j] = signs[j]!;
    for (let i = j; i >= 0; i--) if (scales[i]! !== 0) reflect(column, columns.subarray(i * m, (i + 1) * m), i, scales[i]!);
  }
  return { q, r };
}

/** x ← x − scale·u(uᵀx) on elements from `start`. */
function reflect(x: Float64Array, u: Float64Array, start: number, scale: number): void {
  let sum = 0;
  for (let i = start; i < x.length; i++) sum += u[i]! * x[i]!;
  sum *= scale;
  for (let i = start; i < x.length; i++) x[i] = x[i]! - sum * u[i]!;
}
