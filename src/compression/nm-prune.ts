import { asRecord, checkLength, checkMethods, checkOneOf } from '../core/check.js';
import { DomainError } from '../core/errors.js';
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
  if (saliency) {
    checkLength('saliency', saliency, weights.length);
    for (let k = 0; k < weights.length; k++)
      if (Number.isNaN(saliency[k])) throw new DomainError(`saliency: expected numbers, got NaN at index ${k}`);
  }
  if (mfac) {
    checkMethods('mfac', mfac, 'a StaticMfac', 'ihvp', 'diagonal');
    checkLength('w', weights, mfac.size);
  }
  const mask = new Uint8Array(weights.length).fill(1);
  const scores = new Float64Array(m);
  checkTensors(layout, weights.length);
  for (const { offset, shape } of layout) {
    const size = sizeOf(shape);
    const row = size / (shape[0] || 1);
    for (let start = offset; start < offset + size; start += row) {
      for (let k = start; k + m <= start + row; k += m) {
        const block = mfac && blockOf(mfac, k, m);
        if (block) chooseExactly(block, weights, mask, k, n, m);
        else {
          scoreGroup(scores, weights, k, saliency, mfac);
          dropSmallest(scores, mask, k, m - n);
        }
      }
    }
  }
  if (mfac) return { ...applyChange(input, mfac, mask, update), mask };
  const pruned = copyOf(input);
  for (let k = 0; k < mask.length; k++) if (!mask[k]) pruned[k] = 0;
  return { weights: pruned, mask };
}

/** What each weight of the group at k is worth: its saliency, |w|, or its own cost where F⁻¹ has no block for the whole group. */
function scoreGroup(
  scores: Float64Array,
  weights: FloatArray,
  k: number,
  saliency: ArrayLike<number> | undefined,
  mfac: StaticMfac | undefined,
): void {
  for (let i = 0; i < scores.length; i++) {
    const w = weights[k + i] as number;
    if (mfac) {
      const block = mfac.blocks.find(({ start, width }) => k + i < start + width) as FisherBlock;
      scores[i] = square(w) / (2 * (block.diagonal[k + i - block.start] as number));
    } else scores[i] = saliency ? (saliency[k + i] as number) : Math.abs(w);
  }
}

/** The block of F that holds a whole group, if one does and the group is small enough to try every choice. */
function blockOf(mfac: StaticMfac, k: number, m: number): FisherBlock | undefined {
  return m <= 8 ? mfac.blocks.find(({ start, width }) => k >= start && k + m <= start + width) : undefined;
}

/** Clears the mask of a group at its `count` smallest scores; equal ones fall in order of their index. */
function dropSmallest(scores: Float64Array, mask: Uint8Array, k: number, count: number): void {
  if (scores.length > 32) {
    mask.set(maskSmallest(scores, count), k);
    return;
  }
  for (let gone = 0; gone < count; gone++) {
    let smallest = -1;
    for (let i = 0; i < scores.length; i++)
      if (mask[k + i] && (smallest < 0 || (scores[i] as number) < (scores[smallest] as number))) smallest = i;
    mask[k + smallest] = 0;
  }
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
