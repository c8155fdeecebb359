import { ShapeError } from '../core/errors.js';
import { assignment } from './assignment.js';
import { type PointProblem, readPoints } from './problem.js';

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
  const { x, y } = readPoints(problem);
  if (x.rows !== y.rows) throw new ShapeError(`y: expected ${x.rows} points, as many as x, got ${y.rows}`);
  const { columns, value } = assignment(problem);
  const paired = y.data.slice();
  columns.forEach((j, i) => {
    paired.set(y.data.subarray(j * y.cols, (j + 1) * y.cols), i * y.cols);
  });
  return { columns, value: value / x.rows, paired };
// Pairs for flow matching and consistency training: which noise goes with which sample.
import { checkOneOf } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { withArena } from '../runtime/instance.js';
import { assignment } from './assignment.js';
import { type CostFunction, type Matrix, readPoints } from './problem.js';
import { sinkhorn } from './sinkhorn.js';
import { pointSource } from './source.js';

export interface CouplingOptions {
  /** 'exact' pairs by assignment; 'entropic' draws a partner for every row from its row of the Sinkhorn plan ('exact'). */
  readonly method?: 'exact' | 'entropic';
  readonly costFunction?: CostFunction;
  /** Of the entropic plan, in units of the cost (0.05). */
  readonly epsilon?: number;
  /** Of the draws (0). */
  readonly seed?: number;
}
export interface CouplingResult {
  /** [n] the row of y that goes with each row of x. */
  readonly indices: Int32Array;
  /** Mean cost of the pairs. */
  readonly value: number;
}

/**
 * Minibatch optimal transport: pairs the rows of x with rows of y so that paths between partners cross less than under random pairing.
 *
 * @param x [n, d] @param y [n, d] batches of one size (entropic: sizes may differ)
 * @param options `method` ('exact'), `costFunction` ('sqeuclidean'), `epsilon` (0.05), `seed` (0)
 * @returns `indices` [n] into y, a permutation for 'exact'; `value`, the mean cost
 * @throws {ShapeError} when the batches differ in size (exact) or dimension; {DomainError} for NaN
 * @see Pooladian et al. 2023, arXiv:2304.14772; Tong et al. 2023, arXiv:2302.00482
 */
export function minibatchCoupling(x: Matrix, y: Matrix, options: CouplingOptions = {}): CouplingResult {
  const { method = 'exact', costFunction = 'sqeuclidean', epsilon = 0.05, seed = 0 } = options;
  checkOneOf('method', method, ['exact', 'entropic']);
  const points = readPoints({ x, y, costFunction });
  const [n, m] = [points.x.rows, points.y.rows];
  if (method === 'exact' && n !== m) throw new ShapeError(`y: expected ${n} points, as many as x, got ${m}; use method 'entropic'`);
  const cost = withArena((arena) => arena.take<'f32' | 'f64'>(pointSource(arena, points.x, points.y, costFunction, false).dense!));
  const matrix = { data: cost, shape: [n, m] };
  let indices: Int32Array;
  if (method === 'exact') indices = assignment(matrix).columns;
  else {
    const plan = sinkhorn({ cost: matrix }, { epsilon }).plan();
    const random = new Random(seed);
    indices = Int32Array.from({ length: n }, (_, i) => {
      let left = random.uniform() / n;
      let j = 0;
      while (j < m - 1 && (left -= plan[i * m + j]!) > 0) j++;
      return j;
    });
  }
  let value = 0;
  for (let i = 0; i < n; i++) value += cost[i * m + indices[i]!]! / n;
  return { indices, value };
}
