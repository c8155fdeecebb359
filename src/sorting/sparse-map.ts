// A map of rows to sparse probabilities, and its gradient: what sparsemax and entmax15 share.
import { type FloatArray, floats } from '../core/tensor.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows } from './rows.js';
import type { SoftResult } from './soft-rank.js';

export interface SparseResult<X> extends SoftResult<X> {
  /** Number of non-zero entries of every row. */
  readonly support: Int32Array;
}

/** One kind of map. */
export interface SparseMap {
  /** Probabilities of one row of scores, written to `values`; `top` is the largest score. */
  readonly fill: (values: FloatArray, scores: FloatArray, start: number, end: number, top: number) => void;
  /** The derivative of a probability by its own score, up to the share it has in the shift of all: 0 outside the support. */
  readonly slope: (value: number) => number;
}

/** Rows of probabilities, and how many of each are not 0. */
export function sparseRows(
  { data, rows, n, precision }: RowsOf<FloatArray>,
  { fill }: SparseMap,
): { values: FloatArray; support: Int32Array } {
  const values = floats(precision, data.length);
  const support = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const [start, end] = [row * n, (row + 1) * n];
    let top = -Infinity;
    for (let i = start; i < end; i++) top = Math.max(top, data[i] as number);
    fill(values, data, start, end, top);
    for (let i = start; i < end; i++) if ((values[i] as number) > 0) support[row] = (support[row] as number) + 1;
  }
  return { values, support };
}

/** The map of x with its gradient: slope·(grad − mean of grad under the slopes), by rows. */
export function sparseResult<X extends Rows>(x: X, map: SparseMap): SparseResult<X> {
  const input = readRows('x', x);
  const { values, support } = sparseRows(input, map);
  const slopes = Float64Array.from(values, map.slope);
  const backward = (given: Parameters<SoftResult<X>['backward']>[0]) => {
    const grad = readLike('grad', given, slopes.length, input.precision);
    const gx = floats(input.precision, slopes.length);
    for (let start = 0; start < gx.length; start += input.n) {
      let [along, sum] = [0, 0];
      for (let i = start; i < start + input.n; i++) {
        along += (slopes[i] as number) * (grad[i] as number);
        sum += slopes[i] as number;
      }
      for (let i = start; i < start + input.n; i++) {
        const slope = slopes[i] as number;
        if (slope > 0) gx[i] = slope * ((grad[i] as number) - along / sum);
      }
    }
    return giveBack<X, FloatArray>(input, gx);
  };
  return { values: giveBack<X, FloatArray>(input, values), support, backward };
}
