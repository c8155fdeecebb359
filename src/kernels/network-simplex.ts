// The transportation problem on blocks (assembly/network-simplex.ts).
import { checkLength } from '../core/check.js';
import type { F64 } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';

/** A vertex solution: for every node (rows, then columns) its parent in the spanning tree (rows + columns is the root) and the flow between. */
export interface SpanningTree {
  readonly parent: Int32Array;
  readonly flow: Float64Array;
  readonly pivots: number;
  /** False when `maxPivots` did not suffice. */
  readonly finished: boolean;
}

/**
 * Solves under C [n, m] with integer masses > 0 of equal totals; v [m] holds a start on entry, u [n] and v the dual on return.
 * `blockRows` rows of costs are priced for every pivot.
 */
export function networkSimplex(
  C: F64,
  supply: F64,
  demand: F64,
  u: F64,
  v: F64,
  options: { tolerance: number; blockRows: number; maxPivots: number },
): SpanningTree {
  const [n, m] = [supply.length, demand.length];
  checkLength('C', C, n * m);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const work = arena.alloc('u8', kernels.networkSimplexWork(n, m)).ptr;
  const { tolerance, blockRows, maxPivots } = options;
  const pivots = kernels.networkSimplex(C.ptr, supply.ptr, demand.ptr, u.ptr, v.ptr, work, n, m, tolerance, blockRows, maxPivots);
  const nodes = n + m;
  const flow = arena.take({ type: 'f64', ptr: work, length: nodes });
  const parent = arena.take({ type: 'i32', ptr: work + 8 * (nodes + 1), length: nodes });
  arena.release(mark);
  return { parent, flow, pivots: pivots < 0 ? maxPivots : pivots, finished: pivots >= 0 };
}
