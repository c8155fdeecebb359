// Matrix times vector on blocks (assembly/gemv.ts).
import { checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';
import { checkMatrix } from './gemm.js';

/** Options of `gemv`; lda is the row stride of A as stored, in elements. */
export interface GemvOptions {
  alpha?: number;
  /** 0 (the default) overwrites y without reading it. */
  beta?: number;
  /** True for y [n] = Aᵀ·x [m]. */
  transA?: boolean;
  lda?: number;
}

/**
 * y = alpha·op(A)·x + beta·y for a stored row-major A [m, n]: x [n], y [m], or x [m], y [n] with transA. Rows are summed in f64 per 4096.
 * @throws {ShapeError} when a length does not fit
 */
export function gemv<B extends Real>(m: number, n: number, a: B, x: B, y: B, options: GemvOptions = {}): void {
  const { alpha = 1, beta = 0, transA = false, lda = n } = options;
  checkMatrix('a', a, m, n, lda);
  checkLength('x', x, transA ? m : n);
  checkLength('y', y, transA ? n : m);
  const k = kernels();
  const run = a.type === 'f32' ? (transA ? k.sgemvt : k.sgemv) : transA ? k.dgemvt : k.dgemv;
  run(m, n, alpha, a.ptr, lda, x.ptr, beta, y.ptr);
}
