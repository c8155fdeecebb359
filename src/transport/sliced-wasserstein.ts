import { asRecord, checkInteger } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { type FloatArray, type NumberArray, precisionOf } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { mergeSorted, orderRows, pairSorted } from '../kernels/wasserstein1d.js';
import { type Arena, type F64, type Real, slice } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import { checkProblem, type Matrix, type ReadMatrix, readMatrix } from './problem.js';
import { center, checkExponent, readSides, root } from './wasserstein1d.js';

/** Two point sets in the same space. */
export interface CloudProblem {
  /** [n, d] */
  readonly x: Matrix;
  /** [m, d] */
  readonly y: Matrix;
  /** [n] non-negative; uniform if left out */
  readonly a?: NumberArray;
  /** [m] non-negative, of a's total; uniform if left out */
  readonly b?: NumberArray;
}

export interface SlicedOptions {
  /** The exponent of |x − y|, ≥ 1 (2). */
  readonly p?: number;
  /** Unit vectors, one a row [directions, d]; drawn uniformly from the sphere when left out. */
  readonly directions?: Matrix;
  /** How many directions to draw (50). */
  readonly projections?: number;
  /** Start of the draws (0). */
  readonly seed?: number;
}

export interface SlicedResult {
  /** (mean over directions of W_p^p)^(1/p) */
  readonly distance: number;
  /** distance^p; the gradients are of this. */
  readonly power: number;
  /** [n, d] and [m, d], row-major. */
  readonly gradX: Float64Array;
  readonly gradY: Float64Array;
  /** [n] and [m]: by the weights; unique up to a constant moved from one to the other, mean of gradB over b > 0 is 0. */
  readonly gradA: Float64Array;
  readonly gradB: Float64Array;
  /** W_p^p along each direction. */
  readonly powers: Float64Array;
}

/** Points, weights and directions, read and checked. */
export interface Slices {
  readonly x: ReadMatrix;
  readonly y: ReadMatrix;
  readonly a: Float64Array;
  readonly b: Float64Array;
  /** [count, d], row-major, unit rows */
  readonly directions: Float64Array;
  readonly count: number;
  readonly p: number;
}

/**
 * Sliced Wasserstein distance: the mean over directions of the transport cost between the projections, each exact by sorting.
 *
 * @param problem `x` [n, d], `y` [m, d]; `a`, `b` weights of one total (uniform)
 * @param options `p` ≥ 1 (2); `directions` [L, d] (normalised here), or `projections` (50) drawn from `seed` (0)
 * @returns `distance`, `power` = distance^p with `gradX`, `gradY`, `gradA`, `gradB`, and `powers` along each direction
 * @throws {ShapeError} when extents differ or a set is empty; {DomainError} on NaN, p < 1, a zero direction or unequal totals
 * @see Bonneel, Rabin, Peyré & Pfister 2015, Sliced and Radon Wasserstein Barycenters, §3
 */
export function slicedWasserstein(problem: CloudProblem, options: SlicedOptions = {}): SlicedResult {
  const slices = readSlices(problem, options);
  const { x, y, count, p } = slices;
  return withArena((arena) => {
    const along = project(arena, slices, slices.directions, count);
    let power = 0;
    for (const value of along.powers) power += value / count;
    const [gradX, gradY] = [back(arena, along.gx, x, slices.directions, count), back(arena, along.gy, y, slices.directions, count)];
    const [gradA, gradB] = weightMeans(arena, along, slices, count);
    return { distance: root(power, p), power, gradX, gradY, gradA, gradB, powers: along.powers };
  });
}

/** Reads a sliced problem by name. */
export function readSlices(problem: CloudProblem, options: SlicedOptions): Slices {
  const { p = 2, projections = 50, seed = 0 } = asRecord('options', options);
  checkProblem('problem', problem, '{ x, y, a?, b? }');
  checkExponent(p);
  checkInteger('projections', projections, 1);
  const x = readMatrix('x', problem.x);
  const y = readMatrix('y', problem.y, { cols: x.cols });
  const { a, b } = readSides(problem, x.rows, y.rows);
  const d = x.cols;
  const given = options.directions === undefined ? undefined : readMatrix('directions', options.directions, { cols: d });
  const directions = given ? Float64Array.from(given.data) : new Random(seed).fill(new Float64Array(projections * d));
  const count = directions.length / d;
  for (let row = 0; row < count; row++) normalize(directions.subarray(row * d, (row + 1) * d), row);
  return { x, y, a, b, directions, count, p };
}

/** Scales a direction to length 1. @throws {DomainError} when it is zero */
export function normalize(direction: Float64Array, row: number): void {
  let square = 0;
  for (const v of direction) square += v * v;
  if (!(square > 0)) throw new DomainError(`directions: expected non-zero rows, got zeros in row ${row}`);
  const scale = 1 / Math.sqrt(square);
  for (let k = 0; k < direction.length; k++) direction[k]! *= scale;
}

/** W_p^p along each direction with its derivatives by the projected points and its dual potentials, [count, n] and [count, m]. */
export interface Projected {
  readonly powers: Float64Array;
  readonly gx: F64;
  readonly gy: F64;
  readonly f: F64;
  readonly g: F64;
}

/** Projects on the directions and solves every line. */
export function project(arena: Arena, slices: Slices, directions: Float64Array, count: number): Projected {
  const { x, y, a, b, p } = slices;
  const precision = precisionOf(x.data);
  const axes = arena.putAs(precision, directions);
  const lines = (points: ReadMatrix): Real => {
    const out = arena.real(precision, count * points.rows);
    gemm(count, points.rows, points.cols, axes, arena.putAs(precision, points.data as FloatArray), out, { transB: true });
    return out;
  };
  const [px, py] = [lines(x), lines(y)];
  const [ox, oy] = [orderRows(arena, px, x.rows), orderRows(arena, py, y.rows)];
  const [wa, wb] = [arena.put(a), arena.put(b)];
  const zeros = (rows: number) => arena.zeros('f64', count * rows);
  const [gx, gy, f, g] = [zeros(x.rows), zeros(y.rows), zeros(x.rows), zeros(y.rows)];
  const powers = new Float64Array(count);
  const uniform = x.rows === y.rows && a.every((weight) => weight === 1 / a.length) && b.every((weight) => weight === a[0]);
  for (let l = 0; l < count; l++) {
    const row = <B extends Parameters<typeof slice>[0]>(block: B, length: number) => slice(block, l * length, length) as B;
    const side = { points: row(px, x.rows), order: row(ox, x.rows) };
    const other = { points: row(py, y.rows), order: row(oy, y.rows) };
    const out = { gx: row(gx, x.rows), gy: row(gy, y.rows), f: row(f, x.rows), g: row(g, y.rows) };
    powers[l] = uniform ? pairSorted(side, other, p, out) : mergeSorted({ ...side, weights: wa }, { ...other, weights: wb }, p, out);
  }
  return { powers, gx, gy, f, g };
}

/** Mean over directions of the dual potentials: derivatives by the weights, in the gauge of this area. */
export function weightMeans(arena: Arena, { f, g }: Projected, { a, b }: Slices, count: number): [Float64Array, Float64Array] {
  const mean = (block: F64, length: number) => {
    const [out, view] = [new Float64Array(length), arena.view(block)];
    for (let l = 0; l < count; l++) for (let i = 0; i < length; i++) out[i]! += view[l * length + i]! / count;
    return out;
  };
  const [gradA, gradB] = [mean(f, a.length), mean(g, b.length)];
  center(gradA, gradB, b);
  return [gradA, gradB];
}

/** Derivatives by the projections [count, n] back to the points [n, d], mean over directions. */
export function back(arena: Arena, g: F64, points: ReadMatrix, directions: Float64Array, count: number): Float64Array {
  const out = arena.alloc('f64', points.rows * points.cols);
  gemm(points.rows, points.cols, count, g, arena.put(directions), out, { transA: true, alpha: 1 / count });
  return arena.take(out);
}
