import { asRecord, checkInteger, checkLabels, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { asFloats, type FloatArray, floats, type IntegerArray, type TensorLike } from '../core/tensor.js';
import { exp, log } from '../kernels/scalar.js';
import { type DiffSortOptions, diffSort } from './diff-sort.js';
import { readRows, type ShapedArray, shape } from './rows.js';
import { topK } from './top-k.js';

export interface TopKClassificationOptions extends Omit<DiffSortOptions, 'direction'> {
  /** Weight of the top-1, top-2, … component, summing to 1 ([0.2, 0.2, 0.2, 0.2, 0.2]). */
  weights?: ArrayLike<number>;
  /** Scores kept per sample: the label's and the largest others (16, or all when there are fewer). */
  candidates?: number;
}

/**
 * Top-k classification: the label should be among the k highest scores, for a distribution of k.
 *   loss = −log(q·(1 − 2e-7) + 1e-7),  q = w₁·softmax(label) + Σ_{k ≥ 2} w_k·(mass that the label sends to the last k places)
 * The masses for all k are one weighted vector of places propagated through a differentiable sort: no permutation matrix.
 *
 * @param logits [n, classes]; labels integers 0 … classes − 1
 * @param options `weights` (five times 0.2), `candidates` (16), `network` ('bitonic'), `distribution` ('cauchy'), `steepness` (1: an inverse temperature of 0.5–2 is usual)
 * @returns `value`, the mean over samples; `grad` [n, classes]; `perSample` [n]
 * @throws {DomainError} when weights are negative or do not sum to 1, more of them than candidates, or a label is out of range
 * @see Petersen et al. 2022, Differentiable top-k classification learning, arXiv:2206.07290, §4
 */
export function topKClassificationLoss(
  logits: TensorLike,
  labels: IntegerArray | readonly number[],
  options: TopKClassificationOptions = {},
): { value: number; grad: ShapedArray; perSample: FloatArray } {
  const { weights = [0.2, 0.2, 0.2, 0.2, 0.2], candidates, steepness = 1, ...rest } = asRecord('options', options);
  const { data, rows, n: classes, precision, lead } = readRows('logits', logits);
  checkLength('labels', labels, rows);
  checkLabels('labels', labels, classes);
  const shares = Float64Array.from(asFloats('weights', weights));
  const total = shares.reduce((a, b) => a + b, 0);
  if (!shares.every((w) => w >= 0) || !(Math.abs(total - 1) <= 1e-4)) {
    throw new DomainError(`weights: expected non-negative numbers that sum to 1, got a sum of ${total}`);
  }
  const m = candidates ?? Math.min(16, classes);
  checkInteger('candidates', m, Math.max(2, shares.length), classes);
  const chosen = candidateClasses(data, labels, rows, classes, m);
  const scores = floats(precision, rows * m);
  chosen.forEach((source, at) => {
    scores[at] = data[source] as number;
  });

  // Place m − r (the r-th best) counts for every k ≥ max(r, 2).
  const places = floats(precision, m);
  for (let k = 2; k <= shares.length; k++)
    for (let r = 1; r <= k; r++) places[m - r] = (places[m - r] as number) + (shares[k - 1] as number);
  const sorted = diffSort({ data: scores, shape: [rows, m] }, { steepness, ...rest });
  const mass = sorted.propagate(places).data;
  const first = shares[0] as number;
  const softmax = softmaxRows(scores, rows, m);
  const inflow = floats(precision, rows * m);
  const perSample = floats(precision, rows);
  const direct = floats(precision, rows * m);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    const label = row * m; // candidate 0
    const p = softmax[label] as number;
    const q = (first * p + (mass[label] as number)) * (1 - 2e-7) + 1e-7;
    const rate = -(1 - 2e-7) / (q * rows);
    perSample[row] = -log(q);
    value -= log(q) / rows;
    inflow[label] = rate;
    for (let j = 0; j < m; j++) direct[label + j] = rate * first * p * ((j === 0 ? 1 : 0) - (softmax[label + j] as number));
  }
  const through = sorted.backward({ propagated: { places, grad: inflow } }).data;
  const grad = floats(precision, data.length);
  chosen.forEach((source, at) => {
    grad[source] = (direct[at] as number) + (through[at] as number);
  });
  return { value, grad: shape(grad, [...lead, classes]), perSample };
}

/** Flat index of the label's score, then of the m − 1 largest others, for every row. */
function candidateClasses(data: FloatArray, labels: ArrayLike<number | bigint>, rows: number, classes: number, m: number): Int32Array {
  const best = topK({ data, shape: [rows, classes] }, { k: m }).indices.data;
  const chosen = new Int32Array(rows * m);
  for (let row = 0; row < rows; row++) {
    const label = Number(labels[row]);
    chosen[row * m] = row * classes + label;
    let place = 1;
    for (let k = 0; k < m && place < m; k++) {
      const index = best[row * m + k] as number;
      if (index !== label) chosen[row * m + place++] = row * classes + index;
    }
  }
  return chosen;
}

function softmaxRows(scores: FloatArray, rows: number, m: number): Float64Array {
  const out = new Float64Array(rows * m);
  for (let row = 0; row < rows; row++) {
    let top = -Infinity;
    for (let j = row * m; j < (row + 1) * m; j++) top = Math.max(top, scores[j] as number);
    let sum = 0;
    for (let j = row * m; j < (row + 1) * m; j++) sum += out[j] = exp((scores[j] as number) - top);
    for (let j = row * m; j < (row + 1) * m; j++) out[j] = (out[j] as number) / sum;
  }
  return out;
}
