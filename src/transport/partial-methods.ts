// Three ways down the dual of progressive partial transport.
import { log } from '../kernels/scalar.js';
import { Anderson } from './anderson.js';
import type { IterationInfo } from './entropic.js';
import type { PartialDual } from './partial-dual.js';

export interface DualOptions {
  readonly tolerance: number;
  readonly maxIterations: number;
  readonly lambda: number;
  readonly onIteration?: ((info: IterationInfo) => unknown) | undefined;
}
/** v [width] and its error. */
export interface DualSolution {
  readonly v: Float64Array;
  readonly error: number;
  readonly iterations: number;
  readonly converged: boolean;
}
export type DualMethod = (dual: PartialDual, start: Float64Array, options: DualOptions) => DualSolution;

function distance(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += Math.abs(x[j]! - y[j]!);
  return sum;
}

/** Steps are taken in single precision down to this error at least, which its rounding allows. */
const singleFloor = 3e-7;

/**
 * Damped Newton on Φ; each step by conjugate gradients on products with K, so that the Hessian is never formed. Along a step the slope
 * ⟨∇Φ, d⟩ of the convex Φ only grows: a step is taken unless its slope has turned clearly positive. Double precision takes over where
 * single precision has arrived, and decides about convergence.
 */
export const newton: DualMethod = (dual, start, { tolerance, maxIterations, lambda, onIteration }) => {
  const { epsilon, columns } = dual;
  const single = dual.single(start);
  let on = single;
  let iterations = 0;
  let [best, idle] = [{ v: start, error: distance(on.masses(start), on.wanted(start)) }, 0];
  for (let { v, error } = best; ; ) {
    if (on !== dual && (error <= Math.max(tolerance / 2, singleFloor) || idle > 0 || iterations >= maxIterations)) {
      on = dual;
      error = distance(on.masses(best.v), on.wanted(best.v));
      [v, best, idle] = [best.v, { v: best.v, error }, 0];
    }
    // Three steps without progress: the rounding floor of the precision.
    if (!(error > tolerance && iterations < maxIterations && idle < 3)) break;
    let [x, wanted] = [on.masses(v), on.wanted(v)];
    single.masses(v);
    const step = newtonStep(single, x, wanted, lambda, Math.min(0.1, Math.sqrt(error)));
    const slope = slopeAlong(step, x, wanted);
    let longest = 0;
    for (const d of step) longest = Math.max(longest, Math.abs(d));
    // No potential moves further than a hundred ε at once: far from the solution the quadratic model says little.
    let t = Math.min(1, (100 * epsilon) / longest);
    const from = v;
    for (let halvings = 0; halvings < 30; halvings++, t /= 2) {
      v = from.map((value, j) => (j < columns ? value + t * step[j]! : value));
      [x, wanted] = [on.masses(v), on.wanted(v)];
      if (slopeAlong(step, x, wanted) <= 0.3 * Math.abs(slope)) break;
    }
    error = distance(x, wanted);
    idle = error < 0.9 * best.error ? 0 : error < 1e-3 ? idle + 1 : 0;
    if (error < best.error) best = { v, error };
    iterations++;
    if (onIteration?.({ iteration: iterations, error, epsilon }) === false) maxIterations = iterations;
  }
  return { ...best, iterations, converged: best.error <= tolerance };
};

/** ⟨∇Φ, d⟩ on the real columns. */
function slopeAlong(d: Float64Array, x: Float64Array, wanted: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < d.length; j++) sum += d[j]! * (x[j]! - wanted[j]!);
  return sum;
}

/** −H⁻¹(x − wanted) on the real columns, to a relative residual; Jacobi preconditioned. */
function newtonStep(dual: PartialDual, x: Float64Array, wanted: Float64Array, lambda: number, forcing: number): Float64Array {
  const n = dual.columns;
  // The diagonal without its quadratic part; the penalty's share keeps columns in play that hold no mass yet.
  const inverse = Float64Array.from(
    { length: n },
    (_, j) => 1 / (x[j]! / dual.epsilon + wanted[j]! * Math.max(1 / lambda, 1e-3 / dual.epsilon)),
  );
  const d = new Float64Array(n);
  const r = Float64Array.from({ length: n }, (_, j) => wanted[j]! - x[j]!);
  const z = r.map((value, j) => value * inverse[j]!);
  const p = z.slice();
  let rz = r.reduce((sum, value, j) => sum + value * z[j]!, 0);
  const goal = forcing * forcing * rz;
  const multiply = dual.hessian(x, wanted);
  for (let k = 0; k < n + 10 && rz > goal; k++) {
    const Hp = multiply(p);
    const curvature = p.reduce((sum, value, j) => sum + value * Hp[j]!, 0);
    if (!(curvature > 0)) {
      // No curvature in single precision, as where every sample has its column: as far downhill as a step may go, halved from there.
      if (k === 0) for (let j = 0; j < n; j++) d[j] = p[j]! / Number.EPSILON;
      break;
    }
    const alpha = rz / curvature;
    for (let j = 0; j < n; j++) {
      d[j]! += alpha * p[j]!;
      r[j]! -= alpha * Hp[j]!;
      z[j] = r[j]! * inverse[j]!;
    }
    const next = r.reduce((sum, value, j) => sum + value * z[j]!, 0);
    for (let j = 0; j < n; j++) p[j] = z[j]! + (next / rz) * p[j]!;
    rz = next;
  }
  return d;
}

/** What a column counts for that holds less than numbers do: it comes back into their range within a few updates. */
const nothing = 1e-30;

/** The published update of ε·log b: b ← (β̂/(Mᵀa))^f, f = λ/(λ + ε) on the real columns and 1 on the virtual one. */
function image(dual: PartialDual, v: Float64Array, x: Float64Array, prior: Float64Array, lambda: number): Float64Array {
  const { epsilon, columns, mass } = dual;
  const f = lambda === Infinity ? 1 : lambda / (lambda + epsilon);
  return v.map((value, j) => {
    const target = j < columns ? mass * prior[j]! : 1 - mass;
    const next = value + epsilon * (log(target) - log(x[j]! > 0 ? x[j]! : nothing));
    return (j < columns ? f : 1) * next;
  });
}

/** The published scaling iteration, as printed. */
export const scalingMethod =
  (prior: Float64Array): DualMethod =>
  (dual, start, { tolerance, maxIterations, lambda, onIteration }) => {
    let v: Float64Array = start.slice();
    for (let iterations = 0; ; iterations++) {
      const x = dual.masses(v);
      const error = distance(x, dual.wanted(v));
      const stopped = iterations > 0 && onIteration?.({ iteration: iterations, error, epsilon: dual.epsilon }) === false;
      if (error <= tolerance || iterations >= maxIterations || stopped) return { v, error, iterations, converged: error <= tolerance };
      v = image(dual, v, x, prior, lambda);
    }
  };

/** Plain steps after a first restart; twice as many after every further one. */
const plainSteps = 4;
/** Steps without a new least error: on a plateau far away, where columns are empty, errors do not grow either. */
const stalled = 20;

/**
 * The published iteration accelerated. Where the error is four times the least one, or that stands for 20 steps, it starts over from there,
 * by plain steps first.
 */
export const andersonMethod =
  (prior: Float64Array): DualMethod =>
  (dual, start, { tolerance, maxIterations, lambda, onIteration }) => {
    const anderson = new Anderson(6);
    let v: Float64Array = start.slice();
    let best = Infinity;
    let bestImage: Float64Array = v;
    let [plainLeft, patience, since] = [0, plainSteps, 0];
    for (let iterations = 0; ; iterations++) {
      const x = dual.masses(v);
      const error = distance(x, dual.wanted(v));
      const stopped = iterations > 0 && onIteration?.({ iteration: iterations, error, epsilon: dual.epsilon }) === false;
      if (error <= tolerance || iterations >= maxIterations || stopped) return { v, error, iterations, converged: error <= tolerance };
      const plain = image(dual, v, x, prior, lambda);
      if (error < best) {
        best = error;
        bestImage = plain;
        since = 0;
      } else if (!(error < 4 * best) || (plainLeft <= 0 && ++since >= stalled)) {
        anderson.restart();
        v = bestImage;
        best = Infinity;
        [plainLeft, since] = [patience, 0];
        patience *= 2;
        continue;
      }
      v = plainLeft-- > 0 ? plain : anderson.next(v, plain);
    }
  };
