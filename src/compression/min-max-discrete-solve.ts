import { checkFinite, checkInteger, checkLength, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { type OnIteration, readIterative } from '../core/iterations.js';
import { Random } from '../core/random.js';
import { asFloats, asTensor, isFloatArray, type NumberArray, type TensorLike } from '../core/tensor.js';
import { clip, roundEven } from './fake-quantize.js';

export interface MinMaxDiscreteSolveOptions {
  /** Distance of two levels. */
  readonly step: number;
  /** Least and greatest level, as multiples of the step (−127, 127). */
  readonly low?: number;
  readonly high?: number;
  /** Kicks after the first local search (100). */
  readonly iterations?: number;
  readonly seed?: number;
  /** Called after every kick with the least maximum so far; false stops the search there. */
  readonly onIteration?: OnIteration;
}

export interface MinMaxDiscreteSolveResult {
  readonly levels: Int32Array;
  /** step·levels. */
  readonly values: Float64Array;
  /** max_k |(A(values − w))_k|, and the same for the nearest levels. */
  readonly maximum: number;
  readonly rounded: number;
}

/** Largest rows of |D| that a move is tried on first. */
const watched = 100;

interface State {
  readonly x: Int32Array;
  /** D = A(step·x − w). */
  readonly residual: Float64Array;
}

/**
 * Discrete levels whose worst violation is least: min over x of max_k |A(step·x − w)|_k. Nearest rounding, then a search over single steps
 * and swaps (one level up here, one down there) that lower the maximum, then kicks of a few coordinates, drawn at random or by how much
 * they weigh in the worst rows, each followed by the search; what does not improve is undone. Residuals follow in O(rows) per move.
 *
 * @param A matrix [rows, n]: calibration inputs, or a frequency grid
 * @param w the numbers to approximate [n]
 * @param options `step`, `low` (−127), `high` (127), `iterations` (100), `seed` (0), `onIteration` (return false to stop)
 * @returns `levels`, `values`, `maximum` (never above `rounded`), `rounded`
 * @throws {ShapeError | DomainError} when shapes disagree or a value is out of range
 * @see Discrete Optimization of Min-Max Violation and its Applications Across Computational Sciences (DMMV), adaptive large neighbourhood search
 */
export function minMaxDiscreteSolve(A: TensorLike, w: NumberArray, options: MinMaxDiscreteSolveOptions): MinMaxDiscreteSolveResult {
  const { step, low = -127, high = 127, iterations = 100, seed = 0, onIteration } = readIterative(options, '{ step }');
  const { data, shape } = asTensor('A', A);
  const target = asFloats('w', w);
  checkPositive('step', step);
  checkInteger('low', low);
  checkInteger('high', high, low);
  checkInteger('iterations', iterations, 0);
  const [rows = 0, n = 0] = shape;
  if (shape.length !== 2 || rows === 0) throw new ShapeError(`A: expected a matrix [rows, n], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError('A: expected float32 or float64 numbers');
  checkLength('w', target, n);
  checkFinite('A', data);
  checkFinite('w', target);
  // Column by column: a move reads one or two columns.
  const columns = Array.from({ length: n }, (_, j) => Float64Array.from({ length: rows }, (_, k) => step * (data[k * n + j] as number)));

  const x = Int32Array.from(target, (v) => clip(roundEven(v / step), low, high));
  const residual = new Float64Array(rows);
  for (let j = 0; j < n; j++) add(residual, columns[j] as Float64Array, (x[j] as number) - (target[j] as number) / step);
  let best: State = { x, residual };
  const rounded = largest(residual);
  descend(best, columns, low, high);
  const random = new Random(seed);
  const kicked = Math.max(2, Math.ceil(n / 200));
  for (let i = 0; i < iterations && n > 0; i++) {
    const trial: State = { x: best.x.slice(), residual: best.residual.slice() };
    for (let c = 0; c < kicked; c++) {
      const j = i % 2 ? random.integer(n) : heaviest(trial, columns, random);
      const to = clip((trial.x[j] as number) + random.sign(), low, high);
      move(trial, columns, j, to - (trial.x[j] as number));
    }
    descend(trial, columns, low, high);
    if (largest(trial.residual) < largest(best.residual)) best = trial;
    if (onIteration?.({ iteration: i + 1, error: largest(best.residual) }) === false) break;
  }
  return { levels: best.x, values: Float64Array.from(best.x, (v) => step * v), maximum: largest(best.residual), rounded };
}

/** Single steps and swaps that lower the maximum, until none does. */
function descend(state: State, columns: readonly Float64Array[], low: number, high: number): void {
  const { x, residual } = state;
  const n = columns.length;
  for (let improved = true; improved; ) {
    improved = false;
    let top = largest(residual);
    let worst = worstRows(residual);
    const accept = (i: number, up: number, j: number): void => {
      move(state, columns, i, up);
      if (j >= 0) move(state, columns, j, -up);
      top = largest(residual);
      worst = worstRows(residual);
      improved = true;
    };
    for (let i = 0; i < n; i++) {
      for (const up of [1, -1]) {
        if ((x[i] as number) + up < low || (x[i] as number) + up > high) continue;
        if (lowers(residual, columns, worst, top, i, up, -1)) {
          accept(i, up, -1);
          break;
        }
      }
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (i === j || (x[i] as number) >= high || (x[j] as number) <= low) continue;
        if (lowers(residual, columns, worst, top, i, 1, j)) accept(i, 1, j);
      }
    }
  }
}

/** True when moving i by `up` (and j by −up, if j ≥ 0) brings every |D_k| below `top`; the worst rows are tried first. */
function lowers(
  residual: Float64Array,
  columns: readonly Float64Array[],
  worst: Int32Array,
  top: number,
  i: number,
  up: number,
  j: number,
): boolean {
  const a = columns[i] as Float64Array;
  const b = j < 0 ? undefined : columns[j];
  const limit = top * (1 - 1e-12);
  const exceeds = (k: number): boolean => {
    const v = (residual[k] as number) + up * ((a[k] as number) - (b ? (b[k] as number) : 0));
    return v >= limit || v <= -limit;
  };
  for (let q = 0; q < worst.length; q++) if (exceeds(worst[q] as number)) return false;
  for (let k = 0; k < residual.length; k++) if (exceeds(k)) return false;
  return true;
}

function move({ x, residual }: State, columns: readonly Float64Array[], j: number, by: number): void {
  x[j] = (x[j] as number) + by;
  add(residual, columns[j] as Float64Array, by);
}

function add(to: Float64Array, column: Float64Array, factor: number): void {
  for (let k = 0; k < to.length; k++) to[k] = (to[k] as number) + factor * (column[k] as number);
}

function largest(v: Float64Array): number {
  let top = 0;
  for (let k = 0; k < v.length; k++) {
    const size = (v[k] as number) < 0 ? -(v[k] as number) : (v[k] as number);
    if (size > top) top = size;
  }
  return top;
}

function worstRows(residual: Float64Array): Int32Array {
  const order = Int32Array.from(residual.keys());
  return order.sort((a, b) => Math.abs(residual[b] as number) - Math.abs(residual[a] as number) || a - b).slice(0, watched);
}

/** A coordinate drawn by how much its column weighs in the worst rows. */
function heaviest({ residual }: State, columns: readonly Float64Array[], random: Random): number {
  const rows = worstRows(residual).slice(0, 8);
  const weights = columns.map((column) =>
    rows.reduce((sum, k) => sum + Math.abs(column[k] as number) * Math.abs(residual[k] as number), 0),
  );
  let at = random.uniform() * weights.reduce((a, b) => a + b, 0);
  for (let j = 0; j < weights.length; j++) {
    at -= weights[j] as number;
    if (at < 0) return j;
  }
  return weights.length - 1;
}
