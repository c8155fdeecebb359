// Ground costs between point sets (assembly/cost.ts).
import { checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** C[i,j] = factor·|x_i − y_j|², or factor·|x_i − y_j| with `root`; x [rows, d], yt [d, cols] (transposed points), C [rows, cols]. */
export function pairCost(C: Real, x: Real, yt: Real, d: number, factor = 1, root = false): void {
  checkLength('C', C, (x.length / d) * (yt.length / d));
  const k = kernels();
  (C.type === 'f32' ? k.scost : k.dcost)(C.ptr, x.ptr, yt.ptr, factor, root ? 1 : 0, x.length / d, yt.length / d, d);
}
