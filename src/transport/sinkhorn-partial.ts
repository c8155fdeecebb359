// Entropic transport of part of the mass.

import { checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { gibbs } from '../kernels/gibbs.js';
import { exp as expOf, log } from '../kernels/scalar.js';
import { capped } from '../kernels/sinkhorn-scaling.js';
import type { Arena, F64, Real } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import { cappedNewton } from './capped-newton.js';
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
    const ascent = new Ascent(
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

/** Block ascent on scalings of K = exp((f + g + level − C)/ε), absorbed when they grow. */
class Ascent {
  readonly #arena: Arena;
  readonly #C: Real;
  readonly #F: F64;
  readonly #G: F64;
  readonly #b: Float64Array;
  readonly #mass: number;
  #epsilon: number;
  readonly #blocks: { K: F64; u: F64; v: F64; acc: F64; a: F64; stats: F64 };
  readonly #caps: readonly [F64, Float64Array];
  #level: number;
  /** e^(change of level/ε) since K was formed. */
  #price = 1;

  constructor(arena: Arena, C: Real, a: Float64Array, b: Float64Array, mass: number, epsilon: number) {
    const f64 = (length: number) => arena.zeros('f64', length);
    this.#arena = arena;
    this.#C = C;
    this.#b = b;
    this.#mass = mass;
    this.#epsilon = epsilon;
    this.#F = f64(a.length);
    this.#G = f64(b.length);
    let least = Infinity;
    for (const c of arena.view(C)) if (c < least) least = c;
    this.#level = least; // the largest entry of the first kernel matrix is 1
    this.#blocks = { K: f64(C.length), u: f64(a.length), v: f64(b.length), acc: f64(b.length), a: arena.put(a), stats: f64(4) };
    this.#caps = [f64(a.length), new Float64Array(b.length)];
    this.#form();
  }

  /** K from the potentials; a scaling may grow to where its potential would be 0. */
  #form(): void {
    const arena = this.#arena;
    const shifted = arena.view(this.#G);
    for (let j = 0; j < shifted.length; j++) shifted[j]! += this.#level / this.#epsilon;
    gibbs(this.#blocks.K, this.#F, this.#G, this.#C, this.#epsilon);
    for (let j = 0; j < shifted.length; j++) shifted[j]! -= this.#level / this.#epsilon;
    const [F, G, caps] = [arena.view(this.#F), shifted, arena.view(this.#caps[0])];
    for (let i = 0; i < caps.length; i++) caps[i] = Math.max(1, expOf(-F[i]!));
    for (let j = 0; j < G.length; j++) this.#caps[1][j] = Math.max(1, expOf(-G[j]!));
    arena.view(this.#blocks.u).fill(1);
    arena.view(this.#blocks.v).fill(1);
  }

  /** One iteration; returns the L1 change of the plan's marginals and what it lacks in mass. */
  step(): number {
    const arena = this.#arena;
    const { v, acc, stats } = this.#blocks;
    capped(this.#blocks, this.#caps[0]);
    const [scalings, sums] = [arena.view(v), arena.view(acc)];
    // The price t with Σ_j min(cap_j·t·sum_j, b_j) = mass: saturated columns from the cheapest threshold on.
    const capsV = this.#caps[1];
    const b = this.#b;
    const threshold = b.map((w, j) => (sums[j]! > 0 ? w / (capsV[j]! * sums[j]!) : Infinity));
    const order = Array.from(b.keys()).sort((p, q) => (threshold[p]! < threshold[q]! ? -1 : threshold[p]! > threshold[q]! ? 1 : p - q));
    // Sums of what is still open, from the far end: subtracting the saturated ones instead would cancel.
    const open = new Float64Array(order.length + 1);
    for (let k = order.length - 1; k >= 0; k--) open[k] = open[k + 1]! + capsV[order[k]!]! * sums[order[k]!]!;
    let [full, t] = [0, Infinity];
    for (const [k, j] of order.entries()) {
      t = (this.#mass - full) / open[k]!;
      if (t <= threshold[j]!) break;
      full += b[j]!;
      t = threshold[j]!;
    }
    if (!(t > 0 && t < Infinity)) t = this.#price;
    let [error, widest, moved] = [arena.view(stats)[0]!, arena.view(stats)[2]!, 0];
    for (let j = 0; j < scalings.length; j++) {
      const wanted = Math.min(capsV[j]! * t, sums[j]! > 0 ? b[j]! / sums[j]! : Infinity);
      const next = wanted < Infinity ? wanted : scalings[j]!;
      error += Math.abs(next - scalings[j]!) * sums[j]!;
      moved += next * sums[j]!;
      scalings[j] = next;
      widest = Math.max(widest, next, 1 / next);
    }
    this.#price = t;
    if (!(widest < 1e100)) {
      this.finish();
      this.#form();
    }
    return error + Math.abs(moved - this.#mass);
  }

  /** A Newton step, where block ascent hardly moves. */
  accelerate(spread: number, tolerance: number): void {
    this.finish();
    const arena = this.#arena;
    const [a, C, epsilon] = [arena.take(this.#blocks.a), arena.view(this.#C), this.#epsilon];
    const problem = { a, b: this.#b, C, mass: this.#mass, epsilon, spread };
    const start = { F: arena.take(this.#F), G: arena.take(this.#G), level: this.#level / epsilon };
    const next = cappedNewton(problem, start, Math.max(1e-15, 1e-3 * tolerance));
    if (next) {
      arena.view(this.#F).set(next.F);
      arena.view(this.#G).set(next.G);
      this.#level = next.level * epsilon;
    }
    this.#form();
  }

  /** Keeps the potentials, changes ε. */
  rescale(epsilon: number): void {
    if (epsilon === this.#epsilon) return;
    this.finish();
    const ratio = this.#epsilon / epsilon;
    for (const X of [this.#F, this.#G]) {
      const x = this.#arena.view(X);
      for (let i = 0; i < x.length; i++) x[i]! *= ratio;
    }
    this.#epsilon = epsilon;
    this.#form();
  }

  /** Potentials in units of the cost. */
  finish(): { f: Float64Array; g: Float64Array; level: number } {
    const arena = this.#arena;
    const [F, G, u, v] = [arena.view(this.#F), arena.view(this.#G), arena.view(this.#blocks.u), arena.view(this.#blocks.v)];
    for (let i = 0; i < F.length; i++) F[i] = Math.min(0, F[i]! + log(u[i]!));
    for (let j = 0; j < G.length; j++) G[j] = Math.min(0, G[j]! + log(v[j]! / this.#price));
    this.#level += this.#epsilon * log(this.#price);
    this.#price = 1;
    u.fill(1);
    v.fill(1);
    return {
      f: arena.take(this.#F).map((x) => x * this.#epsilon),
      g: arena.take(this.#G).map((x) => x * this.#epsilon),
      level: this.#level,
    };
  }
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
