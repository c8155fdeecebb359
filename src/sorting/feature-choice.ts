import { asRecord, checkInteger, checkLength, checkNonNegative, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { floats, type TensorLike } from '../core/tensor.js';
import { pow } from '../kernels/scalar.js';
import { argsort } from './argsort.js';
import { type Allocation, readScores } from './mutual-choice.js';
import { shape } from './rows.js';

/**
 * Feature choice: every feature takes its `counts[f]` highest-scoring tokens of the batch.
 *
 * @param scores [tokens, features], finite
 * @param options `counts` [features], integers from 0 to tokens (see `zipfCounts`)
 * @returns `mask` with exactly counts[f] ones in column f, ties to the lower index; `threshold`, the smallest allocated score
 * @throws {ShapeError} when scores are not a matrix or counts do not fit; {DomainError} when a count is out of range
 * @see Ayonrinde 2024, arXiv:2411.02124, §3
 */
export function featureChoice(scores: TensorLike, options: { counts: ArrayLike<number> }): Allocation {
  const { counts } = asRecord('options', options, '{ counts }');
  const { data, extents } = readScores(scores);
  const [tokens, features] = extents;
  checkLength('counts', counts, features);
  const columns = floats('float64', data.length);
  for (let f = 0; f < features; f++) {
    checkInteger('counts', counts[f], 0, tokens);
    for (let t = 0; t < tokens; t++) columns[f * tokens + t] = data[t * features + f] as number;
  }
  const order = argsort({ data: columns, shape: [features, tokens] }, { direction: 'descending' });
  const mask = new Uint8Array(data.length);
  let threshold = Infinity;
  for (let f = 0; f < features; f++) {
    for (let place = 0; place < (counts[f] as number); place++) {
      const token = order[f * tokens + place] as number;
      mask[token * features + f] = 1;
      threshold = Math.min(threshold, data[token * features + f] as number);
    }
  }
  return { mask: shape(mask, extents), threshold };
}

/**
 * Counts of features by a Zipf law: count of the r-th most used ∝ (r + offset)^−exponent, summing exactly to the budget.
 *
 * @param options `features`, `budget` in all, `most` per feature (the number of tokens), `exponent` (1), `offset` (0), ranks from 1
 * @returns counts from the most used feature on, largest remainders rounded up, none above `most`
 * @throws {DomainError} when the budget exceeds features·most, or an option is out of range
 * @see Ayonrinde 2024, arXiv:2411.02124, §3; the exponent and offset are the caller's, the paper fits them to measured densities
 */
export function zipfCounts(options: { features: number; budget: number; most: number; exponent?: number; offset?: number }): Int32Array {
  const { features, budget, most, exponent = 1, offset = 0 } = asRecord('options', options, '{ features, budget, most }');
  checkInteger('features', features, 1);
  checkInteger('most', most, 1);
  checkInteger('budget', budget, 0);
  checkNonNegative('exponent', exponent);
  checkNonNegative('offset', offset);
  checkPositive('features + offset', features + offset);
  if (budget > features * most) throw new DomainError(`budget: expected at most ${features * most} (features x most), got ${budget}`);
  const law = Float64Array.from({ length: features }, (_, r) => pow(r + 1 + offset, -exponent));
  const counts = new Int32Array(features);
  // Features at their limit hand what they cannot take to the others, in proportion; each round fixes at least one of them.
  let left = budget;
  let open = Array.from(law.keys());
  for (;;) {
    const total = open.reduce((sum, f) => sum + (law[f] as number), 0);
    const full = open.filter((f) => (left * (law[f] as number)) / total >= most);
    if (full.length === 0 || full.length === open.length) break;
    for (const f of full) counts[f] = most;
    left -= most * full.length;
    open = open.filter((f) => counts[f] !== most);
  }
  const total = open.reduce((sum, f) => sum + (law[f] as number), 0);
  const exact = open.map((f) => (left * (law[f] as number)) / total);
  open.forEach((f, i) => {
    counts[f] = Math.min(most, Math.floor(exact[i] as number));
    left -= counts[f] as number;
  });
  const remainders = argsort(
    Float64Array.from(exact, (value) => value - Math.floor(value)),
    { direction: 'descending' },
  );
  for (let i = 0; left > 0; i = (i + 1) % open.length) {
    const f = open[remainders[i] as number] as number;
    if ((counts[f] as number) >= most) continue;
    counts[f] = (counts[f] as number) + 1;
    left--;
  }
  return counts;
}
