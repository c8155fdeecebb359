// A checked transport problem: weights, precision, and how to put its costs into an arena (whole, or without massless rows and columns).
import { checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { type FloatArray, type Precision, precisionOf } from '../core/tensor.js';
import type { Arena } from '../runtime/arena.js';
import { type CostFunction, isPointProblem, lengthOf, type Problem, readMatrix, readPoints, readWeights } from './problem.js';
import { type CostSource, denseSource, type Points, pointSource } from './source.js';
import { pickMatrix, pickPoints } from './support.js';

/** Puts costs into an arena. */
export type SourceMaker = (arena: Arena, rows?: Int32Array, cols?: Int32Array) => CostSource;

/** A checked problem. */
export interface Setting {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly precision: Precision;
  /** True when a weight vector was given as f32, whose totals agree to fewer digits. */
  readonly singleWeights: boolean;
  readonly make: SourceMaker;
  /** One measure against itself under a symmetric cost. */
  readonly symmetric?: boolean;
  /** The point sets behind the costs, if there are any. */
  readonly points?: { readonly x: Points; readonly y: Points; readonly costFunction: CostFunction };
}

/** Reads a problem by cost or by points, whose costs `lazy` makes by tiles. */
export function readProblem(problem: Problem, lazy?: boolean): Setting {
  if (typeof problem !== 'object' || problem === null)
    throw new ShapeError('problem: expected { cost, a?, b? } or { x, y, costFunction?, a?, b? }, got something else');
  const single = (w: unknown) => w !== undefined && precisionOf(w as FloatArray) === 'float32';
  const singleWeights = single(problem.a) || single(problem.b);
  if (isPointProblem(problem)) {
    const { x, y, costFunction } = readPoints(problem);
    const [a, b] = [readWeights('a', problem.a, x.rows), readWeights('b', problem.b, y.rows)];
    const make: SourceMaker = (arena, rows, cols) => pointSource(arena, pickPoints(x, rows), pickPoints(y, cols), costFunction, lazy);
    return { a, b, precision: precisionOf(x.data), singleWeights, make, points: { x, y, costFunction } };
  }
  const { data, rows, cols } = readMatrix('cost', problem.cost, {
    rows: lengthOf(problem.a),
    cols: lengthOf(problem.b),
    unchecked: true, // `denseSource` looks, in vectors
  });
  const [a, b] = [readWeights('a', problem.a, rows), readWeights('b', problem.b, cols)];
  const make: SourceMaker = (arena, keptRows, keptCols) =>
    denseSource(arena, pickMatrix(data, cols, keptRows, keptCols), keptRows?.length ?? rows, keptCols?.length ?? cols);
  return { a, b, precision: precisionOf(data), singleWeights, make };
}

/** Checks the numbers every entropic solver takes. */
export function checkSolver<M extends string>(
  { epsilon, tolerance, maxIterations, method }: { epsilon: number; tolerance: number; maxIterations: number; method?: M },
  methods?: readonly M[],
): void {
  checkPositive('epsilon', epsilon);
  if (!(tolerance >= 0)) checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 0);
  if (methods) checkOneOf('method', method, methods);
}
