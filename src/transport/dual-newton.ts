// Newton's method on the dual of a small entropic problem whose Sinkhorn iterations hardly move: at ε small against the costs their rate
// tends to 1 exponentially, while Newton's does not depend on it. The larger side is eliminated in closed form.
import { exp, log } from '../kernels/scalar.js';
import type { Potentials } from './potentials.js';
import { total } from './problem.js';

/** Problems up to this smaller side are worth linear systems. */
const largestSide = 128;
/** A step may leave this share of the slope along its direction. */
const slopeLeft = 0.3;

/** Plain iterations that cost as much as a few Newton steps: the patience before they are tried; Infinity where they never are. */
export function newtonPatience(rows: number, cols: number): number {
  const small = Math.min(rows, cols);
  return small <= largestSide && Math.max(rows, cols) <= 16 * largestSide ? 100 + 8 * small : Infinity;
}

/** A point of the semi-dual: rows of the plan (large side first), the eliminated potential, and what the kept marginal lacks. */
interface Point {
  readonly X: Float64Array;
  readonly eliminated: Float64Array;
  readonly plan: Float64Array;
  readonly gradient: Float64Array;
  readonly wanted: Float64Array;
  readonly error: number;
}

/** One semi-dual: kept potentials X [m] in, eliminated ones [n] out. */
class SemiDual {
  readonly #cost: ArrayLike<number>;
  readonly #strides: readonly [number, number];
  readonly #logs: readonly [Float64Array, Float64Array];
  readonly #kappa: number;
  readonly #soft: number;
  readonly #epsilon: number;

  constructor(p: Potentials, swap: boolean) {
    const { arena, source, la, lb, kappa, penalty, epsilon } = p;
    const [one, two] = swap ? [1, 0] : [0, 1];
    this.#cost = arena.view(source.dense!);
    this.#strides = swap ? [1, source.cols] : [source.cols, 1];
    this.#logs = swap ? [arena.take(lb), arena.take(la)] : [arena.take(la), arena.take(lb)];
    this.#kappa = kappa[one]!;
    this.#soft = epsilon / penalty[two]!; // 0 for a hard marginal
    this.#epsilon = epsilon;
  }

  at(X: Float64Array): Point {
    const [large, small] = this.#logs;
    const [n, m] = [large.length, small.length];
    const [down, right] = this.#strides;
    const plan = new Float64Array(n * m);
    const eliminated = new Float64Array(n);
    const sums = new Float64Array(m);
    for (let i = 0; i < n; i++) {
      let top = -Infinity;
      for (let j = 0; j < m; j++) {
        const x = X[j]! - this.#cost[i * down + j * right]! / this.#epsilon;
        plan[i * m + j] = x;
        if (x > top) top = x;
      }
      let rowSum = 0;
      for (let j = 0; j < m; j++) rowSum += plan[i * m + j] = exp(plan[i * m + j]! - top);
      const soft = top + log(rowSum);
      eliminated[i] = large[i]! - this.#kappa * soft;
      const scale = exp(eliminated[i]! + soft) / rowSum;
      for (let j = 0; j < m; j++) sums[j]! += plan[i * m + j]! *= scale;
    }
    const wanted = small.map((l, j) => exp(this.#soft === 0 ? l : l - this.#soft * (X[j]! - l)));
    const gradient = wanted.map((w, j) => w - sums[j]!);
    return { X, eliminated, plan, gradient, wanted, error: gradient.reduce((s, x) => s + Math.abs(x), 0) };
  }

  /** Newton's direction at a point; `ridge` is relative to the marginal. */
  direction({ plan, gradient, wanted }: Point, ridge: number): Float64Array {
    const kappas = new Float64Array(this.#logs[0].length).fill(this.#kappa);
    return newtonDirection(
      plan,
      kappas,
      wanted.map((w) => (this.#soft + ridge) * w),
      gradient,
    );
  }
}

/**
 * H d = gradient for H = diag(base + Σ_i (1 − κ_i) P_ij) + the Laplacian of the weights S_jk = Σ_i κ_i P_ij P_ik / r_i, by an elimination
 * without subtractions (Grassmann, Taksar & Heyman 1985): couplings far below the rounding of the diagonal keep their digits.
 */
export function newtonDirection(plan: Float64Array, kappas: Float64Array, base: Float64Array, gradient: Float64Array): Float64Array {
  const m = gradient.length;
  const S = new Float64Array(m * m);
  const extra = base.slice();
  for (const [i, kappa] of kappas.entries()) {
    const row = plan.subarray(i * m, (i + 1) * m);
    const mass = total(row);
    if (!(mass > 0)) continue;
    for (let j = 0; j < m; j++) {
      extra[j]! += (1 - kappa) * row[j]!;
      const weight = (kappa * row[j]!) / mass;
      if (weight > 0) for (let k = 0; k < j; k++) S[j * m + k]! += weight * row[k]!;
    }
  }
  for (let j = 0; j < m; j++) for (let k = 0; k < j; k++) S[k * m + j] = S[j * m + k]!;
  const d = gradient.slice();
  const pivots = new Float64Array(m);
  for (let p = m - 1; p >= 0; p--) {
    let pivot = extra[p]!;
    for (let k = 0; k < p; k++) pivot += S[p * m + k]!;
    pivots[p] = pivot;
    for (let j = 0; j < p; j++) {
      const share = S[j * m + p]! / pivot;
      if (share === 0) continue;
      extra[j]! += share * extra[p]!;
      d[j]! += share * d[p]!;
      for (let k = 0; k < p; k++) if (k !== j) S[j * m + k]! += share * S[p * m + k]!;
    }
  }
  for (let p = 0; p < m; p++) {
    for (let k = 0; k < p; k++) d[p]! += S[p * m + k]! * d[k]!;
    d[p]! /= pivots[p]!;
  }
  return d;
}

function inner(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/**
 * Raises the dual from the potentials as they are, one marginal exact, until the L1 error of the other is at most `tolerance`, `report`
 * returns false or `budget` steps are done. Directions are Newton's, no longer than the range of the potentials; along them the slope is
 * bisected to below 0.3 of what it was. Potentials that would come out worse than `error` or not finite are left as they were.
 */
export function dualNewton(
  p: Potentials,
  tolerance: number,
  error: number,
  budget: number,
  report: (error: number) => boolean,
): { done: number; error: number } {
  const { arena, source, F, G } = p;
  const swap = source.rows < source.cols;
  const dual = new SemiDual(p, swap);
  const [kept, other] = swap ? [F, G] : [G, F];
  const farthest = (2 * source.spread) / p.epsilon + 50;
  const mass = Math.min(total(arena.view(p.a)), total(arena.view(p.b)));
  const ridge = Math.max(1e-15, (1e-3 * tolerance) / mass);
  let here = dual.at(arena.take(kept));
  let done = 0;
  while (done < budget && here.error > tolerance) {
    const d = dual.direction(here, ridge);
    const longest = d.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const slope = inner(here.gradient, d);
    if (!(slope > 0 && longest < Infinity)) break;
    let [near, far, step] = [0, Infinity, Math.min(1, farthest / longest)];
    const from = here;
    for (let trial = 0; trial < 60; trial++) {
      const there = dual.at(from.X.map((x, j) => x + step * d[j]!));
      const left = inner(there.gradient, d);
      if (left > slopeLeft * slope && far < Infinity) near = step;
      else if (left >= -slopeLeft * slope && there.error < Infinity) {
        here = there;
        break;
      } else far = step;
      step = (near + far) / 2;
    }
    done++;
    if (here === from || !report(here.error)) break;
  }
  if (!(here.error < error)) return { done, error };
  arena.view(kept).set(here.X);
  arena.view(other).set(here.eliminated);
  return { done, error: here.error };
}
