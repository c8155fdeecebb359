import { DomainError } from '../core/errors.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { cholesky as factorize } from '../kernels/cholesky.js';
import { withArena } from '../runtime/instance.js';
import { readSymmetric, toTensor } from './matrix.js';

/**
 * Cholesky factor of a symmetric positive definite matrix, A = L Lᵀ, blocked in WebAssembly, in f64.
 *
 * @param a [n, n]
 * @returns lower triangular L [n, n] with zeros above the diagonal, in the precision of `a`
 * @throws {ShapeError} when a is not square; {DomainError} when it is not symmetric to rounding, or not positive definite (names the pivot)
 * @see Golub & Van Loan, Matrix Computations, §4.2
 */
export function cholesky(a: TensorLike): Tensor<FloatArray> {
  const { data, rows: n, precision } = readSymmetric('a', a);
  return withArena((arena) => {
    const block = arena.put(data);
    const failed = factorize(n, block);
    if (failed >= 0) throw new DomainError(`a: expected a positive definite matrix, got a pivot that is not > 0 at index ${failed}`);
    return toTensor(precision, arena.take(block), [n, n]);
  });
}
