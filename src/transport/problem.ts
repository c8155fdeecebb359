// Reading transport problems: weights, cost matrices and point sets, checked by name before any work starts.
import { checkFinite, checkOneOf } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { asFloats, describe, type FloatArray, isFloatArray, isTypedArray, type NumberArray, type TensorLike } from '../core/tensor.js';

/** A matrix: a tensor with two extents, rows as nested arrays, or flat row-major numbers where the shape follows from elsewhere. */
export type Matrix = TensorLike | NumberArray | readonly (readonly number[] | FloatArray)[];
/** Ground costs between points: |x−y|², |x−y|, 1 − cos(x, y), or |x−y|²/2 (the one under which maps are gradients of convex functions). */
export const costFunctions = ['sqeuclidean', 'euclidean', 'cosine', 'half-sqeuclidean'] as const;
export type CostFunction = (typeof costFunctions)[number];

/** Transport under a given cost. */
export interface CostProblem {
  /** [n, m] row-major */
  readonly cost: Matrix;
  /** [n] non-negative; uniform with total 1 if left out */
  readonly a?: NumberArray;
  /** [m] non-negative; uniform with total 1 if left out */
  readonly b?: NumberArray;
}
/** Transport between two point sets. */
export interface PointProblem {
  /** [n, d] */
  readonly x: Matrix;
  /** [m, d] */
  readonly y: Matrix;
  readonly costFunction?: CostFunction;
  readonly a?: NumberArray;
  readonly b?: NumberArray;
}
export type Problem = CostProblem | PointProblem;

/** Flat numbers with their extents. */
export interface ReadMatrix {
  readonly data: FloatArray;
  readonly rows: number;
  readonly cols: number;
}

/** Reads a matrix by name. Flat numbers need `rows` or `cols`; with neither they are taken as square. `unchecked` leaves NaN to the caller. */
export function readMatrix(
  name: string,
  value: unknown,
  known: { rows?: number | undefined; cols?: number | undefined; unchecked?: boolean } = {},
): ReadMatrix {
  let { rows, cols } = known;
  let data: FloatArray;
  const candidate = value as { data?: unknown; shape?: readonly number[]; dims?: readonly number[] } | null | undefined;
  const shape = candidate && !Array.isArray(value) ? (candidate.shape ?? candidate.dims) : undefined;
  if (Array.isArray(shape) && candidate?.data !== undefined) {
    if (shape.length !== 2) throw new ShapeError(`${name}: expected a matrix with two extents, got shape [${shape.join(', ')}]`);
    data = asFloats(name, candidate.data);
    const [n, m] = shape as [number, number];
    if ((rows !== undefined && rows !== n) || (cols !== undefined && cols !== m))
      throw new ShapeError(`${name}: expected shape [${rows ?? 'any'}, ${cols ?? 'any'}], got [${n}, ${m}]`);
    rows = n;
    cols = m;
  } else if (Array.isArray(value) && value.length > 0 && (Array.isArray(value[0]) || isTypedArray(value[0]))) {
    const lines = value as ArrayLike<number>[];
    cols ??= lines[0]!.length;
    rows ??= lines.length;
    if (rows !== lines.length) throw new ShapeError(`${name}: expected ${rows} rows, got ${lines.length}`);
    data = new Float64Array(rows * cols);
    for (let i = 0; i < rows; i++) {
      if (lines[i]!.length !== cols) throw new ShapeError(`${name}: expected ${cols} columns in row ${i}, got ${lines[i]!.length}`);
      data.set(lines[i]!, i * cols);
    }
  } else {
    data = asFloats(name, value);
    if (rows === undefined && cols === undefined) {
      rows = cols = Math.round(Math.sqrt(data.length));
      if (rows * rows !== data.length)
        throw new ShapeError(`${name}: expected a tensor { data, shape }, weights, or a square matrix, got ${describe(value)}`);
    }
    rows ??= cols! === 0 ? 0 : data.length / cols!;
    cols ??= rows === 0 ? 0 : data.length / rows;
  }
  if (rows * cols !== data.length)
    throw new ShapeError(`${name}: expected ${rows} x ${cols} = ${rows * cols} elements, got ${data.length}`);
  if (data.length === 0) throw new ShapeError(`${name}: expected at least one element, got none`);
  if (!known.unchecked) checkFinite(name, data);
  return { data, rows, cols };
}

/** Reads weights by name as f64: finite, non-negative, not all zero; uniform with total 1 when left out. */
export function readWeights(name: string, value: unknown, length: number): Float64Array {
  if (value === undefined) return new Float64Array(length).fill(1 / length);
  const given = asFloats(name, value);
  if (given.length === 0) throw new ShapeError(`${name}: expected at least one weight, got none`);
  if (given.length !== length) throw new ShapeError(`${name}: expected ${length} weights, got ${given.length}`);
  let total = 0;
  for (let i = 0; i < length; i++) {
    const weight = given[i] as number;
    if (!(weight >= 0 && weight < Infinity)) throw new DomainError(`${name}: expected numbers >= 0, got ${weight} at index ${i}`);
    total += weight;
  }
  if (!(total > 0)) throw new DomainError(`${name}: expected at least one weight > 0, got only zeros`);
  return Float64Array.from(given);
}

/** The number of entries of an optional weight vector, for matrices without a shape. */
export function lengthOf(value: unknown): number | undefined {
  return (value as ArrayLike<number> | null | undefined)?.length;
}

/** Σ of the weights. */
export function total(weights: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i] as number;
  return sum;
}

/** Throws unless two totals agree to a relative 1e-6 (1e-4 for f32 weights), then rescales b onto a's total. */
export function balance(a: Float64Array, b: Float64Array, single: boolean): void {
  const [one, two] = [total(a), total(b)];
  const slack = single ? 1e-4 : 1e-6;
  if (Math.abs(one - two) > slack * Math.max(one, two))
    throw new DomainError(`b: expected the total of a (${one}), got ${two}; rescale, or use sinkhornUnbalanced or sinkhornPartial`);
  for (let j = 0; j < b.length; j++) b[j]! *= one / two;
}

/** Throws unless a problem is an object with `fields`. */
export function checkProblem(name: string, value: unknown, fields: string): void {
  if (typeof value !== 'object' || value === null) throw new ShapeError(`${name}: expected ${fields}, got ${describe(value)}`);
}

/** True for a problem given by points. */
export function isPointProblem(problem: Problem): problem is PointProblem {
  return (problem as PointProblem).x !== undefined || (problem as PointProblem).y !== undefined;
}

/** Reads both point sets and the name of their ground cost. */
export function readPoints(problem: PointProblem): { x: ReadMatrix; y: ReadMatrix; costFunction: CostFunction } {
  const { costFunction = 'sqeuclidean' } = problem;
  checkOneOf('costFunction', costFunction, costFunctions);
  const line = (value: unknown) => (isFloatArray(value) || (Array.isArray(value) && typeof value[0] === 'number') ? 1 : undefined);
  const x = readMatrix('x', problem.x, { rows: lengthOf(problem.a), cols: problem.a ? undefined : line(problem.x) }); // flat: points on a line
  const y = readMatrix('y', problem.y, { rows: lengthOf(problem.b), cols: x.cols });
  return { x, y, costFunction };
}
