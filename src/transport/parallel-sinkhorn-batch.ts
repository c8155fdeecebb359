// A batch of balanced problems on a pool of threads.
import { checkAborted } from '../core/batches.js';
import { asRecord, checkMethods } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { isShared, precisionOf } from '../core/tensor.js';
import type { ThreadPool } from '../threads/pool.js';
import { type Buffers, shareable, task } from '../threads/task.js';
import { type EntropicResult, outcome } from './outcome.js';
import { balance, checkProblem, isPointProblem, type Problem, readMatrix } from './problem.js';
import { readProblem, type Setting } from './setting.js';
import { type SinkhornOptions, type SinkhornResult, sinkhorn } from './sinkhorn.js';
import { type BatchProblem, type BatchResult, batchResult, chains, sinkhornBatch, solveChain } from './sinkhorn-batch.js';

/** A result without what is made on demand. */
type Numbers = Omit<EntropicResult, 'plan' | 'gradients'>;
interface Group {
  readonly chains: readonly (readonly Problem[])[];
  readonly options: SinkhornOptions;
}

/** Chains of problems one after the other. */
export const sinkhornTask = task('sinkhorn', ({ chains: given, options }: Group): Numbers[] =>
  given
    .flatMap((chain) => solveChain(chain, options, sinkhorn))
    .map(({ f, g, value, transportCost, error, iterations, converged }) => ({ f, g, value, transportCost, error, iterations, converged })),
);

/** Costs of so many entries are worth a message to another thread. */
const entriesPerGroup = 2 ** 17;
/** Batches of fewer entries are solved in the calling thread: some 9 ms of work, of which messages would cost what a second thread gains. */
const entriesWorthThreads = 2 ** 20;

/**
 * `sinkhornBatch` on a pool of threads: the same bits, whatever their number. Small batches stay in the calling thread, where they are faster.
 *
 * @param problems a list of problems, or { cost, a [B, n], b [B, m] }
 * @param options `pool`, `signal`, and as for `sinkhorn` but `onIteration`, which cannot be called from another thread
 * @returns as `sinkhornBatch`; plans and gradients are made in the calling thread, when asked for
 * @throws as `sinkhornBatch`; {DomainError} for `onIteration`; {AbortError}
 */
export async function parallelSinkhornBatch(
  problems: BatchProblem,
  options: SinkhornOptions & { pool: ThreadPool; signal?: AbortSignal },
): Promise<BatchResult> {
  const { pool, signal, ...own } = asRecord('options', options, '{ pool }');
  checkMethods('pool', pool, 'a ThreadPool', 'map', 'takes');
  if (own.onIteration) throw new DomainError('onIteration: expected none, got a function, which another thread cannot call');
  const settings: Setting[] = [];
  const groups: Problem[][][] = [];
  let group: Problem[][] = [];
  let entries = 0;
  let all = 0;
  checkAborted(signal);
  const shared = sharedCost(problems);
  for (const chain of chains(shared)) {
    group.push(chain);
    for (const problem of chain) {
      const setting = readProblem(problem, own.lazy);
      balance(setting.a, setting.b, setting.singleWeights);
      settings.push(setting);
      entries += setting.a.length * setting.b.length;
    }
    if (entries < entriesPerGroup) continue;
    groups.push(group);
    all += entries;
    [group, entries] = [[], 0];
  }
  if (group.length) groups.push(group);
  if (!pool.takes(all + entries, entriesWorthThreads)) return sinkhornBatch(problems, own);
  const results: SinkhornResult[] = [];
  const { epsilon = 0.05 } = own;
  const { buffers } = pool;
  const lent: Lent[][] = [];
  function* inputs(): Generator<Group> {
    for (const each of groups) {
      const borrowed: Lent[] = [];
      lent.push(borrowed);
      yield { chains: each.map((chain) => chain.map((problem) => lend(problem, buffers, borrowed))), options: own };
    }
  }
  const add = (found: Numbers[], index: number): void => {
    for (const data of lent[index] as Lent[]) buffers.give(data);
    for (const numbers of found) {
      results.push(outcome(settings[results.length] as Setting, epsilon, [Infinity, Infinity], numbers));
    }
  };
  await pool.map(sinkhornTask, inputs(), add, { signal });
  return batchResult(results);
}

type Lent = Float32Array | Float64Array;

/** A problem whose cost lies where every thread sees it, in memory that is used again: cloning it would take as long as some iterations. */
function lend(problem: Problem, buffers: Buffers, borrowed: Lent[]): Problem {
  if (isPointProblem(problem)) return problem;
  const { a, b } = problem;
  const { data, rows, cols } = readMatrix('cost', problem.cost, { rows: a?.length, cols: b?.length, unchecked: true });
  if (isShared(data.buffer)) return problem;
  const copy = buffers.take(precisionOf(data), data.length);
  copy.set(data);
  borrowed.push(copy);
  return { ...problem, cost: { data: copy, shape: [rows, cols] } };
}

/** One cost for many weights is put where every thread sees it. */
function sharedCost(problems: BatchProblem): BatchProblem {
  if (Array.isArray(problems)) return problems as readonly Problem[];
  checkProblem('problems', problems, 'a list of problems, or { cost, a, b }');
  const { cost, a, b } = problems as Exclude<BatchProblem, readonly Problem[]>;
  const weights = [readMatrix('a', a), readMatrix('b', b)] as const;
  const { data, rows, cols } = readMatrix('cost', cost, { rows: weights[0].cols, cols: weights[1].cols, unchecked: true });
  return { cost: { data: shareable(data), shape: [rows, cols] }, a, b };
}
