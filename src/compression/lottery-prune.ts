import { asRecord, checkFinite, checkLength, checkOneOf, checkRange } from '../core/check.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf, sizeOf } from '../core/tensor.js';
import type { Slot } from './magnitude-prune.js';
import { checkTensors, removals } from './prune-input.js';
import { maskSmallest } from './smallest.js';

export interface LotteryPruneOptions {
  /** What is left from earlier rounds [d], 1 = kept (all). */
  readonly mask?: Uint8Array;
  /** Tensors of the vector: each loses the same share of what it has left (one tensor). */
  readonly layout?: readonly Slot[];
  /** Share of the remaining weights that goes (0.5). */
  readonly share?: number;
  /** By size after training (magnitude), or by how much it grew: |w_end| − |w_initial| (increase, the default). */
  readonly score?: 'increase' | 'magnitude';
}

export interface LotteryPruneResult {
  /** The survivors at their initial values, zeros elsewhere: where the next round of training starts. */
  readonly weights: FloatArray;
  /** 1 = kept. */
  readonly mask: Uint8Array;
  /** Share of all weights in the layout that is left. */
  readonly density: number;
}

/**
 * One round of lottery-ticket pruning: in every tensor the remaining weights of least score go, ties by index, and the survivors go back
 * to where they were before training.
 *
 * @param end weights after training [d]
 * @param initial weights before it [d]
 * @param options `mask` (all kept), `layout` (one tensor), `share` (0.5), `score` (increase)
 * @returns `weights`, `mask`, `density`
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Entezari & Saukh 2020, arXiv:1909.10364, §3; Frankle & Carbin 2019, arXiv:1803.03635
 */
export function lotteryPrune(end: NumberArray, initial: NumberArray, options: LotteryPruneOptions = {}): LotteryPruneResult {
  const { mask: before, share = 0.5, score = 'increase' } = asRecord('options', options);
  const after = asFloats('end', end);
  const start = asFloats('initial', initial);
  const { layout = [{ offset: 0, shape: [after.length] }] } = options;
  checkLength('initial', start, after.length);
  checkFinite('end', after);
  checkFinite('initial', start);
  checkRange('share', share, 0, 1);
  checkOneOf('score', score, ['increase', 'magnitude']);
  if (before) checkLength('mask', before, after.length);
  const mask = before ? Uint8Array.from(before, (v) => (v ? 1 : 0)) : new Uint8Array(after.length).fill(1);
  let [left, all] = [0, 0];
  checkTensors(layout, after.length);
  for (const { offset, shape } of layout) {
    const size = sizeOf(shape);
    const scores = new Float64Array(size).fill(Infinity);
    let alive = 0;
    for (let k = 0; k < size; k++) {
      if (!mask[offset + k]) continue;
      alive++;
      const grown = score === 'increase' ? Math.abs(start[offset + k] as number) : 0;
      scores[k] = Math.abs(after[offset + k] as number) - grown;
    }
    const gone = removals(share, alive);
    const kept = maskSmallest(scores, gone);
    for (let k = 0; k < size; k++) if (!kept[k]) mask[offset + k] = 0;
    left += alive - gone;
    all += size;
  }
  const weights = floats(precisionOf(start), start.length);
  for (let k = 0; k < mask.length; k++) weights[k] = mask[k] ? (start[k] as number) : 0;
  return { weights, mask, density: all ? left / all : 1 };
}
