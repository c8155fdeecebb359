// Pseudo-labels that also agree between similar samples.
import { checkInteger, checkNonNegative } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { Iterations, readIterative } from '../core/iterations.js';
import { square } from '../core/square.js';
import { type FloatArray, floats, type Precision, precisionOf } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { log } from '../kernels/scalar.js';
import { withArena } from '../runtime/instance.js';
import { type Matrix, readMatrix } from './problem.js';
import {
  type LabelProblem,
  labelCost,
  type ProgressiveOptions,
  type ProgressiveResult,
  readLabels,
  solvePartial,
} from './progressive-partial.js';
import { transpose } from './source.js';

/** Predictions, and how similar samples are: a matrix [N, N], or features [N, d] whose nearest neighbours by cosine count. */
export type SemanticProblem = LabelProblem & ({ readonly similarity: Matrix } | { readonly features: Matrix });

export interface SemanticOptions extends ProgressiveOptions {
  /** λ₁ of −λ₁⟨S, QQᵀ⟩; Q scales with 1/N, so λ₁ of interest scale with N (1). */
  readonly semanticWeight?: number;
  /** Neighbours kept per sample when features are given (20). */
  readonly neighbours?: number;
  /** Outer steps (10). */
  readonly outerIterations?: number;
  /** Stop once the objective changes by less (1e-6). */
  readonly outerTolerance?: number;
}

export interface SemanticResult extends ProgressiveResult {
  /** The full objective after every outer step; it never increases. */
  readonly objectives: readonly number[];
  /** Outer steps that needed the proximal term because the published one did not descend. */
  readonly proximalSteps: number;
}

/**
 * SP²OT: the objective of `progressivePartial` minus λ₁⟨S, QQᵀ⟩. Every outer step solves P²OT under C − λ₁(S + Sᵀ)Q, the published
 * majorisation, which descends for certain only where S is positive semi-definite. Where the objective would rise (S without its diagonal is
 * indefinite), the step is taken again with a proximal term θ·KL(Q̂ | Q̂_t), itself a P²OT problem with ε + θ, and θ doubled until it
 * descends: entries of Q are at most 1/N, so θ = 2λ₁|λ_min(S)|/N is always enough.
 *
 * @param problem `logits` or `cost` [N, K], with `similarity` [N, N] or `features` [N, d]
 * @param options as for `progressivePartial`; `semanticWeight` λ₁ (1), `neighbours` (20), `outerIterations` (10), `outerTolerance` (1e-6);
 *   `onIteration` counts through all inner problems, and false ends the outer steps too (`converged: false`)
 * @returns as `progressivePartial` (of the last step, `objective` with the semantic term), `objectives`, `proximalSteps`
 * @throws as `progressivePartial`; {ShapeError} when similarity is not [N, N]
 * @see Zhang, Ren & He 2024, arXiv:2404.03446, §4
 */
export function semanticPartial(problem: SemanticProblem, options: SemanticOptions = {}): SemanticResult {
  const {
    semanticWeight = 1,
    neighbours = 20,
    outerIterations = 10,
    outerTolerance = 1e-6,
    onIteration,
    ...inner
  } = readIterative(options);
  const told = new Iterations(onIteration);
  checkNonNegative('semanticWeight', semanticWeight);
  checkInteger('outerIterations', outerIterations, 1);
  checkNonNegative('outerTolerance', outerTolerance);
  const { epsilon = 0.1, mass = 0.5 } = inner;
  const labels = readLabels(problem);
  const { rows, cols } = labels;
  const precision = precisionOf(labels.data);
  const cost = labelCost(labels);
  const S = symmetrised(readSimilarity(problem, rows, neighbours), rows);
  const solve = (from: FloatArray, strength: number) =>
    solvePartial({ name: 'cost', data: from, rows, cols }, { ...inner, epsilon: strength, ...told.next() });
  const pulled = (Q: FloatArray) => product(S, Q, rows, cols, precision); // (S + Sᵀ)Q

  let Q: FloatArray = floats(precision, rows * cols).fill(mass / (rows * cols));
  let slack: Float64Array = new Float64Array(rows).fill((1 - mass) / rows);
  let result: ProgressiveResult | undefined;
  let pull = pulled(Q);
  const objectives: number[] = [];
  let [proximalSteps, theta] = [0, 0];
  for (let t = 0; t < outerIterations; t++) {
    let next = solve(cost.map((c, k) => c - semanticWeight * pull[k]!) as FloatArray, epsilon);
    let nextPull = pulled(next.plan);
    let value = objectiveOf(cost, next, nextPull, semanticWeight, options);
    const last = objectives.at(-1) ?? Infinity;
    for (let tries = 0; value > last + 1e-12 * Math.abs(last) && tries < 40 && !told.stopped; tries++) {
      if (tries === 0) proximalSteps++;
      theta = theta === 0 ? epsilon : 2 * theta;
      // −θ log Q̂_t on both kinds of columns; a row constant moves the virtual one back to 0.
      const proximal = cost.map((c, k) => {
        const i = Math.floor(k / cols);
        const stay = slack[i]! > 0 ? log(slack[i]!) : 0;
        return c - semanticWeight * pull[k]! - theta * (log(Math.max(Q[k]!, 1e-300)) - stay);
      }) as FloatArray;
      next = solve(proximal, epsilon + theta);
      nextPull = pulled(next.plan);
      value = objectiveOf(cost, next, nextPull, semanticWeight, options);
    }
    if (!(value <= last + 1e-9 * (1 + Math.abs(last)))) break;
    objectives.push(Math.min(value, last));
    [result, Q, slack, pull] = [next, next.plan, next.slack, nextPull];
    if (last - value < outerTolerance || told.stopped) break;
  }
  return Object.defineProperties(result!, {
    objectives: { value: objectives, enumerable: true },
    proximalSteps: { value: proximalSteps, enumerable: true },
    objective: { value: objectives.at(-1), enumerable: true },
    ...(told.stopped && { converged: { value: false, enumerable: true } }),
  }) as SemanticResult;
}

/** ⟨Q,C⟩ − λ₁⟨S,QQᵀ⟩ + ε ΣQ̂ log Q̂ + λ KL, from the plan itself. */
function objectiveOf(
  cost: FloatArray,
  { plan, slack, columnMass }: ProgressiveResult,
  pull: FloatArray,
  weight: number,
  options: SemanticOptions,
): number {
  const { epsilon = 0.1, mass = 0.5, clusterPenalty = 1, prior } = options;
  let sum = 0;
  for (let k = 0; k < plan.length; k++) {
    const q = plan[k]!;
    sum += q * (cost[k]! - 0.5 * weight * pull[k]!) + (q > 0 ? epsilon * q * log(q) : 0);
  }
  for (const s of slack) if (s > 0) sum += epsilon * s * log(s);
  if (clusterPenalty === Infinity) return sum;
  let all = 0;
  for (let j = 0; j < columnMass.length; j++) all += prior ? prior[j]! : 1;
  for (let j = 0; j < columnMass.length; j++) {
    const wanted = (mass * (prior ? prior[j]! : 1)) / all;
    const x = columnMass[j]!;
    sum += clusterPenalty * ((x > 0 ? x * log(x / wanted) : 0) - x + wanted);
  }
  return sum;
}

/** S + Sᵀ. */
function symmetrised(S: FloatArray, n: number): FloatArray {
  const turned = transpose(S, n, n);
  return S.map((value, k) => value + turned[k]!) as FloatArray;
}

/** S [n, inner]·Q [inner, k]. */
function product(S: FloatArray, Q: FloatArray, n: number, k: number, precision: Precision, inner = n): FloatArray {
  return withArena((arena) => {
    const [a, b, c] = [arena.putAs(precision, S), arena.putAs(precision, Q), arena.real(precision, n * k)];
    gemm(n, k, inner, a, b, c);
    return arena.take<'f32' | 'f64'>(c);
  });
}

/** The similarity given, or cosine similarities of the nearest neighbours without the diagonal. */
function readSimilarity(problem: SemanticProblem, n: number, neighbours: number): FloatArray {
  if ('similarity' in problem && problem.similarity !== undefined) {
    const { data } = readMatrix('similarity', problem.similarity, { rows: n, cols: n });
    return data;
  }
  const { data, rows, cols } = readMatrix('features', (problem as { features: Matrix }).features);
  if (rows !== n) throw new ShapeError(`features: expected ${n} rows, got ${rows}`);
  checkInteger('neighbours', neighbours, 1);
  const unit = Float64Array.from(data);
  for (let i = 0; i < n; i++) {
    let squares = 0;
    for (let k = i * cols; k < (i + 1) * cols; k++) squares += square(unit[k]!);
    if (!(squares > 0)) throw new DomainError(`features: expected vectors that are not 0, got 0 in row ${i}`);
    for (let k = i * cols; k < (i + 1) * cols; k++) unit[k]! /= Math.sqrt(squares);
  }
  const S = product(unit, transpose(unit, n, cols), n, n, 'float64', cols);
  for (let i = 0; i < n; i++) {
    const row = S.subarray(i * n, (i + 1) * n);
    row[i] = 0;
    const order = Array.from(row.keys()).filter((j) => j !== i);
    order.sort((p, q) => row[q]! - row[p]! || p - q);
    for (const j of order.slice(neighbours)) row[j] = 0;
  }
  return S;
}
