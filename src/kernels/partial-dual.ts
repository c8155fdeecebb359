// Kernel matrix to single-precision shares and to the plan of progressive partial transport (assembly/partial-dual.ts).
import { checkLength } from '../core/check.js';
import type { F32, F64, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** out = rows·u·K·v in f32, entries up to `floor` as 0; v.length is a multiple of 4. */
export function shares(out: F32, K: F64, u: F64, v: F64, floor: number): void {
  checkLength('K', K, u.length * v.length);
  checkLength('out', out, K.length);
  kernels().dshares(out.ptr, K.ptr, u.ptr, v.ptr, floor, u.length, v.length);
}

/** plan [rows, cols] = u·K·v without the columns behind, whose first goes to `slack` if width > cols; returns Σ log u. */
export function labelPlan(plan: Real, slack: F64, K: Real, u: Real, v: Real, cols: number, width: number): number {
  checkLength('K', K, u.length * v.length);
  checkLength('plan', plan, u.length * cols);
  const k = kernels();
  const run = K.type === 'f32' ? k.slabelPlan : k.dlabelPlan;
  return run(plan.ptr, slack.ptr, K.ptr, u.ptr, v.ptr, u.length, cols, width, v.length);
}
