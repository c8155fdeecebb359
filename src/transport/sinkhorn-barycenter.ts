// The entropic mean of several histograms.

import { checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import type { NumberArray } from '../core/tensor.js';
import { withArena } from '../runtime/instance.js';
import { type BarycenterSetting, KernelIteration, LogIteration } from './barycenter-iterations.js';
import { type IterationInfo, schedule } from './entropic.js';
import { checkProblem, type Matrix, readMatrix, readWeights, total } from './problem.js';

export interface BarycenterProblem {
  /** [n, m] from the support of the barycenter to that of the histograms. */
  readonly cost: Matrix;
  /** [S, m] non-negative rows of total 1. */
  readonly histograms: Matrix;
  /** [S] ≥ 0; equal if left out. */
  readonly weights?: NumberArray;
  /** [n, n] symmetric, within the support of the barycenter: for `debiased`, where it is not `cost` itself. */
  readonly costX?: Matrix;
}

export const barycenterMethods = ['auto', 'scaling', 'log'] as const;
export interface BarycenterOptions {
  /** Entropic strength, in units of the cost (0.05). */
  readonly epsilon?: number;
  /** Minimise the mean of Sinkhorn divergences: no blur by √(ε/2) (false). */
  readonly debiased?: boolean;
  /** 'scaling': a kernel matrix, refused where it would underflow; 'log': any ε, with a schedule of it; 'auto' (default) by the cost's spread. */
  readonly method?: (typeof barycenterMethods)[number];
  /** On the L1 distance of the marginals to the barycenter (1e-8; 1e-6 debiased, where thin tails settle slowly). */
  readonly tolerance?: number;
  /** 10 000 */
  readonly maxIterations?: number;
  /** Called after every iteration; false stops. */
  readonly onIteration?: (info: IterationInfo) => unknown;
}

export interface BarycenterResult {
  /** [n], total 1. */
  readonly barycenter: Float64Array;
  /** Largest L1 distance between the barycenter and a first marginal; debiased: at least its last change. */
  readonly error: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Spreads of the cost in units of ε that a kernel matrix in f64 can hold: always, and at all. */
const [safe, limit] = [200, 600];

/**
 * Fixed-support barycenter: argmin over p of Σ_s w_s OT_ε(p, b_s), entropy counted against the uniform measure, by iterated Bregman
 * projections on all histograms at once; `debiased` minimises Σ_s w_s S_ε(p, b_s) with Sinkhorn divergences instead. In f64.
 *
 * @param problem `cost` [n, m], `histograms` [S, m], `weights` [S] (equal), `costX` [n, n] for `debiased` (`cost`, where it is square)
 * @param options `epsilon` (0.05), `debiased` (false), `method` 'auto' | 'scaling' | 'log', `tolerance` (1e-8, debiased 1e-6), `maxIterations` (10 000),
 *   `onIteration` (return false to stop)
 * @returns `barycenter` [n], `error`, `iterations`, `converged`
 * @throws {DomainError} for negative histograms, epsilon ≤ 0, or too small for 'scaling'; {ShapeError} when shapes do not fit
 * @see Benamou, Carlier, Cuturi, Nenna & Peyré 2015, arXiv:1412.5154, §3.2; debiased: Janati, Cuturi & Gramfort 2020, arXiv:2006.02575
 */
export function sinkhornBarycenter(problem: BarycenterProblem, options: BarycenterOptions = {}): BarycenterResult {
  const {
    epsilon = 0.05,
    debiased = false,
    method = 'auto',
    tolerance = debiased ? 1e-6 : 1e-8,
    maxIterations = 10_000,
    onIteration,
  } = readIterative(options);
  checkProblem('problem', problem, '{ cost, histograms, weights?, costX? }');
  checkPositive('epsilon', epsilon);
  checkOneOf('method', method, barycenterMethods);
  checkInteger('maxIterations', maxIterations, 1);
  if (!(tolerance >= 0)) checkPositive('tolerance', tolerance);
  const setting = readSetting(problem, debiased);
  const spread = spreadOf(setting.cost);
  if (method === 'scaling' && spread > limit * epsilon)
    throw new DomainError(`epsilon: expected at least ${spread / limit} for method 'scaling' on this cost, got ${epsilon}; use 'log'`);
  const logs = method === 'log' || (method === 'auto' && Math.max(spread, setting.self ? spreadOf(setting.self) : 0) > safe * epsilon);
  return withArena((arena) => {
    let [error, iterations, stopped] = [Infinity, 0, false];
    const run = (iteration: KernelIteration | LogIteration, stage: number, goal: number, end: number) => {
      for (error = Infinity; iterations < end && !(error <= goal) && !stopped; ) {
        error = iteration.step();
        iterations++;
        stopped = onIteration?.({ iteration: iterations, error, epsilon: stage }) === false;
      }
    };
    let iteration: KernelIteration | LogIteration;
    if (logs) {
      const stages = schedule(spread, epsilon);
      const domain = new LogIteration(arena, setting, stages[0]!);
      for (const stage of stages) {
        domain.rescale(stage);
        if (stage === epsilon) run(domain, stage, tolerance, maxIterations);
        else run(domain, stage, 1e-2, Math.min(maxIterations - 1, iterations + 50));
      }
      iteration = domain;
    } else {
      iteration = new KernelIteration(arena, setting, epsilon);
      run(iteration, epsilon, tolerance, maxIterations);
    }
    const p = iteration.barycenter();
    const mass = total(p);
    return { barycenter: p.map((v) => v / mass), error, iterations, converged: error <= tolerance };
  });
}

function readSetting(problem: BarycenterProblem, debiased: boolean): BarycenterSetting {
  const { data, rows: S, cols: m } = readMatrix('histograms', problem.histograms);
  const { data: cost, rows: n } = readMatrix('cost', problem.cost, { cols: m });
  const weights = readWeights('weights', problem.weights, S);
  const sum = total(weights);
  const histograms = new Float64Array(S * m);
  for (let s = 0; s < S; s++) {
    const row = readWeights('histograms', data.subarray(s * m, (s + 1) * m), m);
    const mass = total(row);
    for (let j = 0; j < m; j++) histograms[s * m + j] = row[j]! / mass;
  }
  let self: Float64Array | undefined;
  if (debiased) {
    if (!problem.costX && n !== m) throw new ShapeError(`costX: expected a matrix [${n}, ${n}] for a debiased barycenter, got none`);
    self = Float64Array.from(readMatrix('costX', problem.costX ?? problem.cost, { rows: n, cols: n }).data);
    const slack = 1e-6 * Math.max(spreadOf(self), Number.MIN_VALUE);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < i; j++)
        if (Math.abs(self[i * n + j]! - self[j * n + i]!) > slack)
          throw new DomainError(`costX: expected a symmetric matrix, got ${self[i * n + j]} at [${i}, ${j}] and ${self[j * n + i]} across`);
  }
  return { cost: Float64Array.from(cost), self, histograms, weights: weights.map((w) => w / sum), n, m };
}

function spreadOf(cost: Float64Array): number {
  let [least, most] = [Infinity, -Infinity];
  for (const c of cost) {
    least = Math.min(least, c);
    most = Math.max(most, c);
  }
  return most - least;
}
