// Gram matrices on blocks (assembly/syrk.ts).
import type { F64, Real } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';
import { checkMatrix } from './gemm.js';

/** Options of `syrk`. */
export interface SyrkOptions {
  alpha?: number;
  /** 0 (the default) overwrites C; 1 adds to it, as when a long A comes in pieces. */
  beta?: number;
  /** True when A is stored as [k, m]. */
  transA?: boolean;
  lda?: number;
}

/**
 * C [m, m] = alpha·A·Aᵀ + beta·C for A [m, k] (or its transpose as stored), C always f64 and symmetric: panels of 256 columns are
 * multiplied in the precision of A and added in f64. Scratch comes from the arena in use: views taken before may be detached.
 * @throws {ShapeError} when a block is too short
 */
export function syrk(m: number, k: number, a: Real, c: F64, options: SyrkOptions = {}): void {
  const { alpha = 1, beta = 0, transA = false, lda = transA ? m : k } = options;
  checkMatrix('a', a, transA ? k : m, transA ? m : k, lda);
  checkMatrix('c', c, m, m, m);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const work = arena.alloc('u8', kernels.syrkWork(m, k, a.type === 'f32' ? 4 : 8)).ptr;
  const run = a.type === 'f32' ? kernels.ssyrk : kernels.dsyrk;
  run(m, k, alpha, a.ptr, transA ? 1 : lda, transA ? lda : 1, beta, c.ptr, m, work);
  arena.release(mark);
}
