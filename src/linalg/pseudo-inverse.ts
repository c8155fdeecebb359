import { asRecord, checkInteger } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { Random } from '../core/random.js';
import type { FloatArray, Precision, Tensor, TensorLike } from '../core/tensor.js';
import { multiply, readMatrix, toTensor, transpose } from './matrix.js';
import { norm } from './operator.js';
import { jacobi } from './svd.js';

/** Rounding of the numbers a matrix was given in: singular values below this share of the largest, times the larger extent, count as zero. */
export const rounding: Readonly<Record<Precision, number>> = { float64: Number.EPSILON, float32: 1.1920928955078125e-7 };

/** A⁺ of a row-major f64 matrix [m, n], as [n, m]; `share` of the largest singular value, times the larger extent, counts as zero. */
export function pinv(a: Float64Array, m: number, n: number, share = rounding.float64, tolerance?: number): Float64Array {
  if (m < n) return transpose(pinv(transpose(a, m, n), n, m, share, tolerance), m, n);
  const { left, right, s } = jacobi(transpose(a, m, n), m, n);
  const limit = tolerance ?? share * Math.max(m, n) * (s[0] ?? 0);
  const out = new Float64Array(n * m);
  for (let r = 0; r < n; r++) {
    if (!(s[r]! > limit)) continue;
    for (let i = 0; i < n; i++) {
      const weight = right[r * n + i]! / s[r]!;
      for (let j = 0; j < m; j++) out[i * m + j] = out[i * m + j]! + weight * left[r * m + j]!;
    }
  }
  return out;
}

/**
 * The Moore–Penrose pseudoinverse A⁺ by the singular value decomposition, in f64.
 *
 * @param a matrix [m, n]
 * @param options `tolerance`: singular values up to it count as zero (2⁻⁵²·max(m, n)·largest, 2⁻²³ for f32)
 * @returns A⁺ [n, m] in the precision of a: A A⁺ A = A, A⁺ A A⁺ = A⁺, and both products symmetric
 * @throws {ShapeError | DomainError} when a is not a matrix of finite numbers
 * @see Penrose 1955; Golub & Van Loan, Matrix Computations, §5.5.2
 */
export function pseudoInverse(a: TensorLike, options: { tolerance?: number } = {}): Tensor<FloatArray> {
  const { tolerance } = asRecord('options', options);
  const { data, rows, cols, precision } = readMatrix('a', a);
  return toTensor(precision, pinv(data, rows, cols, rounding[precision], tolerance), [cols, rows]);
}

/**
 * The pseudoinverse of a product A = C R from its factors, right for every pair of factors:
 *   A⁺ = (C⁺ C R)⁺ (C R R⁺)⁺
 * The shorter R⁺ C⁺ is A⁺ only when C has independent columns and R independent rows.
 *
 * @param c [m, k]; @param r [k, n]
 * @returns A⁺ [n, m] in the precision of c
 * @throws {ShapeError} when the inner extents differ; {DomainError} on NaN or infinity
 * @see Karpowicz & Strang 2023, arXiv:2305.01716, formula (2)
 */
export function pinvFromFactors(c: TensorLike, r: TensorLike): Tensor<FloatArray> {
  const { data: C, rows: m, cols: k, precision } = readMatrix('c', c);
  const { data: R, rows: inner, cols: n } = readMatrix('r', r);
  if (inner !== k) throw new ShapeError(`r: expected ${k} rows, got ${inner}`);
  const share = rounding[precision];
  const left = multiply(multiply(pinv(C, m, k, share), C, k, m, k), R, k, k, n); // C⁺ C R
  const right = multiply(C, multiply(R, pinv(R, k, n, share), k, n, k), m, k, k); // C R R⁺
  return toTensor(precision, multiply(pinv(left, k, n, share), pinv(right, m, k, share), n, k, m), [n, m]);
}

/**
 * The pseudoinverse of a large matrix of low rank from two sketches of it:
 *   A⁺ = (Pᵀ A)⁺ · Pᵀ A Q · (A Q)⁺, exact when rank(Pᵀ A) = rank(A Q) = rank(A): sketches a little larger than the rank
 * Only Pᵀ A [s, n] and A Q [m, s] are decomposed.
 *
 * @param a matrix [m, n] of rank at most `size`; @param options `size` s of both sketches; `seed` (0) of their normal entries
 * @returns A⁺ [n, m] in the precision of a; wrong, without a sign of it, when the rank is above `size`
 * @throws {DomainError} when size exceeds either extent
 * @see Karpowicz & Strang 2023, arXiv:2305.01716, formula (3)
 */
export function randomizedPinv(a: TensorLike, options: { size: number; seed?: number }): Tensor<FloatArray> {
  const { data: A, rows: m, cols: n, precision } = readMatrix('a', a);
  const { size, seed = 0 } = asRecord('options', options, '{ size }');
  checkInteger('size', size, 1, Math.min(m, n));
  const random = new Random(seed);
  const Pt = random.fill(new Float64Array(size * m));
  const Q = random.fill(new Float64Array(n * size));
  const PtA = multiply(Pt, A, size, m, n);
  const AQ = multiply(A, Q, m, n, size);
  const core = multiply(Pt, AQ, size, m, size);
  // Sketches of a lower rank have singular values at rounding level: a looser cutoff keeps their noise out.
  const loose = (x: Float64Array, rows: number, cols: number) => pinv(x, rows, cols, undefined, 5e4 * rounding[precision] * norm(x));
  const middle = multiply(core, loose(AQ, m, size), size, size, m);
  return toTensor(precision, multiply(loose(PtA, size, n), middle, n, size, m), [n, m]);
}
