import { asRecord, checkFinite, checkNotEmpty, checkRange } from '../core/check.js';
import { asFloats, type FloatArray, type NumberArray, precisionOf } from '../core/tensor.js';
import { pow } from '../kernels/scalar.js';
import { mergeSorted, orderRows, pairSorted } from '../kernels/wasserstein1d.js';
import type { Arena, I32, Real } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import { balance, checkProblem, readWeights } from './problem.js';

/** Two samples on a line. */
export interface LineProblem {
  /** [n] */
  readonly x: NumberArray;
  /** [m] */
  readonly y: NumberArray;
  /** [n] non-negative; uniform if left out */
  readonly a?: NumberArray;
  /** [m] non-negative, of a's total; uniform if left out */
  readonly b?: NumberArray;
}

export interface Wasserstein1dOptions {
  /** The exponent of |x − y|, ≥ 1 (1). */
  readonly p?: number;
}

export interface Wasserstein1dResult {
  /** W_p */
  readonly distance: number;
  /** W_p^p = Σ mass·|x − y|^p; every gradient is of this. */
  readonly power: number;
  /** [n], [m]; at p = 1 a subgradient, 0 where a pair coincides. */
  readonly gradX: Float64Array;
  readonly gradY: Float64Array;
  /** [n], [m]: dual potentials, Σ a·gradA + Σ b·gradB = power; unique up to a constant moved from one to the other. */
  readonly gradA: Float64Array;
  readonly gradB: Float64Array;
}

/**
 * Exact optimal transport on a line under |x − y|^p: sort both samples and couple them in order, O((n + m) log(n + m)).
 *
 * @param problem `x` [n], `y` [m]; `a`, `b` weights of one total (uniform)
 * @param options `p` ≥ 1 (1)
 * @returns `distance` W_p, `power` W_p^p with `gradX`, `gradY`, and `gradA`, `gradB` by the weights (mean of gradB over b > 0 is 0)
 * @throws {ShapeError} on empty samples or weights of another length; {DomainError} on NaN, p < 1, negative weights or unequal totals
 * @see Peyré & Cuturi 2019, Computational Optimal Transport, §2.6, arXiv:1803.00567
 */
export function wasserstein1d(problem: LineProblem, options: Wasserstein1dOptions = {}): Wasserstein1dResult {
  const { p = 1 } = asRecord('options', options);
  checkProblem('problem', problem, '{ x, y, a?, b? }');
  checkExponent(p);
  const x = readLine('x', problem.x);
  const y = readLine('y', problem.y);
  const uniform = problem.a === undefined && problem.b === undefined && x.length === y.length;
  const weights = uniform ? undefined : readSides(problem, x.length, y.length);
  return withArena((arena) => {
    const [points, others] = putBoth(arena, x, y);
    const [side, other] = [sorted(arena, points), sorted(arena, others)];
    const room = (like: FloatArray) => (weights ? arena.zeros('f64', like.length) : arena.alloc('f64', like.length));
    const out = { gx: room(x), gy: room(y), f: room(x), g: room(y) };
    const power = weights
      ? mergeSorted({ ...side, weights: arena.put(weights.a) }, { ...other, weights: arena.put(weights.b) }, p, out)
      : pairSorted(side, other, p, out);
    const [gradA, gradB] = [arena.take(out.f), arena.take(out.g)];
    if (weights) center(gradA, gradB, weights.b);
    return { distance: root(power, p), power, gradX: arena.take(out.gx), gradY: arena.take(out.gy), gradA, gradB };
  });
}

function sorted(arena: Arena, points: Real): { points: Real; order: I32 } {
  return { points, order: orderRows(arena, points, points.length) };
}

/** Both sides in one precision: that of x. */
export function putBoth(arena: Arena, x: FloatArray, y: FloatArray) {
  const precision = precisionOf(x);
  return [arena.putAs(precision, x), arena.putAs(precision, y)] as const;
}

/** Weights of both sides, of one total. */
export function readSides(problem: { a?: NumberArray; b?: NumberArray }, n: number, m: number): { a: Float64Array; b: Float64Array } {
  const a = readWeights('a', problem.a, n);
  const b = readWeights('b', problem.b, m);
  balance(
    a,
    b,
    [problem.a, problem.b].some((given) => given && precisionOf(given) === 'float32'),
  );
  return { a, b };
}

/** Throws unless p ≥ 1. */
export function checkExponent(p: number): void {
  checkRange('p', p, 1, Number.MAX_VALUE);
}

/** power^(1/p), the same bits in every runtime. */
export function root(power: number, p: number): number {
  if (p === 1) return power;
  return p === 2 ? Math.sqrt(power) : pow(power, 1 / p);
}

function readLine(name: string, value: unknown): FloatArray {
  const data = asFloats(name, value);
  checkNotEmpty(name, data);
  checkFinite(name, data);
  return data;
}

/** Moves a constant from g to f so that the mean of g over b > 0 is 0: the gauge of this area. */
export function center(f: Float64Array, g: Float64Array, b: Float64Array): void {
  let [sum, held] = [0, 0];
  for (let j = 0; j < g.length; j++) {
    if (!(b[j]! > 0)) continue;
    sum += g[j]!;
    held++;
  }
  const mean = sum / held;
  for (let i = 0; i < f.length; i++) f[i]! += mean;
  for (let j = 0; j < g.length; j++) g[j]! -= mean;
}
