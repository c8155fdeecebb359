import { asRecord, checkArray, checkFinite, checkInteger, checkLength, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { asFloats, type NumberArray } from '../core/tensor.js';
import { removals } from './prune-input.js';

export interface LayerSparsityAllocationOptions {
  /** Share of all weights to remove, 0 … 1. */
  readonly sparsity: number;
  /** No layer loses more than this share (sparsity + 0.1, at most 1). */
  readonly maxSparsity?: number;
}

/**
 * Shares a number of weights to keep out among layers: each keeps ⌈n_i (1 − maxSparsity)⌉, the rest goes in proportion to the scores, a layer
 * that is full passes its part on. The total is met exactly.
 *
 * @param scores importance of every layer, ≥ 0
 * @param sizes weights of every layer
 * @param options `sparsity`, `maxSparsity` (sparsity + 0.1)
 * @returns `keep` (weights per layer) and `sparsities`
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Sung, Yoon & Bansal 2023 (ECoFLaP), arXiv:2310.02998, §3.1
 */
export function layerSparsityAllocation(
  scores: NumberArray,
  sizes: ArrayLike<number>,
  options: LayerSparsityAllocationOptions,
): { keep: Int32Array; sparsities: Float64Array } {
  const { sparsity } = asRecord('options', options, '{ sparsity }');
  checkRange('sparsity', sparsity, 0, 1);
  const { maxSparsity = Math.min(1, sparsity + 0.1) } = options;
  checkRange('maxSparsity', maxSparsity, sparsity, 1);
  const weights = asFloats('scores', scores);
  checkFinite('scores', weights);
  checkArray('sizes', sizes);
  checkLength('scores', weights, sizes.length);
  let total = 0;
  for (let i = 0; i < sizes.length; i++) {
    checkInteger('sizes', sizes[i], 0);
    if ((weights[i] as number) < 0) throw new DomainError(`scores: expected numbers >= 0, got ${weights[i]} at index ${i}`);
    total += sizes[i] as number;
  }
  const keep = Int32Array.from(sizes, (n) => n - removals(maxSparsity, n));
  let rest = total - removals(sparsity, total) - keep.reduce((sum, n) => sum + n, 0);
  // Rounded-up minima of many small layers can pass the total by a few: then the least important give them back.
  const order = Array.from(keep.keys()).sort((a, b) => (weights[b] as number) - (weights[a] as number) || a - b);
  for (const i of [...order].reverse()) {
    const back = Math.min(Math.max(-rest, 0), keep[i] as number);
    keep[i] = (keep[i] as number) - back;
    rest += back;
  }
  while (rest > 0) {
    const open = order.filter((i) => (keep[i] as number) < (sizes[i] as number));
    const sum = open.reduce((s, i) => s + (weights[i] as number), 0);
    let given = 0;
    for (const i of open) {
      // All-zero scores share equally; every round hands out at least one weight, the most important first.
      const part = sum > 0 ? (weights[i] as number) / sum : 1 / open.length;
      const more = Math.min((sizes[i] as number) - (keep[i] as number), Math.ceil(part * rest), rest - given);
      keep[i] = (keep[i] as number) + more;
      given += more;
    }
    rest -= given;
  }
  return { keep, sparsities: Float64Array.from(keep, (k, i) => (sizes[i] ? 1 - k / (sizes[i] as number) : 0)) };
}
