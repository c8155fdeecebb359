// The driver of every entropic solver: a schedule of ε, iterations in one of two domains, over-relaxation, and a certificate at the end.

import { DomainError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import type { Precision } from '../core/tensor.js';
import type { Arena } from '../runtime/arena.js';
import type { Domain } from './domain.js';
import { dualNewton, newtonPatience } from './dual-newton.js';
import { LogDomain, SymmetricDomain } from './log-domain.js';
import { type Certificate, Potentials } from './potentials.js';
import { Relaxation } from './relaxation.js';
import { ScalingDomain } from './scaling-domain.js';
import type { CostSource } from './source.js';

export const sinkhornMethods = ['auto', 'scaling', 'log', 'stabilized'] as const;
export type SinkhornMethod = (typeof sinkhornMethods)[number];

/** What `onIteration` is told; returning false stops the solver. */
export interface IterationInfo {
  readonly iteration: number;
  readonly error: number;
  readonly epsilon: number;
}

/** Options shared by the entropic solvers. */
export interface EntropicOptions {
  /** Entropic strength, in units of the cost (0.05). */
  readonly epsilon?: number;
  /**
   * 'scaling': plain iterations on one kernel matrix, absorbed only where a scaling would leave the range of its type; 'log': log domain,
   * one exponential per entry; 'stabilized': scalings absorbed into potentials early; 'auto' (default): stabilized, with ε-scaling and
   * over-relaxation where they pay. All but 'scaling' hand small problems that hardly move to Newton's method on the dual, whose steps count
   * as iterations; not under an `overRelaxation` of your own.
   */
  readonly method?: SinkhornMethod;
  /** L1 error of both marginals relative to the total mass (1e-6 for f64 costs, 1e-4 for f32). */
  readonly tolerance?: number;
  /** Full iterations (10 000). */
  readonly maxIterations?: number;
  /** Potentials of a similar problem, in units of the cost. */
  readonly warmStart?: { readonly f: ArrayLike<number>; readonly g: ArrayLike<number> };
  /** Start from a larger ε and shrink it; by default only in 'auto' and where ε is small against the costs. */
  readonly epsilonScaling?: boolean;
  /** ω in (0, 2), or 'auto' to learn it from the rate of convergence; 1 outside of method 'auto'. */
  readonly overRelaxation?: number | 'auto';
  /** Called after every full iteration (chunks of one, then); `false` stops. */
  readonly onIteration?: (info: IterationInfo) => unknown;
}

/** A problem in the arena: all weights > 0. */
export interface EntropicProblem {
  readonly source: CostSource;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly penalty: readonly [number, number];
  readonly tolerance: number;
  /** True when a = b and the cost is symmetric: one potential is enough. */
  readonly symmetric?: boolean;
}
export interface EntropicSolution extends Certificate {
  readonly f: Float64Array;
  readonly g: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
}

/** Reduction of ε from stage to stage, and the first one: costs within 1 % of their spread then matter. */
const stageFactor = 4;
const firstStage = 1 / 64;
/** Costs of so many ε are worth a schedule; costs of so many need exponents in f64. */
const scheduleFrom = 300;
const singleUpTo = 1000;
/** Newton steps in a row. */
const newtonSteps = 60;
/** Errors that single-precision sums can still tell, relative to the mass. */
const singleFloor = 4e-6;
/** Tolerances from here on are certified on entries rounded to f32, whose sums are off by a relative 5e-7 at most. */
const coarseFrom = 1e-5;

/** Solves one problem; the caller has checked the data. Never throws for lack of convergence, never returns NaN. */
export function solveEntropic(arena: Arena, problem: EntropicProblem, options: EntropicOptions): EntropicSolution {
  const { epsilon = 0.05, method = 'auto', maxIterations = 10_000, warmStart, onIteration } = options;
  const { source, a, b, penalty } = problem;
  const ratio = source.spread / epsilon;
  const { epsilonScaling = method === 'auto' && !warmStart && ratio > scheduleFrom, overRelaxation = method === 'auto' ? 'auto' : 1 } =
    options;
  const stages = epsilonScaling ? schedule(source.spread, epsilon) : [epsilon];
  const p = new Potentials(arena, source, a, b, penalty, stages[0]!, warmStart);
  const mass = Math.min(sum(a), sum(b));
  const goal = problem.tolerance * mass;
  const unbalanced = penalty[0] !== Infinity || penalty[1] !== Infinity;
  // A tolerance that no arithmetic reaches asks for exactly maxIterations, in the precision of the cost.
  const endless = problem.tolerance < 1e-14;
  // Nothing but what was asked for under a fixed ω or in the published form, nor where a tolerance asks for exactly maxIterations.
  const accelerates =
    method !== 'scaling' && options.overRelaxation === undefined && !problem.symmetric && source.dense !== undefined && !endless;
  let iterations = 0;
  let stopped = false;

  const run = (domain: Domain, tolerance: number, budget: number): number => {
    const relaxation = new Relaxation(overRelaxation);
    let error = Infinity;
    let since = 0;
    const end = Math.min(maxIterations, iterations + budget);
    let handover = accelerates && budget === Infinity ? iterations + newtonPatience(source.rows, source.cols) : Infinity;
    while (iterations < end && !(error <= tolerance) && !stopped) {
      const chunk = onIteration ? 1 : unbalanced ? Math.min(4, relaxation.window - since) : relaxation.window - since;
      const step = domain.iterate(Math.min(chunk, end - iterations), tolerance, relaxation.omega);
      iterations += step.done;
      error = step.error;
      if (step.stuck) return Infinity;
      if (unbalanced) domain.translate();
      since += step.done;
      if (since >= relaxation.window) {
        relaxation.observe(error, since);
        since = 0;
      }
      if (onIteration?.({ iteration: iterations, error, epsilon: p.epsilon }) === false) stopped = true;
      if (iterations < handover || iterations >= end || error <= tolerance || stopped) continue;
      // Too slow for its size: Newton steps, and once more after twice as many iterations should those not have ended it.
      domain.finish();
      let at = iterations;
      const newton = dualNewton(p, tolerance, error, Math.min(newtonSteps, end - iterations), (now) => {
        stopped = onIteration?.({ iteration: ++at, error: now, epsilon: p.epsilon }) === false;
        return !stopped;
      });
      iterations += newton.done;
      error = newton.error;
      handover = 2 * iterations;
      domain.start(true);
    }
    return error;
  };

  let work: Precision = source.precision;
  const log = method === 'log' || !source.dense || problem.symmetric;
  if (log && ratio > singleUpTo) work = 'float64';
  // Logarithms in f64 hold what no scaling can: rows and columns that a small penalty leaves without mass.
  let lastResort = false;
  const make = (): Domain => {
    if (problem.symmetric) return new SymmetricDomain(p, work);
    return log || lastResort ? new LogDomain(p, work) : new ScalingDomain(p, work, method !== 'scaling');
  };
  let domain = make();
  for (const [index, stage] of stages.entries()) {
    p.rescale(stage);
    domain.start(index === 0 && warmStart !== undefined);
    if (index < stages.length - 1) {
      run(domain, 0.02 * mass, 30);
      domain.finish();
    }
  }
  // The iterations stop by the errors they see; the certificate decides. Where it disagrees the target is tightened, in f64.
  const coarse = source.precision === 'float32' && (endless || problem.tolerance >= coarseFrom);
  let target = work === 'float32' && !endless ? Math.max(goal, singleFloor * mass) : goal;
  for (let round = 0; ; round++) {
    const error = run(domain, target, Infinity);
    domain.finish();
    const certificate = p.certify(coarse);
    const converged = certificate.error <= goal;
    const stuck = !(error < Infinity);
    if (converged || stopped || endless || round >= 5 || iterations >= maxIterations || (stuck && lastResort)) {
      return { ...finite(certificate, p), iterations, converged };
    }
    if (!stuck) target = target > goal ? goal : target / 3;
    lastResort ||= stuck;
    if (work === 'float32' || stuck) {
      work = 'float64';
      domain = make();
    }
    domain.start(true);
  }
}

/** ε from a hundredth of the spread down to its target, by a constant factor. */
export function schedule(spread: number, epsilon: number): number[] {
  const stages = [epsilon];
  while (stages[0]! * stageFactor < spread * firstStage) stages.unshift(stages[0]! * stageFactor);
  return stages;
}

function sum(values: Float64Array): number {
  let s = 0;
  for (const value of values) s += value;
  return s;
}

/** Potentials and certificate; a solver that could not go on reports an infinite error, never NaN. */
function finite(certificate: Certificate, p: Potentials): Omit<EntropicSolution, 'iterations' | 'converged'> {
  const { f, g } = p.unscaled();
  const good = (x: number) => (Number.isNaN(x) ? Infinity : x);
  return {
    f: f.map((x) => (Number.isNaN(x) ? 0 : x)),
    g: g.map((x) => (Number.isNaN(x) ? 0 : x)),
    error: good(certificate.error),
    transportCost: good(certificate.transportCost),
    mass: good(certificate.mass),
  };
}

/** Checks the options that entropic solvers share. @throws {DomainError} by name */
export function checkEntropicOptions(options: EntropicOptions): void {
  const { overRelaxation, warmStart } = readIterative(options);
  if (overRelaxation !== undefined && overRelaxation !== 'auto' && !(overRelaxation > 0 && overRelaxation < 2))
    throw new DomainError(`overRelaxation: expected 'auto' or a number in (0, 2), got ${overRelaxation}`);
  if (warmStart && !(warmStart.f?.length > 0 && warmStart.g?.length > 0))
    throw new DomainError('warmStart: expected potentials { f, g } of an earlier result, got something else');
}
