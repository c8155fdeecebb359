import { ShapeError } from '../core/errors.js';
import { assignment } from './assignment.js';
import { checkProblem, type PointProblem, readPoints } from './problem.js';

export interface MinibatchCouplingResult {
  /** [n] the row of y paired with each row of x. */
  readonly columns: Int32Array;
  /** Mean cost of the pairs: the transport cost between the two batches. */
  readonly value: number;
  /** y in the order of its partners [n, d], in its own precision: pair i is (x_i, paired_i). */
  readonly paired: Float32Array | Float64Array;
}

/**
 * Couples two batches of equal size by exact optimal transport: the pairs that flow matching trains on. With uniform weights an
 * optimal plan is a permutation, so nothing is sampled and every sample is used once.
 *
 * @param problem `x` [n, d], `y` [n, d], `costFunction` ('sqeuclidean'); x is usually noise, y data
 * @returns `columns` [n], `value`, `paired` [n, d]
 * @throws {ShapeError} when the batches differ in size or width; {DomainError} on NaN
 * @see Tong et al. 2023, Improving and generalizing flow-based generative models with minibatch optimal transport, arXiv:2302.00482, §3.3
 */
export function minibatchCoupling(problem: Omit<PointProblem, 'a' | 'b'>): MinibatchCouplingResult {
  checkProblem('problem', problem, '{ x, y, costFunction? }');
  const { x, y } = readPoints(problem);
  if (x.rows !== y.rows) throw new ShapeError(`y: expected ${x.rows} points, as many as x, got ${y.rows}`);
  const { columns, value } = assignment(problem);
  const paired = y.data.slice();
  columns.forEach((j, i) => {
    paired.set(y.data.subarray(j * y.cols, (j + 1) * y.cols), i * y.cols);
  });
  return { columns, value: value / x.rows, paired };
}
