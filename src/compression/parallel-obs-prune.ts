import { asRecord, checkLength, checkMethods } from '../core/check.js';
import type { NumberArray } from '../core/tensor.js';
import type { StaticMfac } from '../mfac/static-mfac.js';
import type { ThreadPool } from '../threads/pool.js';
import { applyChangeInPool } from './apply-change.js';
import { type ObsPruneOptions, type ObsPruneResult, obsPrune, saliencyOf } from './obs-prune.js';
import { readPruneInput } from './prune-input.js';
import { maskSmallest } from './smallest.js';

/** Flop, in f64, from which on threads gain: some 20 ms of work. */
const flopsWorthThreads = 3e8;

/**
 * `obsPrune` with the joint update computed on a pool of threads: the same bits, whatever their number. The other updates take one thread.
 *
 * @param w weights [d]; @param mfac a StaticMfac of d parameters; @param options `pool`, `signal`, and as for `obsPrune`
 * @returns as `obsPrune`
 * @throws as `obsPrune`; {AbortError}
 * @see Kurtic et al. 2022, arXiv:2203.07259, §3.1
 */
export async function parallelObsPrune(
  w: NumberArray,
  mfac: StaticMfac,
  options: ObsPruneOptions & { pool: ThreadPool; signal?: AbortSignal },
): Promise<ObsPruneResult> {
  const { pool, signal, update = 'joint' } = asRecord('options', options, '{ sparsity, pool }');
  checkMethods('pool', pool, 'a ThreadPool', 'map', 'takes');
  checkMethods('mfac', mfac, 'a StaticMfac', 'ihvp', 'diagonal');
  const { gradients: m, size } = mfac;
  const inside = Math.min(m, mfac.blocks[0]?.width ?? m);
  if (update !== 'joint' || !pool.takes(2 * m * inside * size, flopsWorthThreads)) return obsPrune(w, mfac, options);
  const input = readPruneInput(w, options);
  checkLength('w', input.weights, mfac.size);
  const saliency = saliencyOf(input, mfac);
  const mask = maskSmallest(saliency, input.count);
  return { ...(await applyChangeInPool(input, mfac, mask, pool, signal)), mask, saliency };
}
