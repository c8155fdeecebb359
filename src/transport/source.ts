// Where a solver's costs come from: a matrix in the arena, or points whose costs are made tile by tile and forgotten.
import { checkFinite } from '../core/check.js';
import { MemoryError } from '../core/errors.js';
import { square } from '../core/square.js';
import { type FloatArray, floats, type Precision, precisionOf } from '../core/tensor.js';
import { pairCost } from '../kernels/cost.js';
import { extremes } from '../kernels/marginals.js';
import { type Arena, type F64, type Real, slice } from '../runtime/arena.js';
import type { CostFunction } from './problem.js';

/** Costs by tiles of whole rows. */
export interface CostSource {
  readonly rows: number;
  readonly cols: number;
  readonly precision: Precision;
  /** Upper bound of max C − min C. */
  readonly spread: number;
  /** The whole matrix, where it exists. */
  readonly dense: Real | undefined;
  /** Calls `work` on tiles from the first row to the last; a tile is valid during its call only. */
  each(work: (start: number, count: number, C: Real) => void): void;
}

/** Costs from a matrix, copied into the arena once. @throws {DomainError} when it holds NaN or infinity */
export function denseSource(arena: Arena, cost: FloatArray, rows: number, cols: number): CostSource {
  const dense = arena.put(cost);
  const { low, high } = extremes(dense);
  if (!Number.isFinite(low) || !Number.isFinite(high)) checkFinite('cost', cost);
  return { rows, cols, precision: precisionOf(cost), spread: high - low, dense, each: (work) => work(0, rows, dense) };
}

/** A point set of n rows, ready for cost kernels; cosine costs are ½|x̂ − ŷ|² of the normalised points. */
export interface Points {
  readonly data: FloatArray;
  readonly rows: number;
  readonly cols: number;
}

/** The factor before |x − y|² or |x − y| in a ground cost. */
export function scaleOf(costFunction: CostFunction): number {
  return costFunction === 'cosine' || costFunction === 'half-sqeuclidean' ? 0.5 : 1;
}

/** Points as their ground cost wants them: normalised for cosine, else as they are. */
export function prepare({ data, rows, cols }: Points, costFunction: CostFunction): Points {
  if (costFunction !== 'cosine') return { data, rows, cols };
  const unit = floats(precisionOf(data), data.length);
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let k = i * cols; k < (i + 1) * cols; k++) squares += square(data[k] as number);
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let k = i * cols; k < (i + 1) * cols; k++) unit[k] = (data[k] as number) * scale;
  }
  return { data: unit, rows, cols };
}

/** [rows, cols] → [cols, rows]. */
export function transpose<T extends FloatArray>(data: T, rows: number, cols: number): T {
  const out = data.slice() as T;
  for (let i = 0; i < rows; i++) for (let k = 0; k < cols; k++) out[k * rows + i] = data[i * cols + k] as number;
  return out;
}

/** Largest |x − y|² two point sets can have, from their bounding boxes. */
function squaredDiameter(x: Points, y: Points): number {
  let sum = 0;
  for (let k = 0; k < x.cols; k++) {
    let [low, high] = [Infinity, -Infinity];
    for (const { data, rows, cols } of [x, y]) {
      for (let i = 0; i < rows; i++) {
        const value = data[i * cols + k] as number;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    sum += square(high - low);
  }
  return sum;
}

/** Costs above this many bytes are made by tiles unless asked otherwise: half a gigabyte. */
export const DENSE_BYTES = 2 ** 29;
/** A tile stays in the second-level cache: half a megabyte. */
const TILE_BYTES = 2 ** 19;

/**
 * Costs between points. `lazy` keeps only one tile of rows in memory.
 * @throws {MemoryError} when the matrix is wanted whole and cannot fit
 */
export function pointSource(arena: Arena, x: Points, y: Points, costFunction: CostFunction, lazy?: boolean): CostSource {
  const precision = precisionOf(x.data);
  const width = precision === 'float32' ? 4 : 8;
  const bytes = x.rows * y.rows * width;
  const tiled = lazy ?? bytes > DENSE_BYTES;
  if (!tiled && bytes > 2 ** 32 - 2 ** 20)
    throw new MemoryError(`cost: expected at most 4 GiB, got ${x.rows} x ${y.rows} (${bytes} bytes); use lazy: true`);
  const d = x.cols;
  const [from, to] = [prepare(x, costFunction), prepare(y, costFunction)];
  const scale = scaleOf(costFunction);
  const root = costFunction === 'euclidean';
  const diameter = squaredDiameter(from, to);
  const spread = scale * (root ? Math.sqrt(diameter) : diameter);
  const X = arena.putAs(precision, from.data);
  const Yt = arena.putAs(precision, transpose(to.data, to.rows, d));
  const height = tiled ? Math.max(1, Math.min(x.rows, Math.floor(TILE_BYTES / (y.rows * width)))) : x.rows;
  const C = arena.real(precision, height * y.rows);
  const fill = (start: number, count: number): Real => {
    const tile = slice(C as F64, 0, count * y.rows);
    pairCost(tile, slice(X as F64, start * d, count * d), Yt, d, scale, root);
    return tile;
  };
  if (!tiled) {
    fill(0, x.rows);
    return { rows: x.rows, cols: y.rows, precision, spread, dense: C, each: (work) => work(0, x.rows, C) };
  }
  return {
    rows: x.rows,
    cols: y.rows,
    precision,
    spread,
    dense: undefined,
    each: (work) => {
      for (let start = 0; start < x.rows; start += height) {
        const count = Math.min(height, x.rows - start);
        work(start, count, fill(start, count));
      }
    },
  };
}
