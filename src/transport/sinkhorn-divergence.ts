// The debiased entropic distance between two weighted point sets.
import { DomainError } from '../core/errors.js';
import { Iterations, readIterative } from '../core/iterations.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { weightGradients } from './outcome.js';
import { pointGradients } from './point-gradient.js';
import { balance, type CostFunction, checkProblem, type Matrix, readMatrix, total } from './problem.js';
import { readProblem, type Setting } from './setting.js';
import { readPenalty, solveUnbalanced, type UnbalancedOptions } from './sinkhorn-unbalanced.js';

/** Two point sets, or the three cost matrices between and within two sets. */
export type DivergenceProblem =
  | { readonly x: Matrix; readonly y: Matrix; readonly costFunction?: CostFunction; readonly a?: NumberArray; readonly b?: NumberArray }
  | { readonly cost: Matrix; readonly costX: Matrix; readonly costY: Matrix; readonly a?: NumberArray; readonly b?: NumberArray };

export interface DivergenceResult {
  readonly value: number;
  /** Gradients of `value`, made when first read: points [n, d], [m, d] (undefined for a problem of cost matrices), weights [n], [m]. */
  readonly gradX: FloatArray | undefined;
  readonly gradY: FloatArray | undefined;
  readonly gradA: Float64Array;
  readonly gradB: Float64Array;
  /** Largest error of the three transport problems. */
  readonly error: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * Sinkhorn divergence S = OT_ε(α, β) − ½ OT_ε(α, α) − ½ OT_ε(β, β) + ε/2·(|α| − |β|)²: non-negative, 0 only for equal measures, with
 * gradients by the envelope theorem.
 *
 * @param problem points `x` [n, d], `y` [m, d] with `costFunction`, or matrices `cost` [n, m], `costX` [n, n], `costY` [m, m]; weights `a`, `b`
 * @param options as for `sinkhornUnbalanced` without `warmStart`; `marginalPenalty` Infinity by default (balanced: equal totals); `onIteration` counts
 *   through the three problems, and false stops them all
 * @returns `value`, `gradX`, `gradY`, `gradA`, `gradB` (made when read), `error`, `iterations` of all three problems, `converged` of all
 * @throws as `sinkhornUnbalanced`
 * @see Feydy, Séjourné, Vialard, Amari, Trouvé & Peyré 2019, arXiv:1810.08278; unbalanced: Séjourné et al. 2019, arXiv:1910.12958
 */
export function sinkhornDivergence(problem: DivergenceProblem, options: Omit<UnbalancedOptions, 'warmStart'> = {}): DivergenceResult {
  checkProblem('problem', problem, '{ x, y, costFunction?, a?, b? } or { cost, costX, costY, a?, b? }');
  const { epsilon = 0.05, marginalPenalty = Infinity } = readIterative(options);
  const penalty = readPenalty(marginalPenalty);
  if (penalty[0] !== penalty[1]) throw new DomainError('marginalPenalty: expected one penalty for both marginals, got two');
  // One start cannot serve three problems: a caller's is not passed on.
  const { onIteration, ...rest } = { ...options, warmStart: undefined };
  const told = new Iterations(onIteration);
  const settings = readThree(problem, options.lazy);
  if (penalty[0] === Infinity) for (const { a, b, singleWeights } of settings) balance(a, b, singleWeights);
  const solved = settings.map((setting) => solveUnbalanced(setting, penalty, { ...rest, ...told.next() }));
  const [ab, aa, bb] = solved as [(typeof solved)[0], (typeof solved)[0], (typeof solved)[0]];
  const [between] = settings;
  const gap = total(between.a) - total(between.b);
  const cached = <R>(make: () => R): (() => R) => {
    let kept: { value: R } | undefined;
    return () => (kept ??= { value: make() }).value;
  };
  const points = cached(() => {
    if (!between.points) return undefined;
    const [one, two, three] = settings.map((setting, i) => pointGradients(setting, solved[i]!.f, solved[i]!.g, epsilon));
    // Half of a problem within one set moves both of its sides: their sum is twice one side's, by symmetry.
    const minus = (p: FloatArray, q: FloatArray, r: FloatArray) => p.map((v, k) => v - 0.5 * (q[k]! + r[k]!)) as FloatArray;
    return { x: minus(one!.x, two!.x, two!.y), y: minus(one!.y, three!.x, three!.y) };
  });
  const weights = cached(() => {
    const [one, two, three] = settings.map((setting, i) => weightGradients(setting, solved[i]!.f, solved[i]!.g, epsilon, penalty));
    const debias = (p: Float64Array, q: Float64Array, r: Float64Array, sign: number) =>
      p.map((v, k) => v - 0.5 * (q[k]! + r[k]!) + sign * epsilon * gap);
    return { a: debias(one!.a, two!.a, two!.b, 1), b: debias(one!.b, three!.a, three!.b, -1) };
  });
  return {
    value: ab.value - 0.5 * (aa.value + bb.value) + 0.5 * epsilon * gap * gap,
    error: Math.max(ab.error, aa.error, bb.error),
    iterations: ab.iterations + aa.iterations + bb.iterations,
    converged: solved.every(({ converged }) => converged),
    get gradX() {
      return points()?.x;
    },
    get gradY() {
      return points()?.y;
    },
    get gradA() {
      return weights().a;
    },
    get gradB() {
      return weights().b;
    },
  };
}

/** The problems between the sets and within each. */
function readThree(problem: DivergenceProblem, lazy: boolean | undefined): [Setting, Setting, Setting] {
  const { a, b } = problem;
  const side = (w: typeof a) => (w === undefined ? {} : { a: w, b: w });
  if ('cost' in problem && problem.cost !== undefined) {
    const between = readProblem({ ...problem, cost: problem.cost }, lazy);
    const within = (name: string, cost: Matrix, w: Float64Array): Setting => {
      const { data } = readMatrix(name, cost, { rows: w.length, cols: w.length });
      return { ...readProblem({ cost: data, ...side(w) }), symmetric: isSymmetric(data, w.length) };
    };
    return [between, within('costX', problem.costX, between.a), within('costY', problem.costY, between.b)];
  }
  const { x, y, costFunction = 'sqeuclidean' } = problem as { x: Matrix; y: Matrix; costFunction?: CostFunction };
  const between = readProblem({ x, y, costFunction, ...(a ? { a } : {}), ...(b ? { b } : {}) }, lazy);
  const within = (points: Matrix, w: typeof a): Setting => ({
    ...readProblem({ x: points, y: points, costFunction, ...side(w) }, lazy),
    symmetric: true,
  });
  return [between, within(x, a), within(y, b)];
}

/** True when a square matrix equals its transpose exactly. */
function isSymmetric(data: FloatArray, n: number): boolean {
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) if (data[i * n + j] !== data[j * n + i]) return false;
  return true;
}
