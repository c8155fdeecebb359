// The result record of the entropic solvers on two measures: numbers at once, plan and gradients when asked for.
import type { FloatArray } from '../core/tensor.js';
import { exp } from '../kernels/scalar.js';
import { type Plan, planFrom } from './plan.js';
import { pointGradients } from './point-gradient.js';
import { total } from './problem.js';
import type { Setting } from './setting.js';

/** Gradients of `value` by the envelope theorem. */
export interface Gradients {
  /** [n]; where both marginals are hard, defined up to a constant. */
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** The plan. */
  readonly cost: Plan;
  /** [n, d] and [m, d], for a problem of points. */
  readonly x?: FloatArray;
  readonly y?: FloatArray;
}

/** What the balanced and the unbalanced solver return. */
export interface EntropicResult {
  /** [n] potentials in units of the cost, f64; −∞ where a is 0. */
  readonly f: Float64Array;
  /** [m] */
  readonly g: Float64Array;
  readonly value: number;
  /** ⟨P, C⟩ */
  readonly transportCost: number;
  /**
   * L1 error of both marginals, recomputed in f64 from the potentials; for f32 costs and tolerances from 1e-5 on the plan's entries are
   * rounded to f32, which moves it by at most 5e-7 of the mass.
   */
  readonly error: number;
  readonly iterations: number;
  readonly converged: boolean;
  /** [n, m] row-major in the precision of the cost, made on every call. */
  plan(): Plan;
  /** Gradients of `value`, made on every call. */
  gradients(): Gradients;
}

/** Adds what is made on demand. `penalty` are the KL penalties of the marginals. */
export function outcome<T extends Omit<EntropicResult, 'plan' | 'gradients'>>(
  setting: Setting,
  epsilon: number,
  penalty: readonly [number, number],
  result: T,
): T & EntropicResult {
  const { a, b, make } = setting;
  const { f, g } = result;
  const plan = () => planFrom(make, a, b, f, g, epsilon);
  return {
    ...result,
    plan,
    gradients: () => {
      const points = setting.points && pointGradients(setting, f, g, epsilon);
      return { ...weightGradients(setting, f, g, epsilon, penalty), cost: plan(), ...(points ?? {}) };
    },
  };
}

/**
 * Derivative with respect to the weights: f for a hard marginal, else ρ(1 − e^(−f/ρ)) + ε(Σb − e^(−f/ρ)) with P·1 = a·e^(−f/ρ).
 * −∞ at a weight of 0.
 */
export function weightGradients(
  { a, b }: Setting,
  f: Float64Array,
  g: Float64Array,
  epsilon: number,
  [one, two]: readonly [number, number],
): { a: Float64Array; b: Float64Array } {
  const [massA, massB] = [total(a), total(b)];
  const side = (potential: Float64Array, rho: number, other: number) =>
    rho === Infinity
      ? potential.map((x) => x + epsilon * (other - 1))
      : potential.map((x) => {
          const kept = exp(-x / rho);
          return x === -Infinity ? -Infinity : rho * (1 - kept) + epsilon * (other - kept);
        });
  return { a: side(f, one, massB), b: side(g, two, massA) };
}
