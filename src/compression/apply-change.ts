// The step from a chosen mask to new weights under the quadratic model.
import type { FloatArray } from '../core/tensor.js';
import type { FisherBlock } from '../mfac/fisher-block.js';
import type { StaticMfac } from '../mfac/static-mfac.js';
import { copyOf, type PruneInput } from './prune-input.js';

/** New weights for a mask (1 = kept) and ½ δᵀFδ: joint is the minimum of the model, independent adds up single updates. */
export function applyChange(
  input: PruneInput,
  mfac: StaticMfac,
  mask: Uint8Array,
  update: 'independent' | 'joint',
): { weights: FloatArray; predictedLoss: number } {
  const weights = copyOf(input);
  let predictedLoss = 0;
  for (const block of mfac.blocks) {
    const end = block.start + block.width;
    const from = weights.subarray(block.start, end);
    const kept = mask.subarray(block.start, end);
    if (kept.every((v) => v === 1)) continue;
    const change = update === 'joint' ? block.project(from, kept) : independentChange(block, from, kept);
    for (let k = 0; k < change.length; k++) if (!kept[k]) change[k] = -(from[k] as number);
    predictedLoss += 0.5 * block.quadratic(change);
    for (let k = 0; k < change.length; k++) from[k] = kept[k] ? (from[k] as number) + (change[k] as number) : 0;
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
