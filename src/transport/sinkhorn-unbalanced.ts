// Entropic transport with marginals that may be missed at a price.
import { asRecord, checkLength, checkPositive } from '../core/check.js';
import { exp } from '../kernels/scalar.js';
import { withArena } from '../runtime/instance.js';
import { checkEntropicOptions, sinkhornMethods, solveEntropic } from './entropic.js';
import { type EntropicResult, outcome } from './outcome.js';
import { balance, type Problem, total } from './problem.js';
import { checkSolver, readProblem, type Setting } from './setting.js';
import { type SinkhornOptions, solveBalanced, startFrom } from './sinkhorn.js';
import { pick, spread, supportOf } from './support.js';

export interface UnbalancedOptions extends SinkhornOptions {
  /** ρ of both marginals, or of each; Infinity keeps a marginal hard (1). */
  readonly marginalPenalty?: number | readonly [number, number];
}
export interface UnbalancedResult extends EntropicResult {
  /** Mass of the plan. */
  readonly mass: number;
}

/**
 * Unbalanced entropic optimal transport:
 *   min over P ≥ 0 of ⟨P, C⟩ + ε·KL(P | a⊗b) + ρ₁·KL(P1 | a) + ρ₂·KL(Pᵀ1 | b),   KL(p|q) = Σ p log(p/q) − p + q
 * with P_ij = a_i b_j exp((f_i + g_j − C_ij)/ε), P1 = a·e^(−f/ρ₁). Translations of the potentials, the slow mode for ρ ≫ ε, are optimised
 * exactly.
 *
 * @param problem as for `sinkhorn`; totals may differ unless both penalties are Infinity
 * @param options as for `sinkhorn`, and `marginalPenalty` ρ or [ρ₁, ρ₂] (1), Infinity = hard
 * @returns as `sinkhorn`, with `mass`; `value` is the objective above; `error` is the L1 distance of P's marginals to a·e^(−f/ρ₁), b·e^(−g/ρ₂)
 * @throws as `sinkhorn`; {DomainError} for a penalty that is not > 0
 * @see Chizat, Peyré, Schmitzer & Vialard 2018, arXiv:1607.05816; Séjourné, Vialard & Peyré 2022, arXiv:2201.00730
 */
export function sinkhornUnbalanced(problem: Problem, options: UnbalancedOptions = {}): UnbalancedResult {
  const { marginalPenalty = 1 } = asRecord('options', options);
  const penalty = readPenalty(marginalPenalty);
  const setting = readProblem(problem, options.lazy);
  if (penalty[0] === Infinity && penalty[1] === Infinity) balance(setting.a, setting.b, setting.singleWeights);
  return solveUnbalanced(setting, penalty, options);
}

/** One penalty for both marginals, or a pair. */
export function readPenalty(marginalPenalty: number | readonly [number, number]): [number, number] {
  if (typeof marginalPenalty !== 'number') checkLength('marginalPenalty', marginalPenalty, 2);
  const pair = typeof marginalPenalty === 'number' ? [marginalPenalty, marginalPenalty] : [...marginalPenalty];
  for (const rho of pair) if (rho !== Infinity) checkPositive('marginalPenalty', rho);
  return pair as [number, number];
}

/** Unbalanced Sinkhorn on a checked problem. */
export function solveUnbalanced(setting: Setting, penalty: readonly [number, number], options: SinkhornOptions): UnbalancedResult {
  const { a, b, precision, make } = setting;
  const [one, two] = penalty;
  if (one === Infinity && two === Infinity) {
    const solved = solveBalanced(setting, options);
    return { ...solved, mass: total(a) };
  }
  const { epsilon = 0.05, method = 'auto', tolerance = precision === 'float32' ? 1e-4 : 1e-6, maxIterations = 10_000 } = options;
  checkSolver({ epsilon, tolerance, maxIterations, method }, sinkhornMethods);
  checkEntropicOptions(options);
  const [rows, cols] = [supportOf(a), supportOf(b)];
  const start = startFrom(options, a, b, rows, cols);
  const [weightsA, weightsB] = [pick(a, rows), pick(b, cols)];
  const solved = withArena((arena) =>
    solveEntropic(
      arena,
      { source: make(arena, rows, cols), a: weightsA, b: weightsB, penalty, tolerance, symmetric: setting.symmetric ?? false },
      { ...options, ...(start ? { warmStart: start } : {}) },
    ),
  );
  const { f, g, transportCost, error, iterations, converged, mass } = solved;
  // The dual value: exact to second order in the error of the potentials.
  const value = penaltyValue(weightsA, f, one) + penaltyValue(weightsB, g, two) + epsilon * (total(a) * total(b) - mass);
  return outcome(setting, epsilon, penalty, {
    f: spread(f, rows, a.length, -Infinity),
    g: spread(g, cols, b.length, -Infinity),
    value,
    transportCost,
    error,
    iterations,
    converged,
    mass,
  });
}

/** −ρ⟨a, e^(−f/ρ) − 1⟩, or ⟨a, f⟩ for a hard marginal. */
function penaltyValue(weights: Float64Array, potential: Float64Array, rho: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i]! * (rho === Infinity ? potential[i]! : rho * (1 - exp(-potential[i]! / rho)));
  }
  return sum;
}
