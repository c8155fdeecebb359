// Many balanced problems in one call.
import { ShapeError } from '../core/errors.js';
import { Iterations, readIterative } from '../core/iterations.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { checkProblem, type Matrix, type Problem, readMatrix } from './problem.js';
import { type SinkhornOptions, type SinkhornResult, sinkhorn } from './sinkhorn.js';

/** Problems of any sizes, or one cost [n, m] with rows of weights a [B, n], b [B, m] (one row serves all). */
export type BatchProblem = readonly Problem[] | { readonly cost: Matrix; readonly a: Matrix; readonly b: Matrix };
export interface BatchResult {
  /** [B] */
  readonly values: Float64Array;
  readonly results: readonly SinkhornResult[];
  readonly converged: boolean;
}

/** Problems of one cost solved one after the other, each starting from the solution before it; then a new chain starts. */
const chainLength = 8;

/**
 * `sinkhorn` on a batch: ragged problems as a list, or one cost with many weights, where each solution starts the next one (in runs of 8).
 *
 * @param problems a list of problems, or { cost, a [B, n], b [B, m] }
 * @param options as for `sinkhorn`; `onIteration` counts through all problems, and false stops them all
 * @returns `values` [B], `results` in the order given, `converged` of all
 * @throws as `sinkhorn`; {ShapeError} for an empty list
 */
export function sinkhornBatch(problems: BatchProblem, options: SinkhornOptions = {}): BatchResult {
  const told = new Iterations(readIterative(options).onIteration);
  const solve = (problem: Problem, own: SinkhornOptions) => sinkhorn(problem, { ...own, ...told.next() });
  return batchResult(chains(problems).flatMap((chain) => solveChain(chain, options, solve)));
}

/** A batch as chains: a problem of a list is one of its own. @throws {ShapeError} */
export function chains(problems: BatchProblem): Problem[][] {
  if (Array.isArray(problems)) return (problems as readonly Problem[]).map((problem) => [problem]);
  checkProblem('problems', problems, 'a list of problems, or { cost, a, b }');
  const { cost, a, b } = problems as { cost: Matrix; a: Matrix; b: Matrix };
  const [left, right] = [readMatrix('a', a), readMatrix('b', b)];
  const B = Math.max(left.rows, right.rows);
  for (const [name, side] of [['a', left] as const, ['b', right] as const]) {
    if (side.rows !== B && side.rows !== 1) throw new ShapeError(`${name}: expected ${B} rows or one, got ${side.rows}`);
  }
  const row = ({ data, rows, cols }: { data: FloatArray; rows: number; cols: number }, k: number): NumberArray =>
    data.slice((rows === 1 ? 0 : k) * cols, (rows === 1 ? 1 : k + 1) * cols);
  const all = Array.from({ length: B }, (_, k) => ({ cost, a: row(left, k), b: row(right, k) }));
  return Array.from({ length: Math.ceil(B / chainLength) }, (_, i) => all.slice(i * chainLength, (i + 1) * chainLength));
}

/** Solves the problems of a chain, each from the solution before it unless the caller gave a start. */
export function solveChain<R extends { f: Float64Array; g: Float64Array }>(
  chain: readonly Problem[],
  options: SinkhornOptions,
  solve: (problem: Problem, options: SinkhornOptions) => R,
): R[] {
  const results: R[] = [];
  for (const problem of chain) {
    const previous = results.at(-1);
    results.push(solve(problem, previous && !options.warmStart ? { ...options, warmStart: previous } : options));
  }
  return results;
}

/** The record of a batch. @throws {ShapeError} for an empty list */
export function batchResult(results: readonly SinkhornResult[]): BatchResult {
  if (results.length === 0) throw new ShapeError('problems: expected at least one problem, got none');
  return { values: Float64Array.from(results, (r) => r.value), results, converged: results.every((r) => r.converged) };
}
