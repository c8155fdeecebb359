import { asRecord, checkLength, checkOneOf } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { describe, type FloatArray, type NumberArray, type TensorLike } from '../core/tensor.js';
import type { FisherBlock } from '../mfac/fisher-block.js';
import { StaticMfac, type StaticMfacOptions } from '../mfac/static-mfac.js';
import { applyChange } from './apply-change.js';
import { copyOf, type PruneInput, type PruneOptions, type PruneResult, readPruneInput } from './prune-input.js';
import { maskSmallest } from './smallest.js';

export type ObsUpdate = 'independent' | 'joint' | 'greedy';

export interface ObsPruneOptions extends PruneOptions, StaticMfacOptions {
  /**
   * How the survivors move: each removed weight's own update added up (independent, the rule of M-FAC), the exact minimum of the
   * quadratic model for the chosen set (joint, the default), or weight after weight, chosen anew each time (greedy).
   */
  readonly update?: ObsUpdate;
}

export interface ObsPruneResult extends PruneResult {
  /** ½ δᵀFδ for the whole change of the weights: the loss increase that the quadratic model predicts. */
  readonly predictedLoss: number;
  /** Removed weights in the order they went (greedy only). */
  readonly order?: Int32Array;
  /** The cost of each removal when it was made (greedy only). */
  readonly costs?: Float64Array;
}

/**
 * Optimal Brain Surgeon with the empirical Fisher matrix: removes the weights of smallest w_k² / (2 [F⁻¹]_kk) and moves the others to
 * make up for them. `joint` and `independent` choose all at once, `greedy` costs O(d·m) for every weight removed.
 *
 * @param w weights [d]
 * @param mfac a StaticMfac of d parameters, or gradients [m, d] from which one is built and disposed (`damping`, `blockSize` … then apply)
 * @param options `sparsity` 0 … 1 of the prunable weights; `prunable` [d] (all); `update` (joint)
 * @returns `weights`, `mask` (1 = kept), `saliency` [d] before the first removal, `predictedLoss`; greedy also `order` and `costs`
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Hassibi & Stork 1993; Frantar, Kurtic & Alistarh 2021, arXiv:2107.03356, §4.1; joint: Kurtic et al. 2022, arXiv:2203.07259, §3.1
 */
export function obsPrune(w: NumberArray, mfac: StaticMfac | TensorLike | Iterable<FloatArray>, options: ObsPruneOptions): ObsPruneResult {
  const { update = 'joint' } = asRecord('options', options, '{ sparsity }');
  checkOneOf('update', update, ['independent', 'joint', 'greedy']);
  const input = readPruneInput(w, options);
  if (!mfac || typeof mfac !== 'object') throw new DomainError(`mfac: expected a StaticMfac or gradients [m, d], got ${describe(mfac)}`);
  if (!(mfac instanceof StaticMfac)) {
    const built = StaticMfac.buildSync(mfac, options);
    try {
      return obsPrune(w, built, options);
    } finally {
      built.dispose();
    }
  }
  checkLength('w', input.weights, mfac.size);
  return update === 'greedy' ? greedy(input, mfac) : atOnce(input, mfac, update);
}

function atOnce(input: PruneInput, mfac: StaticMfac, update: 'independent' | 'joint'): ObsPruneResult {
  const saliency = saliencyOf(input, mfac);
  const mask = maskSmallest(saliency, input.count);
  return { ...applyChange(input, mfac, mask, update), mask, saliency };
}

function greedy(input: PruneInput, mfac: StaticMfac): ObsPruneResult {
  const saliency = saliencyOf(input, mfac);
  const mask = new Uint8Array(mfac.size).fill(1);
  const current = Float64Array.from(input.weights);
  const order = new Int32Array(input.count);
  const costs = new Float64Array(input.count);
  const eliminations = mfac.blocks.map((block) => block.elimination());
  const scores = saliency.slice();
  const best = mfac.blocks.map((block) => smallestOf(scores, block));
  for (let step = 0; step < input.count; step++) {
    let b = 0;
    for (let i = 1; i < best.length; i++) if ((scores[best[i] as number] as number) < (scores[best[b] as number] as number)) b = i;
    const block = mfac.blocks[b] as FisherBlock;
    const at = best[b] as number;
    const k = at - block.start;
    const { diagonal, remove } = eliminations[b] as ReturnType<FisherBlock['elimination']>;
    order[step] = at;
    costs[step] = scores[at] as number;
    const pivot = diagonal[k] as number;
    const column = remove(k);
    const factor = (current[at] as number) / pivot;
    mask[at] = 0;
    for (let j = 0; j < block.width; j++) {
      const to = block.start + j;
      current[to] = mask[to] ? (current[to] as number) - factor * (column[j] as number) : 0;
      const w = current[to] as number;
      scores[to] = mask[to] && input.prunable[to] ? (w * w) / (2 * (diagonal[j] as number)) : Infinity;
    }
    best[b] = smallestOf(scores, block);
  }
  const weights = copyOf(input);
  let predictedLoss = 0;
  for (const block of mfac.blocks) {
    const change = partOf(current, block).map((v, k) => v - (input.weights[block.start + k] as number));
    predictedLoss += 0.5 * block.quadratic(change);
  }
  weights.set(current);
  return { weights, mask, saliency, predictedLoss, order, costs };
}

/** w_k² / (2 [F⁻¹]_kk), Infinity where a weight may not be removed. */
export function saliencyOf({ weights, prunable }: PruneInput, mfac: StaticMfac): Float64Array {
  const out = new Float64Array(weights.length);
  for (const { start, diagonal } of mfac.blocks) {
    for (let k = 0; k < diagonal.length; k++) {
      const w = weights[start + k] as number;
      out[start + k] = prunable[start + k] ? (w * w) / (2 * (diagonal[k] as number)) : Infinity;
    }
  }
  return out;
}

function smallestOf(scores: Float64Array, { start, width }: FisherBlock): number {
  let at = start;
  for (let k = start + 1; k < start + width; k++) if ((scores[k] as number) < (scores[at] as number)) at = k;
  return at;
}

function partOf<T extends FloatArray>(vector: T, { start, width }: FisherBlock): T {
  return vector.subarray(start, start + width) as T;
}
