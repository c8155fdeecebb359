import { asRecord } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { FloatArray, NumberArray, Tensor, TensorLike } from '../core/tensor.js';
import { asFloats, asTensor, isFloatArray } from '../core/tensor.js';
import { trsm } from '../kernels/triangular.js';
import { withArena } from '../runtime/instance.js';
import { readMatrix, toTensor } from './matrix.js';

/**
 * Solves op(T) X = B for a triangular T, by blocks in WebAssembly, in f64.
 *
 * @param t [n, n]; only the triangle meant is read
 * @param b [n, k] or [n]; a plain or typed array of n numbers is a vector
 * @param options `upper` (false): which triangle; `transpose` (false): solve with Tᵀ
 * @returns X in the shape of b and the precision of t
 * @throws {ShapeError} when the extents differ; {DomainError} on a zero on the diagonal, NaN or infinity
 * @see Golub & Van Loan, Matrix Computations, §3.1
 */
export function solveTriangular(
  t: TensorLike,
  b: TensorLike | NumberArray,
  options: { upper?: boolean; transpose?: boolean } = {},
): Tensor<FloatArray> {
  const { upper = false, transpose = false } = asRecord('options', options);
  const { data, rows: n, cols, precision } = readMatrix('t', t);
  if (n !== cols) throw new ShapeError(`t: expected a square matrix, got ${n} × ${cols}`);
  const given = Array.isArray(b) || isFloatArray(b) ? { data: asFloats('b', b), shape: [b.length] } : asTensor('b', b);
  const vector = given.shape.length === 1;
  const right = readMatrix('b', vector ? { data: given.data, shape: [given.data.length, 1] } : given);
  if (right.rows !== n) throw new ShapeError(`b: expected ${n} rows, got ${right.rows}`);
  for (let i = 0; i < n; i++) if (data[i * n + i] === 0) throw new DomainError(`t: expected a diagonal without zeros, got 0 at index ${i}`);
  return withArena((arena) => {
    const x = arena.put(right.data);
    trsm(n, right.cols, arena.put(data), x, { upper, transT: transpose });
    return toTensor(precision, arena.take(x), given.shape);
  });
}
