// Matching two graphs by node and edge affinities, and gradients through a combinatorial solver.

import { asRecord, checkFunction, checkInteger, checkLength, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { Random } from '../core/random.js';
import { asFloats, type FloatArray } from '../core/tensor.js';
import { assignment } from './assignment.js';
import { checkProblem, type Matrix, readMatrix } from './problem.js';

export interface GraphMatchingOptions {
  /** Frank–Wolfe steps per start (100). */
  readonly maxIterations?: number;
  /** Starts: the node affinities, then random ones (8). */
  readonly starts?: number;
  readonly seed?: number;
  /** Called after every step of every start with the slope along it; false ends the search with the best matching so far. */
  readonly onIteration?: (info: { readonly iteration: number; readonly error: number }) => unknown;
}
export interface GraphMatchingResult {
  /** [n] the partner of every node of the first graph. */
  readonly columns: Int32Array;
  /** Σ node[i, columns_i] + Σ edge[(i, columns_i), (k, columns_k)] */
  readonly value: number;
}

/**
 * Second-order graph matching: max over one-to-one X of Σ c_ij X_ij + Σ q_(ij)(kl) X_ij X_kl. Frank–Wolfe ascent on the relaxation with exact
 * steps from several starts, rounded by assignment, then improved by exchanges and moves to free nodes until none helps. Without `edge` it
 * is the exact assignment. NP-hard in general: a local optimum, not a certificate.
 *
 * @param problem `node` [n, m] affinities, n ≤ m, and optionally `edge` [n·m, n·m] between pairs (i·m + j)
 * @param options `starts` (8), `maxIterations` (100), `seed` (0), `onIteration` (return false to stop)
 * @returns `columns` [n], `value`
 * @throws {ShapeError} when n > m or edge does not fit; {DomainError} for NaN
 * @see MH Nguyen et al. 2023, arXiv:2306.11925, §3.2; Frank–Wolfe for matching: Vogelstein et al. 2015, arXiv:1112.5507
 */
export function graphMatching(
  problem: { readonly node: Matrix; readonly edge?: Matrix },
  options: GraphMatchingOptions = {},
): GraphMatchingResult {
  const { maxIterations = 100, starts = 8, seed = 0, onIteration } = readIterative(options);
  checkProblem('problem', problem, '{ node, edge? }');
  checkInteger('maxIterations', maxIterations, 1);
  checkInteger('starts', starts, 1);
  const { data: node, rows: n, cols: m } = readMatrix('node', problem.node);
  if (n > m) throw new ShapeError(`node: expected at most as many rows as columns, got ${n} x ${m}; swap the graphs`);
  const best = (scores: ArrayLike<number>) => assignment({ cost: { data: Float64Array.from(scores, (s) => -s), shape: [n, m] } }).columns;
  const edge = problem.edge === undefined ? undefined : readMatrix('edge', problem.edge, { rows: n * m, cols: n * m }).data;
  if (!edge) {
    const columns = best(node);
    return { columns, value: affinityOf(columns, node, undefined, m) };
  }
  const random = new Random(seed);
  let found: GraphMatchingResult | undefined;
  let [iteration, stopped] = [0, false];
  for (let start = 0; start < starts && !stopped; start++) {
    let X = permuted(best(start === 0 ? node : Float64Array.from({ length: n * m }, () => random.uniform())), m);
    if (start === 0) X = X.map((x) => 0.5 * x + 0.5 / m);
    for (let step = 0; step < maxIterations && !stopped; step++) {
      const slope = gradient(X, node, edge);
      const D = permuted(best(slope), m).map((x, k) => x - X[k]!);
      let along = 0;
      for (let k = 0; k < D.length; k++) along += slope[k]! * D[k]!;
      if (!(along > 1e-12)) break;
      const curvature = quadratic(D, edge);
      const t = curvature < 0 ? Math.min(1, along / (-2 * curvature)) : 1;
      for (let k = 0; k < X.length; k++) X[k]! += t * D[k]!;
      iteration++;
      stopped = onIteration?.({ iteration, error: along }) === false;
    }
    const columns = improve(best(X), node, edge, m);
    const value = affinityOf(columns, node, edge, m);
    if (!found || value > found.value) found = { columns, value };
  }
  return found!;
}

/** c + (Q + Qᵀ)x. */
function gradient(X: Float64Array, node: FloatArray, edge: FloatArray): Float64Array {
  const size = X.length;
  const out = Float64Array.from(node);
  for (let p = 0; p < size; p++) {
    for (let q = 0; q < size; q++) {
      const w = edge[p * size + q]!;
      out[p]! += w * X[q]!;
      out[q]! += w * X[p]!;
    }
  }
  return out;
}

function quadratic(D: Float64Array, edge: FloatArray): number {
  let sum = 0;
  for (let p = 0; p < D.length; p++) if (D[p] !== 0) for (let q = 0; q < D.length; q++) sum += D[p]! * edge[p * D.length + q]! * D[q]!;
  return sum;
}

function permuted(columns: Int32Array, m: number): Float64Array {
  const X = new Float64Array(columns.length * m);
  for (let i = 0; i < columns.length; i++) X[i * m + columns[i]!] = 1;
  return X;
}

function affinityOf(columns: Int32Array, node: FloatArray, edge: FloatArray | undefined, m: number): number {
  let sum = 0;
  const size = columns.length * m;
  for (let i = 0; i < columns.length; i++) {
    const p = i * m + columns[i]!;
    sum += node[p]!;
    if (edge) for (let k = 0; k < columns.length; k++) sum += edge[p * size + k * m + columns[k]!]!;
  }
  return sum;
}

/** Exchanges of two partners and moves to a free node, as long as one raises the value. */
function improve(columns: Int32Array, node: FloatArray, edge: FloatArray, m: number): Int32Array {
  let value = affinityOf(columns, node, edge, m);
  for (let improved = true; improved; ) {
    improved = false;
    for (let i = 0; i < columns.length; i++) {
      for (let j = 0; j < m; j++) {
        const other = columns.indexOf(j);
        if (other === i) continue;
        const was = columns[i]!;
        columns[i] = j;
        if (other >= 0) columns[other] = was;
        const next = affinityOf(columns, node, edge, m);
        if (next > value + 1e-12 * Math.abs(value)) {
          value = next;
          improved = true;
        } else {
          columns[i] = was;
          if (other >= 0) columns[other] = j;
        }
      }
    }
  }
  return columns;
}

/**
 * The gradient of a loss through a combinatorial solver x(c) = argmin ⟨c, x⟩, by one more solution: ∇_c ≈ −(x(c) − x(c + λ·dL/dx))/λ, the slope of
 * a piecewise linear interpolation of the loss. For a solver that maximises, pass −c and negate.
 *
 * @param solver takes costs and returns a solution of the same length
 * @param costs c; @param gradient dL/dx at x(c); @param options `lambda` λ, the width of the interpolation (1), `solution` x(c) if known
 * @returns the gradient with respect to the costs, f64
 * @throws {ShapeError} when lengths differ; {DomainError} when lambda ≤ 0
 * @see Vlastelica, Paulus, Musil, Martius & Rolínek 2020, arXiv:1912.02175, §3
 */
export function blackboxSolverGrad(
  solver: (costs: Float64Array) => ArrayLike<number>,
  costs: ArrayLike<number>,
  gradient: ArrayLike<number>,
  options: { readonly lambda?: number; readonly solution?: ArrayLike<number> } = {},
): Float64Array {
  const { lambda = 1, solution } = asRecord('options', options);
  checkPositive('lambda', lambda);
  checkFunction('solver', solver);
  const c = Float64Array.from(asFloats('costs', costs));
  checkLength('gradient', gradient, c.length);
  const here = solution ?? solver(c.slice());
  checkLength('solution', here, c.length);
  const there = solver(c.map((value, k) => value + lambda * gradient[k]!));
  return c.map((_, k) => -(here[k]! - there[k]!) / lambda);
}
