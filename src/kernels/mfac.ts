// Products with UᵀU and column norms on blocks (assembly/mfac.ts).
import { checkLength } from '../core/check.js';
import type { F64, Real } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';
import { checkMatrix } from './gemm.js';

/**
 * y [n] += factor·Uᵀ(U x) for U [m, n], rows ldu apart; U is read once where four of its rows fit in cache. x must not be y.
 * @throws {ShapeError} when a length does not fit
 */
export function project<B extends Real>(m: number, n: number, factor: number, u: B, x: B, y: B, ldu = n): void {
  checkMatrix('u', u, m, n, ldu);
  checkLength('x', x, n);
  checkLength('y', y, n);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const work = arena.alloc(u.type, m).ptr;
  (u.type === 'f32' ? kernels.sproject : kernels.dproject)(m, n, factor, u.ptr, ldu, x.ptr, y.ptr, work);
  arena.release(mark);
}

/** out [n] = sums of squares of the columns of A [m, n], in f64. @throws {ShapeError} when a length does not fit */
export function columnNorms(m: number, n: number, a: Real, out: F64, lda = n): void {
  checkMatrix('a', a, m, n, lda);
  checkLength('out', out, n);
  const { kernels } = instance();
  (a.type === 'f32' ? kernels.scolumnNorms : kernels.dcolumnNorms)(m, n, a.ptr, lda, out.ptr);
}

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
  const work = arena.alloc('f64', 1024).ptr;
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
