// Sinkhorn iterations in the log domain, rows in tiles (assembly/sinkhorn-log.ts).
import { checkLength } from '../core/check.js';
import type { F64, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Starts an iteration: `line` = G·log₂ e in the working precision, `acc` and `stats` cleared. */
export function logBegin(line: Real, acc: Real, G: F64, stats: F64): void {
  checkLength('line', line, G.length);
  const k = kernels();
  (line.type === 'f32' ? k.slogBegin : k.dlogBegin)(line.ptr, acc.ptr, G.ptr, stats.ptr, G.length);
}

/** Row updates of a tile C [F.length, line.length], adding its plan rows to `acc`; `row` [2·cols] is scratch of line's type. */
export function logRows(
  F: F64,
  acc: Real,
  line: Real,
  C: Real,
  a: F64,
  la: F64,
  row: Real,
  epsilon: number,
  kappa: number,
  omega: number,
  stats: F64,
): void {
  checkLength('C', C, F.length * line.length);
  const k = kernels();
  const run = line.type === 'f32' ? k.slogRows : C.type === 'f32' ? k.sdlogRows : k.dlogRows;
  run(F.ptr, acc.ptr, line.ptr, C.ptr, a.ptr, la.ptr, row.ptr, 1 / epsilon, kappa, omega, stats.ptr, F.length, line.length);
}

/** Column updates that end an iteration. */
export function logColumns(G: F64, line: Real, acc: Real, b: F64, lb: F64, kappa: number, omega: number, stats: F64): void {
  const k = kernels();
  (line.type === 'f32' ? k.slogColumns : k.dlogColumns)(G.ptr, line.ptr, acc.ptr, b.ptr, lb.ptr, kappa, omega, stats.ptr, G.length);
}
