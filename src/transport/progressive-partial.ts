// Imbalance-aware pseudo-labels by progressive partial transport.
import { checkFinite, checkOneOf, checkPositive, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { asFloats, type FloatArray, type NumberArray, precisionOf } from '../core/tensor.js';
import type { LabelRows } from '../kernels/label-kernel.js';
import { extremes } from '../kernels/marginals.js';
import { log } from '../kernels/scalar.js';
import { logSumExpRows } from '../kernels/softmax-rows.js';
import type { Arena, F64 } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import type { IterationInfo } from './entropic.js';
import { PartialDual } from './partial-dual.js';
import { andersonMethod, type DualMethod, type DualSolution, newton, scalingMethod } from './partial-methods.js';
import { asPlan, type Plan } from './plan.js';
import { checkProblem, type Matrix, type ReadMatrix, readMatrix, readWeights, total } from './problem.js';
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
 * Columns whose costs are all beyond the range of exponentials at this ε start where the best row holds a little of them. Single precision
 * resolves costs up to about 1000 ε; beyond that give f64.
 * @throws {DomainError} for mass outside (0, 1], penalties or epsilon ≤ 0, non-finite data; {ShapeError} when shapes do not fit
 * @see Zhang, Ren & He 2024, arXiv:2401.09266, §4
 */
export function progressivePartial(problem: LabelProblem, options: ProgressiveOptions = {}): ProgressiveResult {
  return solvePartial(readLabels(problem), options);
}

/** Rows of costs, or of logits whose −log softmax is the cost; not yet looked through for NaN. */
export interface Labels extends ReadMatrix {
  readonly name: 'cost' | 'logits';
}

/** Reads logits or costs. */
export function readLabels(problem: LabelProblem): Labels {
  checkProblem('problem', problem, '{ logits } or { cost }');
  if ('cost' in problem && problem.cost !== undefined) return { name: 'cost', ...readMatrix('cost', problem.cost, { unchecked: true }) };
  return { name: 'logits', ...readMatrix('logits', (problem as { logits: Matrix }).logits, { unchecked: true }) };
}

/** Costs as numbers: −log softmax of logits. */
export function labelCost({ name, data, rows, cols }: Labels): FloatArray {
  if (name === 'cost') return data;
  return withArena((arena) => {
    const block = arena.put(data);
    const base = arena.real(precisionOf(data), rows);
    logSumExpRows(base, block, rows, cols);
    const [cost, normalisers] = [arena.take<'f32' | 'f64'>(block), arena.view(base as F64)];
    for (let k = 0; k < cost.length; k++) cost[k] = normalisers[Math.floor(k / cols)]! - cost[k]!;
    return cost;
  });
}

/** Labels in the arena, and how far their costs are apart. @throws {DomainError} when they hold NaN or infinity */
function putLabels(arena: Arena, { name, data, cols }: Labels): LabelRows & { span: number } {
  const block = arena.put(data);
  const { low, high } = extremes(block);
  if (!Number.isFinite(low) || !Number.isFinite(high)) checkFinite(name, data);
  const logits = name === 'logits';
  // The virtual column costs 0.
  const span = logits ? high - low : Math.max(high, 0) - Math.min(low, 0);
  return { data: block, logits, cols, low, high, span };
}

/** Problems with so many rows and more are first solved on every eighth row, to about the error that leaves. */
const sampleFrom = 1000;
const sampleStride = 8;
const roughTolerance = 1e-2;
/** Newton's steps are few where the costs span no more ε than this. */
const easySpan = 400;

/** Exponents to which columns without mass are raised at the start: those a Newton step climbs from, and those numbers can still hold. */
const newtonDepth = 20;
const lowest = { float32: 60, float64: 300 };

/** P²OT under given costs or logits. */
export function solvePartial(labels: Labels, options: ProgressiveOptions): ProgressiveResult {
  const { rows, cols } = labels;
  const precision = precisionOf(labels.data);
  const {
    mass = 0.5,
    clusterPenalty = 1,
    epsilon = 0.1,
    method = 'newton',
    warmStart,
    start = 'ones',
    onIteration,
  } = readIterative(options);
  const { tolerance = precision === 'float32' ? 3e-6 : 1e-6, maxIterations = method === 'newton' ? 100 : 1000 } = options;
  checkSolver({ epsilon, tolerance, maxIterations, method }, partialMethods);
  checkRange('mass', mass, 0, 1);
  checkPositive('mass', mass);
  if (clusterPenalty !== Infinity) checkPositive('clusterPenalty', clusterPenalty);
  checkOneOf('start', start, ['ones', 'published']);
  const prior = readPrior(options.prior, cols);
  return withArena((arena) => {
    const data = putLabels(arena, labels);
    const width = mass < 1 ? cols + 1 : cols;
    const v = new Float64Array(width);
    if (warmStart) v.set(Float64Array.from(asFloats('warmStart.potentials', warmStart.potentials)).subarray(0, cols));
    else if (start === 'published') v.fill(-epsilon * log(width));
    const dualOf = (stride: number, strength = epsilon) => {
      const problem = { rows: Math.ceil(rows / stride), prior, mass, epsilon: strength, lambda: clusterPenalty, precision };
      return PartialDual.of(arena, data, stride, problem, v);
    };
    let steps = 0;
    let stopped = false;
    const report = (info: IterationInfo) => {
      const go = onIteration?.({ ...info, iteration: steps + info.iteration });
      if (go === false) stopped = true;
      return go;
    };
    const shared = { lambda: clusterPenalty, onIteration: report };
    // Roughly solved first: at larger strengths where the costs span many ε, each solution the start of the next, and on a sample.
    const rough = (stride: number, strength?: number) => {
      const mark = arena.mark();
      const dual = dualOf(stride, strength);
      const options = { tolerance: Math.max(tolerance, roughTolerance), maxIterations: stopped ? 0 : maxIterations - steps, ...shared };
      const found = newton(dual, dual.raised(v, newtonDepth), options);
      v.set(found.v);
      steps += found.iterations;
      arena.release(mark);
    };
    if (method === 'newton' && !warmStart) {
      const sampled = rows >= sampleFrom;
      const stride = sampled ? sampleStride : 1;
      for (let strength = data.span / easySpan; strength > epsilon; strength /= 4) rough(stride, strength);
      if (sampled) rough(stride);
    }
    const dual = dualOf(1);
    const methods: Record<string, DualMethod> = { newton, anderson: andersonMethod(prior), scaling: scalingMethod(prior) };
    const first = dual.raised(v, method === 'newton' ? newtonDepth : lowest[precision]);
    const { iterations, ...rest } = methods[method]!(dual, first, {
      tolerance,
      maxIterations: stopped ? 0 : maxIterations - steps,
      ...shared,
    });
    const solved = { ...rest, iterations: iterations + steps };
    return describePlan(dual, dual.masses(solved.v).slice(0, cols), solved, prior, clusterPenalty);
  });
}

function readPrior(prior: unknown, cols: number): Float64Array {
  const weights = readWeights('prior', prior, cols);
  const sum = total(weights);
  if (weights.some((w) => w === 0)) throw new DomainError('prior: expected numbers > 0, got 0; leave such a cluster out of the logits');
  return weights.map((w) => w / sum);
}

/** Takes the plan out and evaluates the objective from potentials and column masses. */
function describePlan(
  dual: PartialDual,
  columnMass: Float64Array,
  { v, error, iterations, converged }: DualSolution,
  prior: Float64Array,
  lambda: number,
): ProgressiveResult {
  const { rows, columns, width, mass } = dual;
  const { plan, slack, rowTerms } = dual.plan();
  // ε log Q̂_ij = row term + v_j − C_ij, so that costs cancel; rows of the plan sum to 1/N.
  const virtual = width > columns ? v[columns]! : 0;
  let objective = rowTerms / rows + virtual * (1 - mass);
  for (let j = 0; j < columns; j++) {
    const x = columnMass[j]!;
    const wanted = mass * prior[j]!;
    objective += x * v[j]!;
    if (lambda !== Infinity) objective += lambda * ((x > 0 ? x * log(x / wanted) : 0) - x + wanted);
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
