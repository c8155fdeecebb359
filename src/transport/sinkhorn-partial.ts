// Entropic transport of part of the mass.

import { checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { gibbs } from '../kernels/gibbs.js';
import type { Real } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import { CappedAscent } from './capped-ascent.js';
import { newtonPatience } from './dual-newton.js';
import { type IterationInfo, schedule } from './entropic.js';
import type { Gradients } from './outcome.js';
import { asPlan, type Plan } from './plan.js';
import { gibbsGradients } from './point-gradient.js';
import { type Problem, total } from './problem.js';
import { checkSolver, readProblem, type Setting } from './setting.js';
import { pick, spread, supportOf } from './support.js';

export interface PartialOptions {
  /** Mass to move, at most the smaller total. */
  readonly mass: number;
  /** Entropic strength, in units of the cost (0.05). */
  readonly epsilon?: number;
  /** On the L1 violation of constraints and optimality relative to the mass (1e-6 for f64 costs, 1e-4 for f32). */
  readonly tolerance?: number;
  /** 10 000 */
  readonly maxIterations?: number;
  readonly onIteration?: (info: IterationInfo) => unknown;
}

export interface PartialResult {
  /** [n] ≤ 0 and [m] ≤ 0, in units of the cost: 0 where a marginal has slack, −∞ where a weight is 0. */
  readonly f: Float64Array;
  readonly g: Float64Array;
  /** The price of mass: P_ij = exp((f_i + g_j + level − C_ij)/ε). */
  readonly level: number;
  /** ⟨P, C⟩ + ε·Σ P (log P − 1) */
  readonly value: number;
  readonly transportCost: number;
  /** Mass of the plan. */
  readonly mass: number;
  /** L1 violation of the constraints and of complementary slackness. */
  readonly error: number;
  readonly iterations: number;
  readonly converged: boolean;
  plan(): Plan;
  /** Of `value`, made on every call; its derivative by `mass` is `level`. */
  gradients(): Gradients;
}

/**
 * Entropic partial transport: min ⟨P, C⟩ + ε·Σ P_ij (log P_ij − 1) over P ≥ 0 with P1 ≤ a, Pᵀ1 ≤ b, ΣP = mass. The reference measure is
 * counting (as in the literature on partial transport), not a⊗b. Exact block ascent on the dual: the rows, then columns and the price of
 * mass together; small problems that hardly move take Newton steps in between. `emd` with `mass` solves the problem without entropy.
 *
 * @param problem as for `sinkhorn`; totals may differ
 * @param options `mass` > 0, at most both totals; `epsilon` (0.05), `tolerance`, `maxIterations` (10 000), `onIteration`
 * @returns potentials ≤ 0, `level`, `value`, `transportCost`, `mass`, `error`, `iterations`, `converged`, `plan()`, `gradients()`
 * @throws {DomainError} when mass exceeds a total, epsilon ≤ 0, or weights are negative; {ShapeError} when lengths do not fit
 * @see Benamou, Carlier, Cuturi, Nenna & Peyré 2015, arXiv:1412.5154, §5
 */
export function sinkhornPartial(problem: Problem, options: PartialOptions): PartialResult {
  const setting = readProblem(problem, false);
  const { a, b, precision, make } = setting;
  const {
    mass,
    epsilon = 0.05,
    tolerance = precision === 'float32' ? 1e-4 : 1e-6,
    maxIterations = 10_000,
    onIteration,
  } = readIterative(options, '{ mass }');
  checkSolver({ epsilon, tolerance, maxIterations });
  checkMass(mass, a, b);
  const [rows, cols] = [supportOf(a), supportOf(b)];
  const [weightsA, weightsB] = [pick(a, rows), pick(b, cols)];
  const solved = withArena((arena) => {
    const source = make(arena, rows, cols);
    const stages = schedule(source.spread, epsilon);
    const ascent = new CappedAscent(
      arena,
      source.dense as Real,
      weightsA,
      weightsB,
      Math.min(mass, total(weightsA), total(weightsB)),
      stages[0]!,
    );
    let [iterations, error, stopped] = [0, Infinity, false];
    for (const stage of stages) {
      ascent.rescale(stage);
      const [goal, end] = stage === epsilon ? [tolerance, maxIterations] : [0.02, Math.min(maxIterations, iterations + 30)];
      const handover = stage === epsilon ? iterations + newtonPatience(source.rows, source.cols) : Infinity;
      for (error = Infinity; iterations < end && error > goal && !stopped; ) {
        if (iterations >= handover && tolerance >= 1e-14) ascent.accelerate(source.spread, tolerance);
        error = ascent.step() / mass;
        iterations++;
        stopped = onIteration?.({ iteration: iterations, error, epsilon: stage }) === false;
      }
    }
    return { ...ascent.finish(), error, iterations, converged: error <= tolerance };
  });
  const { f, g, level, error, iterations, converged } = solved;
  const full = { f: spread(f, rows, a.length, -Infinity), g: spread(g, cols, b.length, -Infinity) };
  const plan = () => countingPlan(setting, full.f, full.g, level, epsilon);
  const P = plan();
  const { transportCost, moved } = planTotals(setting, P);
  const dual = inner(weightsA, f) + inner(weightsB, g) + level * mass - epsilon * moved;
  const gradients = () => {
    const points = setting.points && gibbsGradients(setting, over(full.f, 0, epsilon), over(full.g, level, epsilon), epsilon);
    return { a: full.f, b: full.g, cost: plan(), ...(points ?? {}) };
  };
  return { ...full, level, value: dual, transportCost, mass: moved, error, iterations, converged, plan, gradients };
}

/** Throws unless `mass` can be taken out of both measures. */
export function checkMass(mass: unknown, a: Float64Array, b: Float64Array): asserts mass is number {
  checkPositive('mass', mass);
  const limit = Math.min(total(a), total(b));
  if (mass > limit * (1 + 1e-9)) throw new DomainError(`mass: expected at most the smaller total ${limit}, got ${mass}`);
}

function countingPlan({ make, a, b, precision }: Setting, f: Float64Array, g: Float64Array, level: number, epsilon: number): Plan {
  return withArena((arena) => {
    const source = make(arena);
    const out = arena.real(precision, a.length * b.length);
    gibbs(out, arena.put(over(f, 0, epsilon)), arena.put(over(g, level, epsilon)), source.dense as Real, epsilon);
    return asPlan(arena.take(out), a.length, b.length);
  });
}

/** (potential + shift)/ε */
function over(potential: Float64Array, shift: number, epsilon: number): Float64Array {
  return potential.map((x) => (x + shift) / epsilon);
}

function planTotals({ make }: Setting, plan: Plan): { transportCost: number; moved: number } {
  return withArena((arena) => {
    const cost = arena.view(make(arena).dense as Real);
    let [transportCost, moved] = [0, 0];
    for (let k = 0; k < plan.length; k++) {
      transportCost += plan[k]! * cost[k]!;
      moved += plan[k]!;
    }
    return { transportCost, moved };
  });
}

function inner(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
