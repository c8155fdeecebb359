// Level-1 BLAS on blocks (assembly/dot.ts).
import { checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Σ x[i]·y[i]. @throws {ShapeError} when the lengths differ */
export function dot<B extends Real>(x: B, y: B): number {
  checkLength('y', y, x.length);
  const k = kernels();
  return x.type === 'f32' ? k.sdot(x.length, x.ptr, y.ptr) : k.ddot(x.length, x.ptr, y.ptr);
}

/** y += alpha·x, in place. @throws {ShapeError} when the lengths differ */
export function axpy<B extends Real>(alpha: number, x: B, y: B): void {
  checkLength('y', y, x.length);
  const k = kernels();
  if (x.type === 'f32') k.saxpy(x.length, alpha, x.ptr, y.ptr);
  else k.daxpy(x.length, alpha, x.ptr, y.ptr);
}

/** Euclidean norm √Σ x[i]²; squares of f32 elements are formed in f64. */
export function nrm2(x: Real): number {
  const k = kernels();
  return x.type === 'f32' ? k.snrm2(x.length, x.ptr) : k.dnrm2(x.length, x.ptr);
}
