// Matrix products on blocks (assembly/gemm.ts).
import { ShapeError } from '../core/errors.js';
import type { Real } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';

/** How a stored row-major matrix enters a product. Leading dimensions are row strides in elements; contiguous by default. */
export interface GemmOptions {
  /** Factor of the product (1). */
  alpha?: number;
  /** Factor of what C holds already (0: C is overwritten, not read). */
  beta?: number;
  /** True when A is stored as [k, m]. */
  transA?: boolean;
  /** True when B is stored as [n, k]. */
  transB?: boolean;
  lda?: number;
  ldb?: number;
  ldc?: number;
}

/**
 * C [m, n] = alpha·op(A) [m, k]·op(B) [k, n] + beta·C, all row-major blocks of one precision; C must not overlap A or B.
 * Scratch of at most 1.2 MB comes from the arena in use, so views taken before the call may be detached.
 * @throws {ShapeError} when a block is too short for its shape
 */
export function gemm<B extends Real>(m: number, n: number, k: number, a: B, b: B, c: B, options: GemmOptions = {}): void {
  const { alpha = 1, beta = 0, transA = false, transB = false } = options;
  const { lda = transA ? m : k, ldb = transB ? k : n, ldc = n } = options;
  checkMatrix('a', a, transA ? k : m, transA ? m : k, lda);
  checkMatrix('b', b, transB ? n : k, transB ? k : n, ldb);
  checkMatrix('c', c, m, n, ldc);
  const [ars, acs] = transA ? [1, lda] : [lda, 1];
  const [brs, bcs] = transB ? [1, ldb] : [ldb, 1];
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const work = arena.alloc('u8', kernels.gemmWork(m, n, k, c.type === 'f32' ? 4 : 8)).ptr;
  const run = c.type === 'f32' ? kernels.sgemm : kernels.dgemm;
  run(m, n, k, alpha, a.ptr, ars, acs, b.ptr, brs, bcs, beta, c.ptr, ldc, work);
  arena.release(mark);
}

/** Throws unless `block` holds `rows` rows of `cols` elements, `stride` apart. */
export function checkMatrix(name: string, block: Real, rows: number, cols: number, stride: number): void {
  const needed = rows > 0 && cols > 0 ? (rows - 1) * stride + cols : 0;
  if (stride < cols) throw new ShapeError(`${name}: expected a row stride >= ${cols}, got ${stride}`);
  if (block.length < needed) throw new ShapeError(`${name}: expected ${needed} elements, got ${block.length}`);
}
