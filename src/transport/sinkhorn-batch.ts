// Many balanced problems in one call.
import { ShapeError } from '../core/errors.js';
import type { NumberArray } from '../core/tensor.js';
import { type Matrix, type Problem, readMatrix } from './problem.js';
import { type SinkhornOptions, type SinkhornResult, sinkhorn } from './sinkhorn.js';

/** Problems of any sizes, or one cost [n, m] with rows of weights a [B, n], b [B, m] (one row serves all). */
export type BatchProblem = readonly Problem[] | { readonly cost: Matrix; readonly a: Matrix; readonly b: Matrix };
export interface BatchResult {
  /** [B] */
  readonly values: Float64Array;
  readonly results: readonly SinkhornResult[];
  readonly converged: boolean;
}

/**
 * `sinkhorn` on a batch: ragged problems as a list, or one cost with many weights, where each solution starts the next one.
 *
 * @param problems a list of problems, or { cost, a [B, n], b [B, m] }
 * @param options as for `sinkhorn`
 * @returns `values` [B], `results` in the order given, `converged` of all
 * @throws as `sinkhorn`; {ShapeError} for an empty list
 */
export function sinkhornBatch(problems: BatchProblem, options: SinkhornOptions = {}): BatchResult {
  let results: SinkhornResult[] = [];
  if (Array.isArray(problems)) {
    results = (problems as readonly Problem[]).map((problem) => sinkhorn(problem, options));
  } else {
    const { cost, a, b } = problems as { cost: Matrix; a: Matrix; b: Matrix };
    const [left, right] = [readMatrix('a', a), readMatrix('b', b)];
    const B = Math.max(left.rows, right.rows);
    for (const [name, side] of [['a', left] as const, ['b', right] as const]) {
      if (side.rows !== B && side.rows !== 1) throw new ShapeError(`${name}: expected ${B} rows or one, got ${side.rows}`);
    }
    const row = ({ data, rows, cols }: typeof left, k: number): NumberArray =>
      data.subarray((rows === 1 ? 0 : k) * cols, (rows === 1 ? 1 : k + 1) * cols);
    for (let k = 0; k < B; k++) {
      const previous = results.at(-1);
      const warm = options.warmStart ? {} : previous ? { warmStart: previous } : {};
      results.push(sinkhorn({ cost, a: row(left, k), b: row(right, k) }, { ...options, ...warm }));
    }
  }
  if (results.length === 0) throw new ShapeError('problems: expected at least one problem, got none');
  return { values: Float64Array.from(results, (r) => r.value), results, converged: results.every((r) => r.converged) };
}
