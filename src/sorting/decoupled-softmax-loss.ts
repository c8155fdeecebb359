import { asRecord, checkPositive } from '../core/check.js';
import { type FloatArray, floats } from '../core/tensor.js';
import { exp, log } from '../kernels/scalar.js';
import { type Positives, type RetrievalLoss, readRetrieval } from './retrieval.js';
import { giveBack, type Rows } from './rows.js';

/**
 * Softmax loss for several positives in which they do not compete: every positive is held against the negatives alone.
 *   Σ_p −log(e^(s_p/τ) / (e^(s_p/τ) + Σ_negatives e^(s_n/τ)))
 *
 * @param scores one row as an array, or rows [..., n], finite; `positives` 1 where relevant, in the same form
 * @param options `temperature` τ (1)
 * @returns `value`, the mean over rows; `grad` in the form of scores; `perSample`
 * @throws {DomainError} when a row has no positive, temperature ≤ 0 or a score is not finite; {ShapeError} when sizes differ
 * @see Gupta et al. 2023, arXiv:2310.10636, §4.1
 */
export function decoupledSoftmaxLoss<X extends Rows>(
  scores: X,
  positives: Positives,
  options: { temperature?: number } = {},
): RetrievalLoss<X> {
  const { temperature = 1 } = asRecord('options', options);
  const { input, relevant } = readRetrieval(scores, positives);
  checkPositive('temperature', temperature);
  const { data, rows, n, precision } = input;
  const grad = floats(precision, data.length);
  const perSample = floats(precision, rows);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * n, (row + 1) * n];
    let top = -Infinity;
    for (let j = start; j < end; j++) if (!relevant(j)) top = Math.max(top, data[j] as number);
    let sum = 0;
    for (let j = start; j < end; j++) if (!relevant(j)) sum += exp(((data[j] as number) - top) / temperature);
    const negatives = top === -Infinity ? -Infinity : top / temperature + log(sum); // log Σ e^(s/τ)
    let loss = 0;
    let share = 0; // Σ over positives of the probability that goes to the negatives
    for (let j = start; j < end; j++) {
      if (!relevant(j)) continue;
      const gap = negatives - (data[j] as number) / temperature; // the loss is log(1 + e^gap)
      const small = exp(-Math.abs(gap));
      loss += Math.max(gap, 0) + log(1 + small);
      const miss = gap > 0 ? 1 / (1 + small) : small / (1 + small);
      share += miss;
      grad[j] = -miss / (temperature * rows);
    }
    for (let j = start; j < end; j++) {
      if (!relevant(j)) grad[j] = (share * exp((data[j] as number) / temperature - negatives)) / (temperature * rows);
    }
    perSample[row] = loss;
    value += loss / rows;
  }
  return { value, grad: giveBack<X, FloatArray>(input, grad), perSample };
}
