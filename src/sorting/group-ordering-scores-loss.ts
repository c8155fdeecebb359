import { asRecord, checkInteger } from '../core/check.js';
import { type FloatArray, floats } from '../core/tensor.js';
import { log } from '../kernels/scalar.js';
import { type DiffSortOptions, diffSort } from './diff-sort.js';
import { giveBack, type Rows, readRows, type Shaped } from './rows.js';

export interface GroupOrderingScoresOptions extends Omit<DiffSortOptions, 'direction'> {
  /** How many scores of a row, in front, are of negatives; the others are of positives. From 1 to n − 1. */
  negatives: number;
}

/**
 * Group ordering loss of score lists: every positive should be ranked above every negative, in whatever order within the groups.
 * With M_i the mass that element i sends to the first `negatives` places of a differentiable sort, the loss is the mean over
 * elements of −log M_i for negatives and −log(1 − M_i) for positives. M is one vector per row: P is never formed.
 *
 * @param scores one row as an array, or rows [..., n], negatives first; each group best sorted ascending, as the network has fewer swaps to soften then
 * @param options `negatives`; `network` ('odd-even'), `distribution` ('cauchy'), `steepness` (1), `artLambda` (0.25)
 * @returns `value`, the mean over elements and rows; `grad` in the form of scores; `perSample`, the mean of each row
 * @throws {DomainError} when negatives is not from 1 to n − 1, steepness ≤ 0 or a score is not finite
 * @see Shvetsova et al. 2023, arXiv:2301.02009, §3.3
 */
export function groupOrderingScoresLoss<X extends Rows>(
  scores: X,
  options: GroupOrderingScoresOptions,
): { value: number; grad: Shaped<X>; perSample: FloatArray } {
  const { negatives, network = 'odd-even', steepness = 1, ...rest } = asRecord('options', options, '{ negatives }');
  const input = readRows('scores', scores);
  const { data, rows, n, precision } = input;
  checkInteger('negatives', negatives, 1, n - 1);
  const places = floats(precision, n).fill(1, 0, negatives);
  const sorted = diffSort({ data, shape: [rows, n] }, { network, steepness, ...rest });
  const mass = sorted.propagate(places).data;
  const inflow = floats(precision, rows * n);
  const perSample = floats(precision, rows);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const at = row * n + i;
      const negative = i < negatives;
      const share = Math.min(1, Math.max(0, mass[at] as number));
      const wanted = negative ? share : 1 - share;
      sum += Math.min(100, -log(wanted)); // bounded as binary cross-entropy commonly is
      inflow[at] = (negative ? -1 : 1) / (Math.max(wanted, 1e-12) * n * rows);
    }
    perSample[row] = sum / n;
    value += sum / (n * rows);
  }
  const grad = sorted.backward({ propagated: { places, grad: inflow } }).data;
  return { value, grad: giveBack<X, FloatArray>(input, grad), perSample };
}
