// The transportation problem on blocks (assembly/network-simplex.ts).
import { checkLength } from '../core/check.js';
import type { F64 } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';

/** A vertex solution: for every node (rows, then columns) its parent in the spanning tree (rows + columns is the root) and the flow between. */
export interface SpanningTree {
  readonly parent: Int32Array;
  readonly flow: Float64Array;
  readonly pivots: number;
  /** False when `maxPivots` did not suffice, or `onPivots` stopped it. */
  readonly finished: boolean;
}

export interface SimplexOptions {
  readonly tolerance: number;
  /** Rows of costs that are priced for every pivot. */
  readonly blockRows: number;
  readonly maxPivots: number;
  /** Called every `pivotsAtOnce` pivots and at the end with the pivots so far and what a unit of mass gains on the next entering arc; false stops. */
  readonly onPivots?: (pivots: number, gap: number) => unknown;
}

/** Pivots between two calls of `onPivots`: some milliseconds of work at a thousand points. */
const pivotsAtOnce = 256;

/** Solves under C [n, m] with integer masses > 0 of equal totals; v [m] holds a start on entry, u [n] and v the dual on return. */
export function networkSimplex(C: F64, supply: F64, demand: F64, u: F64, v: F64, options: SimplexOptions): SpanningTree {
  const [n, m] = [supply.length, demand.length];
  checkLength('C', C, n * m);
  const { arena, kernels } = instance();
  const mark = arena.mark();
  const work = arena.alloc('u8', kernels.networkSimplexWork(n, m)).ptr;
  const { tolerance, blockRows, maxPivots, onPivots } = options;
  const [c, s, d] = [C.ptr, supply.ptr, demand.ptr];
  let [pivots, finished, going] = [0, false, true];
  for (let resume = 0; going; resume = 1) {
    const most = onPivots ? Math.min(pivotsAtOnce, maxPivots - pivots) : maxPivots;
    const done = kernels.networkSimplex(c, s, d, u.ptr, v.ptr, work, n, m, tolerance, blockRows, most, resume);
    finished = done >= 0;
    pivots += finished ? done : most;
    going = onPivots?.(pivots, kernels.networkSimplexGap(work, n, m)) !== false && !finished && pivots < maxPivots;
  }
  const nodes = n + m;
  const flow = arena.take({ type: 'f64', ptr: work, length: nodes });
  const parent = arena.take({ type: 'i32', ptr: work + 8 * (nodes + 1), length: nodes });
  arena.release(mark);
  return { parent, flow, pivots, finished };
}
