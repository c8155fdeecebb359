// Balanced entropic optimal transport.
import { asRecord, checkLength } from '../core/check.js';
import { withArena } from '../runtime/instance.js';
import { checkEntropicOptions, type EntropicOptions, sinkhornMethods, solveEntropic } from './entropic.js';
import { type EntropicResult, outcome } from './outcome.js';
import { balance, type Problem, total } from './problem.js';
import { checkSolver, readProblem, type Setting } from './setting.js';
import { pick, spread, supportOf } from './support.js';

export interface SinkhornOptions extends EntropicOptions {
  /** Make point costs by tiles and never store the n × m matrix; by default above half a gigabyte. Uses the log domain. */
  readonly lazy?: boolean;
}

/**
 * `f` is also the gradient of `value` with respect to a, up to a constant; `g` has mean 0 over b > 0;
 * `value` = ⟨a,f⟩ + ⟨b,g⟩ = ⟨P,C⟩ + ε·KL(P | a⊗b).
 */
export type SinkhornResult = EntropicResult;

/**
 * Entropic optimal transport between two histograms or weighted point sets.
 *   min over P of ⟨P, cost⟩ + ε·KL(P | a⊗b)   subject to   P·1 = a,  Pᵀ·1 = b;   P_ij = a_i b_j exp((f_i + g_j − C_ij)/ε)
 *
 * @param problem `cost` [n, m] (a tensor, nested arrays, or flat row-major) with `a` [n], `b` [m] ≥ 0 of equal totals, uniform by default;
 *   or points `x` [n, d], `y` [m, d] with `costFunction` 'sqeuclidean' (default), 'half-sqeuclidean',
 *   'euclidean' or 'cosine'
 * @param options `epsilon` in units of the cost (0.05); `method` 'auto' | 'scaling' | 'log' | 'stabilized'; `tolerance` on the L1 error of
 *   both marginals relative to the total (1e-6 for f64 costs, 1e-4 for f32); `maxIterations` (10 000); `warmStart` { f, g };
 *   `epsilonScaling`, `overRelaxation`, `lazy`, `onIteration` (return false to stop)
 * @returns potentials, `value`, `transportCost`, `error`, `iterations`, `plan()`, `gradients()`; `converged: false` when iterations ran out, never a throw or a NaN
 * @throws {ShapeError} when lengths do not fit or a set is empty; {DomainError} for epsilon ≤ 0, negative or NaN data, unequal totals
 * @see Cuturi 2013, arXiv:1306.0895; Peyré & Cuturi 2019, §4, arXiv:1803.00567; stabilisation: Schmitzer 2019, arXiv:1610.06519, §3
 */
export function sinkhorn(problem: Problem, options: SinkhornOptions = {}): SinkhornResult {
  const setting = readProblem(problem, asRecord('options', options).lazy);
  balance(setting.a, setting.b, setting.singleWeights);
  return solveBalanced(setting, options);
}

/** Potentials to start from, on the support; −∞ of a massless point that has mass now becomes 0. */
export function startFrom(
  { warmStart }: SinkhornOptions,
  a: Float64Array,
  b: Float64Array,
  rows: Int32Array | undefined,
  cols: Int32Array | undefined,
): { f: Float64Array; g: Float64Array } | undefined {
  if (!warmStart) return undefined;
  checkLength('warmStart.f', warmStart.f, a.length);
  checkLength('warmStart.g', warmStart.g, b.length);
  const finite = (potential: ArrayLike<number>) => Float64Array.from(potential, (x) => (Number.isFinite(x) ? x : 0));
  return { f: pick(finite(warmStart.f), rows), g: pick(finite(warmStart.g), cols) };
}

/** Sinkhorn on a checked problem whose totals agree. */
export function solveBalanced(setting: Setting, options: SinkhornOptions): SinkhornResult {
  const { a, b, precision, make } = setting;
  const { epsilon = 0.05, method = 'auto', tolerance = precision === 'float32' ? 1e-4 : 1e-6, maxIterations = 10_000 } = options;
  checkSolver({ epsilon, tolerance, maxIterations, method }, sinkhornMethods);
  checkEntropicOptions(options);
  const [rows, cols] = [supportOf(a), supportOf(b)];
  const start = startFrom(options, a, b, rows, cols);
  const [weightsA, weightsB] = [pick(a, rows), pick(b, cols)];
  const solved = withArena((arena) =>
    solveEntropic(
      arena,
      {
        source: make(arena, rows, cols),
        a: weightsA,
        b: weightsB,
        penalty: [Infinity, Infinity],
        tolerance,
        symmetric: setting.symmetric ?? false,
      },
      { ...options, ...(start ? { warmStart: start } : {}) },
    ),
  );
  const mean = total(solved.g) / solved.g.length;
  const f = solved.f.map((x) => x + mean);
  const g = solved.g.map((x) => x - mean);
  const weightsTotal = total(weightsA);
  let value = 0;
  for (let i = 0; i < f.length; i++) value += weightsA[i]! * f[i]!;
  for (let j = 0; j < g.length; j++) value += weightsB[j]! * g[j]!;
  if (weightsTotal !== 1) value += epsilon * (weightsTotal * weightsTotal - weightsTotal); // KL counts the mass of a⊗b
  const { transportCost, error, iterations, converged } = solved;
  return outcome(setting, epsilon, [Infinity, Infinity], {
    f: spread(f, rows, a.length, -Infinity),
    g: spread(g, cols, b.length, -Infinity),
    value,
    transportCost,
    error,
    iterations,
    converged,
  });
}
