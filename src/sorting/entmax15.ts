import { type FloatArray, floats } from '../core/tensor.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows } from './rows.js';
import type { SparseResult } from './sparsemax.js';

/**
 * 1.5-entmax: max(x/2 − τ, 0)² with τ such that every row sums to 1; between softmax and sparsemax, with exact zeros.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @returns `values` that sum to 1 in the form of x, `support` per row, and `backward(grad)`
 * @throws {DomainError} when x is not finite; {ShapeError} when a row is empty
 * @see Peters, Niculae & Martins 2019, Sparse sequence-to-sequence models, arXiv:1905.05702, §4
 */
export function entmax15<X extends Rows>(x: X): SparseResult<X> {
  const input = readRows('x', x);
  const { values, support } = entmaxRows(input);
  return {
    values: giveBack<X, FloatArray>(input, values),
    support,
    backward: (grad) => giveBack<X, FloatArray>(input, pull(values.slice(), readLike('grad', grad, values.length, input.precision), input)),
  };
}

/** Rows of 1.5-entmax. */
export function entmaxRows({ data, rows, n, precision }: RowsOf<FloatArray>): { values: FloatArray; support: Int32Array } {
  const values = floats(precision, data.length);
  const support = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    let top = -Infinity;
    for (let i = start; i < start + n; i++) top = Math.max(top, data[i] as number);
    // With z = (x − max)/2 ≤ 0, only z > −1 can be in the support.
    const held: number[] = [];
    for (let i = start; i < start + n; i++) if ((data[i] as number) - top > -2) held.push(((data[i] as number) - top) / 2);
    const tau = threshold(Float64Array.from(held).sort().reverse());
    for (let i = start; i < start + n; i++) {
      const part = Math.max(0, ((data[i] as number) - top) / 2 - tau);
      values[i] = part * part;
      if (part > 0) support[row] = (support[row] as number) + 1;
    }
  }
  return { values, support };
}

/** τ of Σ max(z − τ, 0)² = 1 for falling z: the root over the first k entries, for the largest k that it keeps. */
function threshold(z: Float64Array): number {
  let mean = 0;
  let spread = 0; // Σ (z − mean)², updated as in Welford 1962
  let tau = -1;
  for (let k = 1; k <= z.length; k++) {
    const value = z[k - 1] as number;
    const before = value - mean;
    mean += before / k;
    spread += before * (value - mean);
    const room = (1 - spread) / k;
    if (room < 0) break;
    const candidate = mean - Math.sqrt(room);
    if (candidate > value) break;
    tau = candidate;
  }
  return tau;
}

function pull(values: FloatArray, grad: FloatArray, { rows, n, precision }: RowsOf<FloatArray>): FloatArray {
  const gx = floats(precision, values.length);
  for (let start = 0; start < rows * n; start += n) {
    let along = 0;
    let sum = 0;
    for (let i = start; i < start + n; i++) {
      const q = Math.sqrt(values[i] as number);
      along += q * (grad[i] as number);
      sum += q;
    }
    for (let i = start; i < start + n; i++) gx[i] = Math.sqrt(values[i] as number) * ((grad[i] as number) - along / sum);
  }
  return gx;
}
