// The sliding window of M-FAC on blocks (assembly/mfac-window.ts).
import { checkLength } from '../core/check.js';
import type { F64, Real } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';
import { checkMatrix } from './gemm.js';

/** out [m] (f64) = A [m, n]·x [n], products and sums in f64. @throws {ShapeError} when a length does not fit */
export function rowDots<B extends Real>(m: number, n: number, a: B, x: B, out: F64): void {
  checkMatrix('a', a, m, n, n);
  checkLength('x', x, n);
  checkLength('out', out, m);
  const { kernels } = instance();
  (a.type === 'f32' ? kernels.srowDots : kernels.drowDots)(m, n, a.ptr, n, x.ptr, out.ptr);
}

/** y [n] = alpha·Aᵀc + beta·x for A [m, n] and f64 c [m], summed in f64; y may be x. @throws {ShapeError} when a length does not fit */
export function combineRows<B extends Real>(m: number, n: number, alpha: number, a: B, c: F64, beta: number, x: B, y: B): void {
  checkMatrix('a', a, m, n, n);
  checkLength('c', c, m);
  checkLength('x', x, n);
  checkLength('y', y, n);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const work = arena.alloc('f64', Math.min(n, 32768)).ptr;
  (a.type === 'f32' ? kernels.scombineRows : kernels.dcombineRows)(m, n, alpha, a.ptr, n, c.ptr, beta, x.ptr, y.ptr, work);
  arena.release(mark);
}

/**
 * Row and column `slot` of a symmetric positive definite K [m, m] become c [m]: its inverse follows in place, in O(m²).
 * @returns σ = 1/(new inverse)_ss; the inverse is worthless unless it is > 0
 * @throws {ShapeError} when a length does not fit
 */
export function replaceInverse(slot: number, c: F64, inverse: F64): number {
  const m = c.length;
  checkMatrix('inverse', inverse, m, m, m);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const schur = kernels.dreplaceInverse(m, slot, c.ptr, inverse.ptr, arena.alloc('f64', 2 * m).ptr);
  arena.release(mark);
  return schur;
}
