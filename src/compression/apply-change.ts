// The step from a chosen mask to new weights under the quadratic model.
import type { FloatArray } from '../core/tensor.js';
import type { FisherBlock } from '../mfac/fisher-block.js';
import { type Projection, projectInPool } from '../mfac/project-in-pool.js';
import type { StaticMfac } from '../mfac/static-mfac.js';
import type { ThreadPool } from '../threads/pool.js';
import { copyOf, type PruneInput } from './prune-input.js';

/** New weights for a mask (1 = kept) and ½ δᵀFδ: joint is the minimum of the model, independent adds up single updates. */
export function applyChange(
  input: PruneInput,
  mfac: StaticMfac,
  mask: Uint8Array,
  update: 'independent' | 'joint',
): { weights: FloatArray; predictedLoss: number } {
  const parts = changedParts(input.weights, mfac, mask);
  const changes = parts.map(({ block, weights, mask: kept }) =>
    update === 'joint' ? block.project(weights, kept) : independentChange(block, weights, kept),
  );
  return applied(input, parts, changes);
}

/** As `applyChange` with joint changes, computed on a pool of threads. @throws {AbortError} */
export async function applyChangeInPool(
  input: PruneInput,
  mfac: StaticMfac,
  mask: Uint8Array,
  pool: ThreadPool,
  signal?: AbortSignal,
): Promise<{ weights: FloatArray; predictedLoss: number }> {
  const parts = changedParts(input.weights, mfac, mask);
  return applied(input, parts, await projectInPool(pool, parts, signal));
}

/** Blocks that lose a weight, with their part of weights and mask. */
function changedParts(weights: FloatArray, mfac: StaticMfac, mask: Uint8Array): Projection[] {
  return mfac.blocks
    .map((block) => {
      const end = block.start + block.width;
      return { block, weights: weights.subarray(block.start, end), mask: mask.subarray(block.start, end) };
    })
    .filter((part) => !part.mask.every((v) => v === 1));
}

function applied(input: PruneInput, parts: readonly Projection[], changes: readonly Float64Array[]) {
  const weights = copyOf(input);
  let predictedLoss = 0;
  for (const [i, { block, mask: kept, weights: from }] of parts.entries()) {
    const change = changes[i] as Float64Array;
    const to = weights.subarray(block.start, block.start + block.width);
    for (let k = 0; k < change.length; k++) if (!kept[k]) change[k] = -(from[k] as number);
    predictedLoss += 0.5 * block.quadratic(change);
    for (let k = 0; k < change.length; k++) to[k] = kept[k] ? (from[k] as number) + (change[k] as number) : 0;
  }
  return { weights, predictedLoss };
}

/** F⁻¹t with t_k = −w_k / [F⁻¹]_kk at the removed weights. */
function independentChange(block: FisherBlock, w: FloatArray, mask: Uint8Array): Float64Array {
  const t = Float64Array.from(w, (v, k) => (mask[k] ? 0 : -v / (block.diagonal[k] as number)));
  const change = new Float64Array(t.length);
  block.ihvp(t, change);
  return change;
}
