import { type FloatArray, floats } from '../core/tensor.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows } from './rows.js';
import type { SoftResult } from './soft-rank.js';

export interface SparseResult<X> extends SoftResult<X> {
  /** Number of non-zero entries of every row. */
  readonly support: Int32Array;
}

/**
 * Sparsemax: the Euclidean projection of every row on the simplex, max(x − τ, 0), with exact zeros.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @returns `values` that sum to 1 in the form of x, `support` per row, and `backward(grad)`: grad minus its mean on the support
 * @throws {DomainError} when x is not finite; {ShapeError} when a row is empty
 * @see Martins & Astudillo 2016, From softmax to sparsemax, arXiv:1602.02068, §2
 */
export function sparsemax<X extends Rows>(x: X): SparseResult<X> {
  const input = readRows('x', x);
  const { values, support } = simplexProjection(input);
  return {
    values: giveBack<X, FloatArray>(input, values),
    support,
    backward: (grad) => giveBack<X, FloatArray>(input, pull(values.slice(), readLike('grad', grad, values.length, input.precision), input)),
  };
}

/** Rows projected on the simplex. */
export function simplexProjection({ data, rows, n, precision }: RowsOf<FloatArray>): { values: FloatArray; support: Int32Array } {
  const values = floats(precision, data.length);
  const support = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    let top = -Infinity;
    for (let i = start; i < start + n; i++) top = Math.max(top, data[i] as number);
    // Only entries above max − 1 can be in the support. τ rises from there: each pass drops entries at or below τ for good,
    // and ends, exactly, when none is left to drop (Michelot 1986).
    let held: number[] = [];
    for (let i = start; i < start + n; i++) if ((data[i] as number) - top > -1) held.push((data[i] as number) - top);
    let tau = -1;
    for (;;) {
      tau = (held.reduce((a, b) => a + b, 0) - 1) / held.length;
      const above = held.filter((value) => value > tau);
      if (above.length === held.length) break;
      held = above;
    }
    for (let i = start; i < start + n; i++) values[i] = Math.max(0, (data[i] as number) - top - tau);
    for (let i = start; i < start + n; i++) if ((values[i] as number) > 0) support[row] = (support[row] as number) + 1;
  }
  return { values, support };
}

function pull(values: FloatArray, grad: FloatArray, { rows, n, precision }: RowsOf<FloatArray>): FloatArray {
  const gx = floats(precision, values.length);
  for (let start = 0; start < rows * n; start += n) {
    let sum = 0;
    let size = 0;
    for (let i = start; i < start + n; i++) {
      if (!((values[i] as number) > 0)) continue;
      sum += grad[i] as number;
      size++;
    }
    for (let i = start; i < start + n; i++) if ((values[i] as number) > 0) gx[i] = (grad[i] as number) - sum / size;
  }
  return gx;
}
