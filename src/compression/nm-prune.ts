import { asRecord, checkLength, checkMethods, checkOneOf } from '../core/check.js';
import { square } from '../core/square.js';
import { type FloatArray, type NumberArray, sizeOf } from '../core/tensor.js';
import type { FisherBlock } from '../mfac/fisher-block.js';
import type { StaticMfac } from '../mfac/static-mfac.js';
import { applyChange } from './apply-change.js';
import { checkPattern } from './layer-obs.js';
import type { Slot } from './magnitude-prune.js';
import { checkTensors, copyOf, readPruneInput } from './prune-input.js';
import { solveSmall } from './small-solve.js';
import { maskSmallest } from './smallest.js';

export interface NmPruneOptions {
  /** Weights to keep (2) … */
  readonly n?: number;
  /** … of every group of so many neighbours (4). */
  readonly m?: number;
  /** Tensors of the weight vector to prune: groups run along their rows (everything after the first axis) and never cross one. All by default. */
  readonly layout?: readonly Slot[];
  /** What a weight is worth [d]; |w| by default. Not used with `mfac`. */
  readonly saliency?: ArrayLike<number>;
  /** Inverse Fisher products: each group keeps the set of least exact cost, and the survivors move. */
  readonly mfac?: StaticMfac;
  /** With mfac: how they move, as in obsPrune (joint). */
  readonly update?: 'independent' | 'joint';
}

export interface NmPruneResult {
  readonly weights: FloatArray;
  /** 1 = kept. */
  readonly mask: Uint8Array;
  /** With mfac: the loss increase of the quadratic model. */
  readonly predictedLoss?: number;
}

/**
 * N:M sparsity: of every m neighbours along a row n are kept (2:4 is what sparse tensor cores take). Rows shorter than a whole number of
 * groups keep their last few weights.
 *
 * @param w weights [d]
 * @param options `n` (2), `m` (4), `layout` (one row), `saliency` (|w|) or `mfac` with `update` (joint)
 * @returns `weights`, `mask` (1 = kept), with mfac `predictedLoss`
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Zhou et al. 2021, arXiv:2102.04010; with second order: Kurtic et al. 2022, arXiv:2203.07259, §3.2
 */
export function nmPrune(w: NumberArray, options: NmPruneOptions = {}): NmPruneResult {
  const { n = 2, m = 4, saliency, mfac, update = 'joint' } = asRecord('options', options);
  const input = readPruneInput(w, { sparsity: 0 });
  const { weights } = input;
  const { layout = [{ offset: 0, shape: [1, weights.length] }] } = options;
  checkPattern({ n, m });
  checkOneOf('update', update, ['independent', 'joint']);
  if (saliency) checkLength('saliency', saliency, weights.length);
  if (mfac) {
    checkMethods('mfac', mfac, 'a StaticMfac', 'ihvp', 'diagonal');
    checkLength('w', weights, mfac.size);
  }
  const mask = new Uint8Array(weights.length).fill(1);
  checkTensors(layout, weights.length);
  for (const { offset, shape } of layout) {
    const size = sizeOf(shape);
    const row = size / (shape[0] || 1);
    for (let start = offset; start < offset + size; start += row) {
      for (let k = start; k + m <= start + row; k += m) {
        const block = mfac && blockOf(mfac, k, m);
        if (block) chooseExactly(block, weights, mask, k, n, m);
        else chooseBest(mfac ? singleCosts(mfac, weights, k, m) : scoresAt(weights, saliency, k, m), mask, k, n);
      }
    }
  }
  if (mfac) return { ...applyChange(input, mfac, mask, update), mask };
  const pruned = copyOf(input);
  for (let k = 0; k < mask.length; k++) if (!mask[k]) pruned[k] = 0;
  return { weights: pruned, mask };
}

function scoresAt(weights: FloatArray, saliency: ArrayLike<number> | undefined, k: number, m: number): Float64Array {
  return Float64Array.from({ length: m }, (_, i) => (saliency ? (saliency[k + i] as number) : Math.abs(weights[k + i] as number)));
}

/** The block of F that holds a whole group, if one does and the group is small enough to try every choice. */
function blockOf(mfac: StaticMfac, k: number, m: number): FisherBlock | undefined {
  return m <= 8 ? mfac.blocks.find(({ start, width }) => k >= start && k + m <= start + width) : undefined;
}

function singleCosts(mfac: StaticMfac, weights: FloatArray, k: number, m: number): Float64Array {
  return Float64Array.from({ length: m }, (_, i) => {
    const block = mfac.blocks.find(({ start, width }) => k + i < start + width) as FisherBlock;
    return square(weights[k + i] as number) / (2 * (block.diagonal[k + i - block.start] as number));
  });
}

function chooseBest(scores: Float64Array, mask: Uint8Array, k: number, n: number): void {
  mask.set(maskSmallest(scores, scores.length - n), k);
}

/** Removes the m − n weights Q of a group with the least ½ w_Qᵀ([F⁻¹]_QQ)⁻¹w_Q. */
function chooseExactly(block: FisherBlock, weights: FloatArray, mask: Uint8Array, k: number, n: number, m: number): void {
  const inverse = block.inverseAt(Array.from({ length: m }, (_, i) => k - block.start + i));
  let lowest = Infinity;
  let best = 0;
  for (let set = 0; set < 1 << m; set++) {
    const gone = Array.from({ length: m }, (_, i) => i).filter((i) => set & (1 << i));
    if (gone.length !== m - n) continue;
    const w = Float64Array.from(gone, (i) => weights[k + i] as number);
    const part = Float64Array.from({ length: square(gone.length) }, (_, at) => {
      const [i, j] = [gone[Math.floor(at / gone.length)] as number, gone[at % gone.length] as number];
      return inverse[i * m + j] as number;
    });
    const cost = solveSmall(part, w).reduce((sum, v, i) => sum + v * (w[i] as number), 0);
    if (cost < lowest) {
      lowest = cost;
      best = set;
    }
  }
  for (let i = 0; i < m; i++) if (best & (1 << i)) mask[k + i] = 0;
}
