// e^x over blocks (assembly/exp.ts): the same bits in every runtime.
import { checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/**
 * y = e^x, within 2 ulp; y may be x. Results that would leave the normal range are 0 (below −86.99 in f32, −708.04 in f64).
 * @throws {ShapeError} when the lengths differ
 */
export function expInto<B extends Real>(x: B, y: B): void {
  checkLength('y', y, x.length);
  if (x.type === 'f32') kernels().sexp(x.length, x.ptr, y.ptr);
  else kernels().dexp(x.length, x.ptr, y.ptr);
}
