// Imbalance-aware pseudo-labels by progressive partial transport.
import { checkOneOf, checkPositive, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { type FloatArray, floats, type NumberArray, type Precision, precisionOf } from '../core/tensor.js';
import { log } from '../kernels/scalar.js';
import { logSumExpRows } from '../kernels/softmax-rows.js';
import { withArena } from '../runtime/instance.js';
import type { IterationInfo } from './entropic.js';
import { PartialDual } from './partial-dual.js';
import { andersonMethod, type DualMethod, type DualSolution, newton, scalingMethod } from './partial-methods.js';
import { asPlan, type Plan } from './plan.js';
import { type Matrix, readMatrix, readWeights, total } from './problem.js';
import { checkSolver } from './setting.js';

/** Predictions of N samples over K clusters. */
export type LabelProblem = { readonly logits: Matrix } | { readonly cost: Matrix };
export const partialMethods = ['newton', 'anderson', 'scaling'] as const;

export interface ProgressiveOptions {
  /** ρ in (0, 1]: the share of samples to label (0.5). */
  readonly mass?: number;
  /** λ of KL(cluster sizes | ρ·prior); Infinity forces the prior (1). */
  readonly clusterPenalty?: number;
  /** Entropic strength in nats of the logits (0.1). */
  readonly epsilon?: number;
  readonly method?: (typeof partialMethods)[number];
  /** [K] cluster sizes the penalty pulls to, up to scale (uniform). */
  readonly prior?: NumberArray;
  /** L1 distance of the cluster sizes to their optimality condition (1e-6 for f64, 3e-6 for f32). */
  readonly tolerance?: number;
  /** 100 for newton, 1000 for the others */
  readonly maxIterations?: number;
  /** Column potentials [K] of an earlier result, in units of the cost. */
  readonly warmStart?: { readonly potentials: ArrayLike<number> };
  /** 'scaling' starts at scalings 1, or at 1/(K+1) as the published code does. */
  readonly start?: 'ones' | 'published';
  readonly onIteration?: (info: IterationInfo) => unknown;
}

export interface ProgressiveResult {
  /** Q [N, K]: rows sum to at most 1/N, all of it to `mass`. */
  readonly plan: Plan;
  /** N·Q [N, K]: soft labels; a row's sum is how much of the sample is labelled. */
  readonly pseudoLabels: Plan;
  /** [K] */
  readonly columnMass: Float64Array;
  /** [N] 1/N minus the row sums of Q: what the virtual cluster took. */
  readonly slack: Float64Array;
  /** ⟨Q,C⟩ + ε·Σ Q̂ log Q̂ + λ·KL(Qᵀ1 | ρ·prior), Q̂ = [Q, slack] */
  readonly objective: number;
  /** [K] column potentials relative to the virtual cluster. */
  readonly potentials: Float64Array;
  readonly error: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * P²OT: min over Q ≥ 0 of ⟨Q, C⟩ + λ·KL(Qᵀ1 | ρ·prior) with Q1 ≤ 1/N, ΣQ = ρ, C = −log softmax(logits), and entropy −ε·H over the plan
 * extended by a virtual cluster that takes what is not labelled. 'newton' solves the convex dual in the K column unknowns (a handful of
 * steps), 'anderson' accelerates the published scaling, 'scaling' is the published iteration.
 *
 * @param problem `logits` [N, K], or `cost` [N, K]
 * @param options `mass` ρ (0.5), `clusterPenalty` λ (1), `epsilon` (0.1), `method` ('newton'), `prior`, `tolerance`, `maxIterations`,
 *   `warmStart`, `start`, `onIteration`
 * @returns `plan`, `pseudoLabels`, `columnMass`, `slack`, `objective`, `potentials`, `error`, `iterations`, `converged`
 * @throws {DomainError} for mass outside (0, 1], penalties or epsilon ≤ 0, non-finite data; {ShapeError} when shapes do not fit
 * @see Zhang, Ren & He 2024, arXiv:2401.09266, §4
 */
export function progressivePartial(problem: LabelProblem, options: ProgressiveOptions = {}): ProgressiveResult {
  const { cost, rows, cols, precision } = readLabelCost(problem);
  return solvePartial(cost, rows, cols, precision, options);
}

/** Reads logits or costs; −log softmax of the logits. */
export function readLabelCost(problem: LabelProblem): { cost: FloatArray; rows: number; cols: number; precision: Precision } {
  if ('cost' in problem && problem.cost !== undefined) {
    const { data, rows, cols } = readMatrix('cost', problem.cost);
    return { cost: data, rows, cols, precision: precisionOf(data) };
  }
  const { data, rows, cols } = readMatrix('logits', (problem as { logits: Matrix }).logits);
  const precision = precisionOf(data);
  const normalisers = withArena((arena) => {
    const out = arena.real(precision, rows);
    logSumExpRows(out, arena.put(data), rows, cols);
    return arena.take<'f32' | 'f64'>(out);
  });
  const cost = floats(precision, data.length);
  for (let i = 0, k = 0; i < rows; i++) for (let j = 0; j < cols; j++, k++) cost[k] = normalisers[i]! - data[k]!;
  return { cost, rows, cols, precision };
}

/** Costs from this many entries on are worth a first approach in single precision. */
const coarseFrom = 20_000;

/** P²OT under a given cost. */
export function solvePartial(
  cost: FloatArray,
  rows: number,
  cols: number,
  precision: Precision,
  options: ProgressiveOptions,
): ProgressiveResult {
  const { mass = 0.5, clusterPenalty = 1, epsilon = 0.1, method = 'newton', warmStart, start = 'ones', onIteration } = options;
  const { tolerance = precision === 'float32' ? 3e-6 : 1e-6, maxIterations = method === 'newton' ? 100 : 1000 } = options;
  checkSolver({ epsilon, tolerance, maxIterations, method }, partialMethods);
  checkRange('mass', mass, 0, 1);
  checkPositive('mass', mass);
  if (clusterPenalty !== Infinity) checkPositive('clusterPenalty', clusterPenalty);
  checkOneOf('start', start, ['ones', 'published']);
  const prior = readPrior(options.prior, cols);
  return withArena((arena) => {
    const width = mass < 1 ? cols + 1 : cols;
    const v = new Float64Array(width);
    if (warmStart) v.set(Float64Array.from(warmStart.potentials).subarray(0, cols));
    else if (start === 'published') v.fill(-epsilon * log(width));
    let steps = 0;
    if (method === 'newton' && precision === 'float64' && cost.length >= coarseFrom) {
      // Most of the way in single precision, at half the bytes; the last steps in double.
      const mark = arena.mark();
      const coarse = new PartialDual(arena, new Float32Array(cost), rows, 'float32', prior, mass, epsilon, clusterPenalty);
      const first = newton(coarse, v, { tolerance: Math.max(tolerance, 1e-4), maxIterations, lambda: clusterPenalty, onIteration });
      v.set(first.v);
      steps = first.iterations;
      arena.release(mark);
    }
    const dual = new PartialDual(arena, cost, rows, precision, prior, mass, epsilon, clusterPenalty, v);
    const methods: Record<string, DualMethod> = { newton, anderson: andersonMethod(prior), scaling: scalingMethod(prior) };
    const options = { tolerance, maxIterations: maxIterations - steps, lambda: clusterPenalty, onIteration };
    const { iterations, ...rest } = methods[method]!(dual, v, options);
    const solved = { ...rest, iterations: iterations + steps };
    const masses = dual.masses(solved.v); // and the row scalings that `plan` takes
    return describePlan(dual, masses.slice(0, cols), dual.plan(solved.v), solved, prior, clusterPenalty);
  });
}

function readPrior(prior: unknown, cols: number): Float64Array {
  const weights = readWeights('prior', prior, cols);
  const sum = total(weights);
  if (weights.some((w) => w === 0)) throw new DomainError('prior: expected numbers > 0, got 0; leave such a cluster out of the logits');
  return weights.map((w) => w / sum);
}

/** Splits the extended plan and evaluates the objective from it. */
function describePlan(
  dual: PartialDual,
  columnMass: Float64Array,
  { plan: extended, rowTerms }: { plan: FloatArray; rowTerms: number },
  { v, error, iterations, converged }: DualSolution,
  prior: Float64Array,
  lambda: number,
): ProgressiveResult {
  const { rows, columns, width, mass } = dual;
  const plan = floats(precisionOf(extended), rows * columns);
  const slack = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    plan.set(extended.subarray(i * width, i * width + columns), i * columns);
    if (width > columns) slack[i] = extended[i * width + columns]!;
  }
  // ε log Q̂_ij = row term + v_j − C_ij, so that costs cancel; rows of the plan sum to 1/N.
  const virtual = width > columns ? v[columns]! : 0;
  let objective = rowTerms / rows + virtual * (1 - mass);
  for (let j = 0; j < columns; j++) {
    const x = columnMass[j]!;
    const wanted = mass * prior[j]!;
    objective += x * v[j]!;
    if (lambda !== Infinity) objective += lambda * (x * log(x / wanted) - x + wanted);
  }
  const potentials = v.subarray(0, columns).map((value) => value - virtual);
  let labels: Plan | undefined;
  return {
    plan: asPlan(plan, rows, columns),
    get pseudoLabels() {
      return (labels ??= asPlan(
        plan.map((q) => q * rows),
        rows,
        columns,
      ));
    },
    columnMass,
    slack,
    objective,
    potentials,
    error,
    iterations,
    converged,
  };
}
