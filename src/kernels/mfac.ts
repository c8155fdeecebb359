// Products with UᵀU and column norms on blocks (assembly/mfac.ts).
import { checkLength } from '../core/check.js';
import type { F64, Real } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';
import { checkMatrix } from './gemm.js';

/**
 * y [n] += factor·Uᵀ(U x) for U [m, n], rows ldu apart; each row comes from memory once. x must not be y.
 * @throws {ShapeError} when a length does not fit
 */
export function project<B extends Real>(m: number, n: number, factor: number, u: B, x: B, y: B, ldu = n): void {
  checkMatrix('u', u, m, n, ldu);
  checkLength('x', x, n);
  checkLength('y', y, n);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const work = arena.alloc(u.type, 4).ptr;
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
