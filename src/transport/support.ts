// From a checked problem to one without zero weights, and back: rows and columns without mass never enter an iteration.
import { type FloatArray, floats, precisionOf } from '../core/tensor.js';
import type { Points } from './source.js';

/** Indices of the weights > 0, or undefined when that is all of them. */
export function supportOf(weights: Float64Array): Int32Array | undefined {
  const kept: number[] = [];
  for (let i = 0; i < weights.length; i++) if (weights[i]! > 0) kept.push(i);
  return kept.length === weights.length ? undefined : Int32Array.from(kept);
}

/** The chosen elements; everything when there is no choice. */
export function pick<T extends Float64Array | Float32Array>(values: T, chosen: Int32Array | undefined): T {
  if (!chosen) return values;
  const out = floats(precisionOf(values), chosen.length) as T;
  for (let k = 0; k < chosen.length; k++) out[k] = values[chosen[k]!]!;
  return out;
}

/** The chosen rows and columns of a matrix. */
export function pickMatrix(data: FloatArray, cols: number, rows: Int32Array | undefined, columns: Int32Array | undefined): FloatArray {
  if (!rows && !columns) return data;
  const height = rows ? rows.length : data.length / cols;
  const width = columns ? columns.length : cols;
  const out = floats(precisionOf(data), height * width);
  for (let i = 0; i < height; i++) {
    const from = (rows ? rows[i]! : i) * cols;
    for (let j = 0; j < width; j++) out[i * width + j] = data[from + (columns ? columns[j]! : j)]!;
  }
  return out;
}

/** The chosen points. */
export function pickPoints({ data, rows, cols }: Points, chosen: Int32Array | undefined): Points {
  return { data: pickMatrix(data, cols, chosen, undefined), rows: chosen?.length ?? rows, cols };
}

/** Puts values back to their places; the others get `rest`. */
export function spread(values: Float64Array, chosen: Int32Array | undefined, length: number, rest: number): Float64Array {
  if (!chosen) return values;
  const out = new Float64Array(length).fill(rest);
  for (let k = 0; k < chosen.length; k++) out[chosen[k]!] = values[k]!;
  return out;
}
