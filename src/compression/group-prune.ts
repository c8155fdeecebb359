import { asRecord, checkInteger, checkLength, checkMethods, checkOneOf } from '../core/check.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import type { FisherBlock } from '../mfac/fisher-block.js';
import type { StaticMfac } from '../mfac/static-mfac.js';
import { applyChange } from './apply-change.js';
import { type PruneOptions, type PruneResult, readPruneInput, removals } from './prune-input.js';
import { solveSmall } from './small-solve.js';
import { maskSmallest } from './smallest.js';

export interface GroupPruneOptions extends PruneOptions {
  /** Neighbouring weights that go or stay together (4). */
  readonly size?: number;
  /** As in obsPrune: joint (default) or independent. */
  readonly update?: 'independent' | 'joint';
}

export interface GroupPruneResult extends Omit<PruneResult, 'saliency'> {
  /** ½ w_Qᵀ([F⁻¹]_QQ)⁻¹w_Q of every whole group Q; Infinity where a weight of it may not be removed. */
  readonly saliency: Float64Array;
  readonly predictedLoss: number;
}

/**
 * Block pruning by Optimal Brain Surgeon: groups of `size` neighbours are removed together, ranked by the exact cost of each group alone.
 * Weights after the last whole group of a block of F stay.
 *
 * @param w weights [d]
 * @param mfac a StaticMfac of d parameters, its blocks at least `size` wide
 * @param options `sparsity` as a share of whole groups, `size` (4), `prunable` [d] (all), `update` (joint)
 * @returns `weights`, `mask` (1 = kept), `saliency` per group, `predictedLoss`
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Kurtic et al. 2022 (oBERT), arXiv:2203.07259, §3.2
 */
export function groupPrune(w: NumberArray, mfac: StaticMfac, options: GroupPruneOptions): GroupPruneResult {
  const { size = 4, update = 'joint', sparsity } = asRecord('options', options, '{ sparsity }');
  checkInteger('size', size, 1);
  checkOneOf('update', update, ['independent', 'joint']);
  const input = readPruneInput(w, options);
  checkMethods('mfac', mfac, 'a StaticMfac', 'ihvp', 'diagonal');
  checkLength('w', input.weights, mfac.size);
  const groups: number[] = [];
  const scores: number[] = [];
  let candidates = 0;
  for (const block of mfac.blocks) {
    for (let k = 0; k + size <= block.width; k += size) {
      const start = block.start + k;
      const free = input.prunable.subarray(start, start + size).every((v) => v !== 0);
      if (free) candidates++;
      groups.push(start);
      scores.push(free ? groupCost(block, input.weights, k, size) : Infinity);
    }
  }
  const saliency = Float64Array.from(scores);
  const kept = maskSmallest(saliency, removals(sparsity, candidates));
  const mask = new Uint8Array(mfac.size).fill(1);
  for (const [g, start] of groups.entries()) if (!kept[g]) mask.fill(0, start, start + size);
  return { ...applyChange(input, mfac, mask, update), mask, saliency };
}

/** ½ w_Qᵀ([F⁻¹]_QQ)⁻¹w_Q for `size` coordinates from k of a block. */
function groupCost(block: FisherBlock, weights: FloatArray, k: number, size: number): number {
  const indices = Array.from({ length: size }, (_, i) => k + i);
  const w = Float64Array.from(indices, (i) => weights[block.start + i] as number);
  const solved = solveSmall(block.inverseAt(indices), w);
  return 0.5 * solved.reduce((sum, v, i) => sum + v * (w[i] as number), 0);
}
