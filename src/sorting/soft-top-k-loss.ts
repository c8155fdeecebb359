import { type FloatArray, floats } from '../core/tensor.js';
import { logSoftTopK } from './log-soft-top-k.js';
import { type Positives, type RetrievalLoss, readRetrieval } from './retrieval.js';
import { giveBack, type Rows } from './rows.js';
import type { SoftTopKOptions } from './soft-top-k.js';

/**
 * Soft top-k loss of retrieval: −Σ over positives of log y, y the soft indicator of the k largest scores.
 *
 * @param scores one row as an array, or rows [..., n], finite; `positives` 1 where relevant, in the same form
 * @param options `k` from 1 to n − 1 (k = n gives 0), `alpha` (2)
 * @returns `value`, the mean over rows; `grad` in the form of scores; `perSample`
 * @throws {DomainError} when a row has no positive, k is out of range, alpha ≤ 0 or a score is not finite; {ShapeError} when sizes differ
 * @see Gupta et al. 2023, arXiv:2310.10636, §4.2
 */
export function softTopKLoss<X extends Rows>(scores: X, positives: Positives, options: SoftTopKOptions): RetrievalLoss<X> {
  const { input, relevant } = readRetrieval(scores, positives);
  const { data, rows, n, precision } = input;
  const soft = logSoftTopK({ data, shape: [rows, n] }, options);
  const inflow = floats(precision, data.length);
  const perSample = floats(precision, rows);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    let loss = 0;
    for (let j = row * n; j < (row + 1) * n; j++) {
      if (!relevant(j)) continue;
      loss -= soft.values[j] as number;
      inflow[j] = -1 / rows;
    }
    perSample[row] = loss;
    value += loss / rows;
  }
  return { value, grad: giveBack<X, FloatArray>(input, soft.backward(inflow)), perSample };
}
