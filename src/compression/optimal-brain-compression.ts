// Row-wise greedy pruning with exact updates (OBC): every row starts from the same inverse Hessian and removes its own weights.
import { obcRow } from '../kernels/obc.js';
import { withArena } from '../runtime/instance.js';
import type { Pattern } from './layer-obs.js';
import type { LayerProblem } from './layer-problem.js';

export interface RowsOptions {
  /** Removals in every row. */
  readonly count: number;
  readonly pattern: Pattern | undefined;
  /** Removals over all rows, in place of `count` in each. */
  readonly total: number | undefined;
}

export interface RowsResult {
  readonly weights: Float64Array;
  readonly mask: Uint8Array;
  readonly order: Int32Array[];
  readonly costs: Float64Array[];
}

/** Removes weights of every row, cheapest first. */
export function pruneRows(problem: LayerProblem, { count, pattern, total }: RowsOptions): RowsResult {
  const { rows, cols } = problem;
  if (pattern) return run(problem, new Int32Array(rows).fill((cols / pattern.m) * (pattern.m - pattern.n)), pattern);
  if (total === undefined) return run(problem, new Int32Array(rows).fill(count));
  const whole = run(problem, new Int32Array(rows).fill(cols));
  return run(problem, shareOut(whole.costs, total));
}

/** How many removals each row takes when the next cheapest of all rows goes each time. */
function shareOut(costs: readonly Float64Array[], total: number): Int32Array {
  // Costs of a row may fall again; what a row still offers is the dearest so far, so that every prefix can be reached.
  const offers: { row: number; cost: number; step: number }[] = [];
  for (const [row, list] of costs.entries()) {
    let dearest = 0;
    for (const [step, cost] of list.entries()) {
      dearest = Math.max(dearest, cost);
      offers.push({ row, cost: dearest, step });
    }
  }
  offers.sort((a, b) => a.cost - b.cost || a.step - b.step || a.row - b.row);
  const counts = new Int32Array(costs.length);
  for (const { row } of offers.slice(0, total)) counts[row] = (counts[row] as number) + 1;
  return counts;
}

function run({ rows, cols, weights, inverse }: LayerProblem, counts: Int32Array, pattern?: Pattern): RowsResult {
  const out = new Float64Array(rows * cols);
  const mask = new Uint8Array(rows * cols);
  const order: Int32Array[] = [];
  const costs: Float64Array[] = [];
  for (let i = 0; i < rows; i++) {
    const steps = counts[i] as number;
    withArena((arena) => {
      const w = arena.put(weights.subarray(i * cols, (i + 1) * cols));
      const left = arena.put(new Uint8Array(cols).fill(1));
      const [sequence, cost] = [arena.zeros('i32', steps), arena.zeros('f64', steps)];
      obcRow(w, arena.put(inverse), left, sequence, cost, steps, pattern?.m, pattern && pattern.m - pattern.n);
      out.set(arena.view(w), i * cols);
      mask.set(arena.view(left), i * cols);
      order.push(arena.take(sequence));
      costs.push(arena.take(cost));
    });
  }
  return { weights: out, mask, order, costs };
}
