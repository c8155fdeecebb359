import { checkNonNegative } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { type NumberArray, sizeOf } from '../core/tensor.js';
import { checkTensors, copyOf, type PruneOptions, type PruneResult, readPruneInput } from './prune-input.js';
import { maskSmallest } from './smallest.js';

/** A tensor inside the flat weight vector, as in a model's layout. */
export interface Slot {
  readonly offset: number;
  readonly shape: readonly number[];
}

export interface MagnitudePruneOptions extends PruneOptions {
  /** Tensors of the weight vector; needed by minimumPerLayer. */
  readonly layout?: readonly Slot[];
  /** Prunable weights to keep in every tensor of the layout: a share below 1, a number from 1 on (0). */
  readonly minimumPerLayer?: number;
}

/**
 * Global magnitude pruning: the smallest |w| of all tensors together become zero, one threshold for all; equal magnitudes fall in
 * order of their index. `minimumPerLayer` protects the largest weights of every tensor, so that none dies out; the rest of the network
 * then gives more, and the sparsity asked for is kept wherever the minimum leaves room for it.
 *
 * @param w weights [d]
 * @param options `sparsity` 0 … 1 of the prunable weights; `prunable` [d] (all); `layout` and `minimumPerLayer` (0)
 * @returns `weights`, `mask` (1 = kept), `saliency` = |w|
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Gupta et al. 2022, arXiv:2209.14624, §3 (minimum threshold)
 */
export function magnitudePrune(w: NumberArray, options: MagnitudePruneOptions): PruneResult {
  const input = readPruneInput(w, options);
  const { minimumPerLayer = 0, layout } = options;
  checkNonNegative('minimumPerLayer', minimumPerLayer);
  const saliency = Float64Array.from(input.weights, (v, k) => (input.prunable[k] ? Math.abs(v) : Infinity));
  const scores = saliency.slice();
  let free = 0;
  if (minimumPerLayer > 0) {
    if (!layout) throw new DomainError('layout: expected the tensors of the weight vector with minimumPerLayer, got none');
    checkTensors(layout, scores.length);
    for (const slot of layout) protectLargest(scores, slot, minimumPerLayer);
  }
  for (let k = 0; k < scores.length; k++) if (scores[k] !== Infinity) free++;
  const mask = maskSmallest(scores, Math.min(input.count, free));
  const weights = copyOf(input);
  for (let k = 0; k < mask.length; k++) if (!mask[k]) weights[k] = 0;
  return { weights, mask, saliency };
}

/** Raises the largest scores of one tensor to Infinity. */
function protectLargest(scores: Float64Array, { offset, shape }: Slot, minimum: number): void {
  const size = sizeOf(shape);
  const part = scores.subarray(offset, offset + size);
  const finite = part.reduce((count, v) => count + (v === Infinity ? 0 : 1), 0);
  const keep = Math.min(finite, minimum < 1 ? Math.ceil(minimum * finite) : Math.floor(minimum));
  const mask = maskSmallest(part, finite - keep);
  for (let k = 0; k < size; k++) if (mask[k]) part[k] = Infinity;
}
