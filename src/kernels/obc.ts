// Row-wise Optimal Brain Surgeon on blocks (assembly/obc.ts).
import { checkLength } from '../core/check.js';
import type { F64, I32, U8 } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/**
 * Removes up to `steps` weights of a row w [n], cheapest first; inverse [n, n] is overwritten, mask [n] says what is left.
 * `group` (0: none) and `most` bound the removals per group of neighbours. Fills order and costs [steps]; returns how many were removed.
 * @throws {ShapeError} when a length does not fit
 */
export function obcRow(w: F64, inverse: F64, mask: U8, order: I32, costs: F64, steps: number, group = 0, most = 0): number {
  const n = w.length;
  checkLength('inverse', inverse, n * n);
  checkLength('mask', mask, n);
  checkLength('order', order, steps);
  checkLength('costs', costs, steps);
  return kernels().dobcRow(n, steps, group, most, w.ptr, inverse.ptr, mask.ptr, order.ptr, costs.ptr);
}
