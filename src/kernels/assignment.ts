// Linear assignment (assembly/assignment.ts).
import { ShapeError } from '../core/errors.js';
import type { Arena, F64, I32 } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** columns [rows] = the cheapest distinct columns of C [rows, cols], rows ≤ cols; v [cols] = the columns' prices, 0 where left over. */
export function assign(arena: Arena, columns: I32, v: F64, C: F64): void {
  const [rows, cols] = [columns.length, v.length];
  if (rows > cols) throw new ShapeError(`columns: expected at most ${cols} rows, got ${rows}`);
  const work = arena.alloc('f64', 4 * cols + rows);
  kernels().dassign(columns.ptr, v.ptr, C.ptr, rows, cols, work.ptr);
}
