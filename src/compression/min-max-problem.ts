// What minMaxDiscreteSolve is asked: the levels, the residual that follows every move, and how far a row can be moved.
import { clip, roundEven } from './fake-quantize.js';

/** Numbers low … high that stand for ascending values. */
export interface Levels {
  readonly low: number;
  readonly high: number;
  /** Greatest distance of two neighbours, and whether all are that far apart. */
  readonly widest: number;
  readonly even: boolean;
  nearest(value: number): number;
  value(level: number): number;
  /** value(to) − value(from). */
  gap(from: number, to: number): number;
}

/** Levels are kept as 32-bit integers. */
const farthest = 2147483647;

/** The multiples low … high of `step`, ties to even. */
export function evenLevels(step: number, low: number, high: number): Levels {
  const [least, most] = [clip(low, -farthest, farthest), clip(high, -farthest, farthest)];
  return {
    low: least,
    high: most,
    widest: step,
    even: true,
    nearest: (value) => clip(roundEven(value / step), least, most),
    value: (level) => step * level,
    gap: (from, to) => step * (to - from),
  };
}

/** The entries of an ascending table; in the middle of two the lower one. */
export function tableLevels(table: Float64Array): Levels {
  const value = (level: number): number => table[level] as number;
  let widest = 0;
  for (let l = 1; l < table.length; l++) widest = Math.max(widest, value(l) - value(l - 1));
  const nearest = (v: number): number => {
    let [a, b] = [0, table.length - 1]; // the answer is in a … b
    while (a < b) {
      const middle = (a + b) >> 1;
      if (v - value(middle) <= value(middle + 1) - v) b = middle;
      else a = middle + 1;
    }
    return a;
  };
  return { low: 0, high: table.length - 1, widest, even: false, nearest, value, gap: (from, to) => value(to) - value(from) };
}

export interface MinMaxProblem {
  /** A column by column: a move reads one or two columns. */
  readonly columns: readonly Float64Array[];
  readonly levels: Levels;
  /** The residual at all values 0. */
  readonly offset: Float64Array;
  /** By how much one move, or a swap, can change |D_k| at most. */
  readonly reach: Float64Array;
}

export interface MinMaxState {
  readonly x: Int32Array;
  /** D = A·values − b. */
  readonly residual: Float64Array;
}

/** Columns and reaches of the problem. `b` [rows]; without it A·w. */
export function minMaxProblem(
  A: ArrayLike<number>,
  rows: number,
  w: ArrayLike<number>,
  levels: Levels,
  b?: ArrayLike<number>,
): MinMaxProblem {
  const n = w.length;
  const columns = Array.from({ length: n }, (_, j) => Float64Array.from({ length: rows }, (_, k) => A[k * n + j] as number));
  const offset = new Float64Array(rows);
  if (b) for (let k = 0; k < rows; k++) offset[k] = -(b[k] as number);
  else for (let j = 0; j < n; j++) add(offset, columns[j] as Float64Array, -(w[j] as number));
  const reach = new Float64Array(rows);
  for (let k = 0; k < rows; k++) {
    let [least, most] = [Infinity, -Infinity];
    for (const column of columns) {
      least = Math.min(least, column[k] as number);
      most = Math.max(most, column[k] as number);
    }
    // A swap changes row k by g·a_ki − h·a_kj: at most step·(max − min) when g = h = step, else each gap may be the other's or near 0.
    const pair = levels.even ? most - least : Math.max(most, 0) - Math.min(least, 0);
    reach[k] = levels.widest * Math.max(pair, most, -least, 0);
  }
  return { columns, levels, offset, reach };
}

/** The state at levels x, its residual computed afresh. */
export function stateAt({ columns, levels, offset }: MinMaxProblem, x: Int32Array): MinMaxState {
  const residual = offset.slice();
  for (let j = 0; j < x.length; j++) add(residual, columns[j] as Float64Array, levels.value(x[j] as number));
  return { x, residual };
}

/** Takes coordinate j `by` levels up; the residual follows in O(rows). */
export function move({ columns, levels }: MinMaxProblem, { x, residual }: MinMaxState, j: number, by: number): void {
  const from = x[j] as number;
  x[j] = from + by;
  add(residual, columns[j] as Float64Array, levels.gap(from, from + by));
}

/** max |D_k|. */
export function largest(residual: Float64Array): number {
  let top = 0;
  for (let k = 0; k < residual.length; k++) top = Math.max(top, Math.abs(residual[k] as number));
  return top;
}

/** ‖D‖₂². */
export function squares(residual: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < residual.length; k++) sum += (residual[k] as number) * (residual[k] as number);
  return sum;
}

function add(to: Float64Array, column: Float64Array, factor: number): void {
  for (let k = 0; k < to.length; k++) to[k] = (to[k] as number) + factor * (column[k] as number);
}
