import { asRecord, checkInteger } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { Random } from '../core/random.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { multiply, readMatrix, toTensor, transpose } from './matrix.js';
import { norm } from './operator.js';
import { pinv, rounding } from './pseudo-inverse.js';
import { householder } from './qr.js';
import { jacobi } from './svd.js';

/**
 * CUR decomposition: A ≈ C·U·R with C and R actual columns and rows of A, and U the best core for them.
 *   U = C⁺ A R⁺: the solution of the reconstruction equation, so that C U R is the projection of A on both
 * Columns and rows are chosen one at a time where what is left of A is largest (adaptive cross approximation with full pivoting).
 *
 * @param a matrix [m, n]; @param options `rank` columns and rows kept, at most min(m, n)
 * @returns `columns` and `rows` indices [rank], `c` [m, rank], `u` [rank, rank], `r` [rank, n]; exact when rank(A) ≤ rank
 * @throws {ShapeError | DomainError} when a is not a matrix of finite numbers, or rank is out of range
 * @see Karpowicz 2021, A theory of meta-factorization; Mahoney & Drineas 2009 (CUR)
 */
export function curDecomposition(
  a: TensorLike,
  options: { rank: number },
): { columns: Int32Array; rows: Int32Array; c: Tensor<FloatArray>; u: Tensor<FloatArray>; r: Tensor<FloatArray> } {
  const { data: A, rows: m, cols: n, precision } = readMatrix('a', a);
  const { rank } = asRecord('options', options, '{ rank }');
  checkInteger('rank', rank, 1, Math.min(m, n));
  const rest = A.slice();
  const columns: number[] = [];
  const rows: number[] = [];
  for (let k = 0; k < rank; k++) {
    let [best, pi, pj] = [-1, 0, 0];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const size = rows.includes(i) || columns.includes(j) ? -1 : Math.abs(rest[i * n + j]!);
        if (size > best) [best, pi, pj] = [size, i, j];
      }
    }
    rows.push(pi);
    columns.push(pj);
    const pivot = rest[pi * n + pj]!;
    if (pivot === 0) continue; // nothing is left: further choices change nothing
    const row = rest.slice(pi * n, (pi + 1) * n);
    for (let i = 0; i < m; i++) {
      const factor = rest[i * n + pj]! / pivot;
      for (let j = 0; j < n; j++) rest[i * n + j] = rest[i * n + j]! - factor * row[j]!;
    }
  }
  const C = Float64Array.from({ length: m * rank }, (_, at) => A[Math.floor(at / rank) * n + columns[at % rank]!]!);
  const R = Float64Array.from({ length: rank * n }, (_, at) => A[rows[Math.floor(at / n)]! * n + (at % n)]!);
  const U = multiply(multiply(pinv(C, m, rank, rounding[precision]), A, rank, m, n), pinv(R, rank, n, rounding[precision]), rank, n, rank);
  return {
    columns: Int32Array.from(columns),
    rows: Int32Array.from(rows),
    c: toTensor(precision, C, [m, rank]),
    u: toTensor(precision, U, [rank, rank]),
    r: toTensor(precision, R, [rank, n]),
  };
}

/**
 * Generalised Nyström approximation from two random sketches, in one pass over A: A ≈ (A X)(Yᵀ A X)⁺(Yᵀ A).
 *
 * @param a matrix [m, n]; @param options `rank` columns of X; `oversampling` further columns of Y (rank/2, at least 2); `seed` (0)
 * @returns `left` A X [m, rank] times `core` (Yᵀ A X)⁺ [rank, s] times `right` Yᵀ A [s, n]; exact when rank(A) ≤ rank
 * @throws {ShapeError | DomainError} when a is not a matrix of finite numbers, or rank is out of range
 * @see Nakatsukasa 2020, arXiv:2009.11392; Karpowicz 2021, A theory of meta-factorization
 */
export function generalizedNystrom(
  a: TensorLike,
  options: { rank: number; oversampling?: number; seed?: number },
): { left: Tensor<FloatArray>; core: Tensor<FloatArray>; right: Tensor<FloatArray> } {
  const { data: A, rows: m, cols: n, precision } = readMatrix('a', a);
  const { rank, oversampling = Math.max(2, Math.ceil(rank / 2)), seed = 0 } = asRecord('options', options, '{ rank }');
  checkInteger('rank', rank, 1, Math.min(m, n));
  checkInteger('oversampling', oversampling, 0);
  const s = rank + oversampling;
  const random = new Random(seed);
  const X = random.fill(new Float64Array(n * rank));
  const Yt = random.fill(new Float64Array(s * m));
  const AX = multiply(A, X, m, n, rank);
  const YtA = multiply(Yt, A, s, m, n);
  const small = multiply(Yt, AX, s, m, rank);
  return {
    left: toTensor(precision, AX, [m, rank]),
    core: toTensor(precision, pinv(small, s, rank, undefined, 5e3 * rounding[precision] * norm(small)), [rank, s]),
    right: toTensor(precision, YtA, [s, n]),
  };
}

/**
 * UTV (complete orthogonal) decomposition A = U T Vᵀ with U, V orthogonal and T upper triangular, its diagonal falling like the singular
 * values: rank revealing at the price of two QR decompositions.
 *
 * @param a matrix [m, n] with m ≥ n
 * @returns `u` [m, n], `t` [n, n] upper triangular, `v` [n, n], in the precision of a
 * @throws {ShapeError} when m < n
 * @see Stewart 1992 (ULV/URV); Karpowicz 2021, A theory of meta-factorization
 */
export function utv(a: TensorLike): { u: Tensor<FloatArray>; t: Tensor<FloatArray>; v: Tensor<FloatArray> } {
  const { data: A, rows: m, cols: n, precision } = readMatrix('a', a);
  if (m < n) throw new ShapeError(`a: expected at least as many rows as columns, got ${m} × ${n}`);
  const columns = transpose(A, m, n);
  // V from the small triangle's right singular vectors: A V has orthogonal columns up to rounding, its QR an almost diagonal T.
  const { right } = jacobi(columns, m, n);
  const V = transpose(right, n, n);
  const { q, r } = householder(transpose(multiply(A, V, m, n, n), m, n), m, n);
  return { u: toTensor(precision, transpose(q, n, m), [m, n]), t: toTensor(precision, r, [n, n]), v: toTensor(precision, V, [n, n]) };
}
