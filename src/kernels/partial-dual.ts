// Costs in and plan out of progressive partial transport (assembly/partial-dual.ts).
import { checkLength } from '../core/check.js';
import type { F32, F64, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Rows of costs [·, cols] with normalisers to subtract them from, if the costs are negative logits. */
export interface LabelRows {
  readonly data: Real;
  readonly base?: Real | undefined;
  readonly cols: number;
}

/** C [rows, width] from every `stride`-th row: base − data or data, 0 in the columns behind; C is f32 or of data's type. */
export function extendRows(C: Real, { data, base, cols }: LabelRows, stride: number, rows: number, width: number): void {
  checkLength('C', C, rows * width);
  const k = kernels();
  const run = data.type === 'f32' ? k.sextend : C.type === 'f32' ? k.dsextend : k.dextend;
  run(C.ptr, data.ptr, base?.ptr ?? 0, stride, rows, cols, width);
}

/** `x` rounded to f32, entries up to `floor` as 0. */
export function roundTo(out: F32, x: F64, floor: number): void {
  checkLength('out', out, x.length);
  kernels().dround(out.ptr, x.ptr, floor, x.length);
}

/** plan [rows, cols] = u·K·v without the columns behind, whose first goes to `slack`; returns Σ log u. K, u, v, plan of one type. */
export function labelPlan(plan: Real, slack: F64, K: Real, u: Real, v: Real, cols: number): number {
  checkLength('K', K, u.length * v.length);
  checkLength('plan', plan, u.length * cols);
  const k = kernels();
  const run = K.type === 'f32' ? k.slabelPlan : k.dlabelPlan;
  return run(plan.ptr, slack.ptr, K.ptr, u.ptr, v.ptr, u.length, cols, v.length);
}
