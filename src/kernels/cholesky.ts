// Cholesky factorisation on blocks (assembly/cholesky.ts).
import type { F64 } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';
import { checkMatrix } from './gemm.js';

/**
 * Overwrites symmetric A [n, n] (its lower triangle is read) by L with A = L·Lᵀ, zeros above the diagonal.
 * Scratch comes from the arena in use: views taken before may be detached.
 * @returns −1, or the index of the first pivot that is not > 0: A is then not positive definite and holds only part of L
 * @throws {ShapeError} when the block is too short
 */
export function cholesky(n: number, a: F64, lda = n): number {
  checkMatrix('a', a, n, n, lda);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const failed = kernels.dcholesky(n, a.ptr, lda, arena.alloc('u8', kernels.gemmWork(n, 32, n, 8)).ptr);
  arena.release(mark);
  return failed;
}
