import { asRecord, checkFinite, checkLength, checkNonNegative, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf } from '../core/tensor.js';
import { exp, log1p } from '../kernels/scalar.js';

export interface ClassWeightedRankingLossOptions {
  /** Weight of positive samples in the cross-entropy (1): above 1 a miss costs more than a false alarm. */
  readonly positiveWeight?: number;
  /** Weight of the ranking term (1). */
  readonly ranking?: number;
  /** Negatives that every positive is held against: the highest one (hardest), or each of them (all). */
  readonly pairs?: 'hardest' | 'all';
}

/**
 * Cross-entropy of a binary classifier with a weight for positives, plus a squared hinge that ranks positives above negatives:
 *   mean_i BCE(z_i, y_i; w) + λR,  R = Σ_{i positive} min(0, z_i − max_{j negative} z_j)² / (n₊ + 1)
 * or, over all pairs, R = Σ_i Σ_j max(0, z_j − z_i)² / (n₊n₋), a smooth stand-in for 1 − AUC, in O(n log n).
 *
 * Neither the paper's class weight nor its λ could be read (the authors' code has λ = 0 and all weights 1). What a weight does is known: the
 * best classifier under weight w calls a sample positive from probability 1/(1 + w) on in place of 1/2, its logits moved up by log w; the
 * ratio of negatives to positives makes both classes count the same. What keeps the misses of a compressed network at those of the whole one
 * must be found on held-out data.
 *
 * @param logits z [n]
 * @param labels 0 or 1 [n]
 * @param options `positiveWeight` (1), `ranking` (λ, 1), `pairs` (hardest)
 * @returns `value`, `grad` [n], and the two parts `crossEntropy` and `rankingLoss` (R, without λ)
 * @throws {ShapeError | DomainError} when lengths differ, labels are not 0 or 1, or a value is out of range
 * @see Entezari & Saukh 2020, arXiv:1909.10364, §3.2; all pairs: Yan et al. 2003
 */
export function classWeightedRankingLoss(
  logits: NumberArray,
  labels: ArrayLike<number>,
  options: ClassWeightedRankingLossOptions = {},
): { value: number; grad: FloatArray; crossEntropy: number; rankingLoss: number } {
  const { positiveWeight = 1, ranking = 1, pairs = 'hardest' } = asRecord('options', options);
  const z = asFloats('logits', logits);
  if (z.length === 0) throw new ShapeError('logits: expected at least one number, got none');
  checkLength('labels', labels, z.length);
  checkFinite('logits', z);
  checkPositive('positiveWeight', positiveWeight);
  checkNonNegative('ranking', ranking);
  checkOneOf('pairs', pairs, ['hardest', 'all']);
  const n = z.length;
  const slopes = new Float64Array(n);
  let crossEntropy = 0;
  for (let i = 0; i < n; i++) {
    const label = labels[i];
    if (label !== 0 && label !== 1) throw new DomainError(`labels: expected 0 or 1, got ${label} at index ${i}`);
    // −log σ(t) = max(−t, 0) + log(1 + e^{−|t|}), d/dt = σ(t) − 1, for t = z or −z.
    const t = label ? (z[i] as number) : -(z[i] as number);
    const e = exp(-Math.abs(t));
    const weight = (label ? positiveWeight : 1) / n;
    crossEntropy += weight * (Math.max(-t, 0) + log1p(e));
    const miss = t >= 0 ? e / (1 + e) : 1 / (1 + e);
    slopes[i] = (label ? -1 : 1) * weight * miss;
  }
  const rankingLoss = (pairs === 'all' ? allPairs : hardestPairs)(z, labels, ranking, slopes);
  const grad = floats(precisionOf(z), n);
  grad.set(slopes);
  return { value: crossEntropy + ranking * rankingLoss, grad, crossEntropy, rankingLoss };
}

function hardestPairs(z: FloatArray, labels: ArrayLike<number>, factor: number, slopes: Float64Array): number {
  let [hardest, positives] = [-1, 0];
  for (let j = 0; j < z.length; j++) {
    if (labels[j]) positives++;
    else if (hardest < 0 || (z[j] as number) > (z[hardest] as number)) hardest = j;
  }
  if (hardest < 0) return 0;
  let sum = 0;
  for (let i = 0; i < z.length; i++) {
    const gap = (z[i] as number) - (z[hardest] as number);
    if (!labels[i] || gap >= 0) continue;
    sum += gap * gap;
    const slope = (2 * factor * gap) / (positives + 1);
    slopes[i] = (slopes[i] as number) + slope;
    slopes[hardest] = (slopes[hardest] as number) - slope;
  }
  return sum / (positives + 1);
}

/** Σ over pairs by running counts, sums and squares over the sorted scores: from the top for positives, from below for negatives. */
function allPairs(z: FloatArray, labels: ArrayLike<number>, factor: number, slopes: Float64Array): number {
  const order = Int32Array.from(z, (_, i) => i).sort((a, b) => (z[a] as number) - (z[b] as number));
  const positives = Array.from(labels).filter((v) => v === 1).length;
  const pairs = positives * (z.length - positives);
  if (pairs === 0) return 0;
  let total = 0;
  let [count, sum, squares] = [0, 0, 0];
  for (let k = order.length - 1; k >= 0; k--) {
    const i = order[k] as number;
    const v = z[i] as number;
    if (!labels[i]) {
      count++;
      sum += v;
      squares += v * v;
      continue;
    }
    // Ties cost nothing, so their order does not matter.
    total += squares - 2 * v * sum + count * v * v;
    slopes[i] = (slopes[i] as number) - (2 * factor * (sum - count * v)) / pairs;
  }
  [count, sum] = [0, 0];
  for (const j of order) {
    const v = z[j] as number;
    if (labels[j]) {
      count++;
      sum += v;
    } else slopes[j] = (slopes[j] as number) + (2 * factor * (count * v - sum)) / pairs;
  }
  return Math.max(0, total) / pairs;
}
