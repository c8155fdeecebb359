// Row-wise softmax relaxations of the permutation matrix: what SoftSort and NeuralSort share.
import { asRecord, checkPositive } from '../core/check.js';
import { type FloatArray, floats, type Tensor } from '../core/tensor.js';
import { softmaxRows } from '../kernels/softmax-rows.js';
import type { F64 } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import { type Direction, isDescending } from './direction.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows, type Shaped, type ShapedArray, shape } from './rows.js';

export interface RelaxedMatrixOptions {
  /** Softness in units of the logits (1); small is hard. */
  temperature?: number;
  direction?: Direction;
}

export interface RelaxedMatrix<X> {
  /** [..., n, n]: row = place in the result; rows sum to 1, columns need not. */
  readonly matrix: ShapedArray;
  /** Gradient with respect to x of Σ matrix·grad. */
  backward(grad: FloatArray | readonly number[] | Tensor): Shaped<X>;
}

/** The logits of one row of n scores, and the way of a gradient from them to the scores (added to gx). */
export interface Scores {
  fill(logits: Float64Array, x: FloatArray, row: number): void;
  pull(gx: Float64Array, glogits: Float64Array, x: FloatArray, row: number): void;
}

/** matrix = softmax(logits / temperature) by rows, with logits from `scores`. */
export function relaxedMatrix<X extends Rows>(
  x: X,
  options: RelaxedMatrixOptions,
  scores: (input: RowsOf<FloatArray>, descending: boolean) => Scores,
): RelaxedMatrix<X> {
  const { temperature = 1, direction = 'ascending' } = asRecord('options', options);
  const input = readRows('x', x);
  checkPositive('temperature', temperature);
  const { data, rows, n, precision } = input;
  const { fill, pull } = scores(input, isDescending(direction));
  // In f64, and less the largest of their row: logits are differences of n·x, of which single precision would keep few digits.
  const logits = new Float64Array(n * n);
  const matrix = floats(precision, rows * n * n);
  for (let row = 0; row < rows; row++) {
    fill(logits, data, row);
    for (let start = 0; start < logits.length; start += n) {
      let top = -Infinity;
      for (let j = start; j < start + n; j++) top = Math.max(top, logits[j] as number);
      for (let j = start; j < start + n; j++) logits[j] = ((logits[j] as number) - top) / temperature;
    }
    withArena((arena) => {
      const block = arena.putAs(precision, logits);
      softmaxRows(block, block, n, n);
      matrix.set(arena.view(block as F64), row * n * n);
    });
  }
  const own = matrix.slice();
  const backward = (grad: FloatArray | readonly number[] | Tensor): Shaped<X> => {
    const inflow = readLike('grad', grad, own.length, precision);
    const gx = new Float64Array(data.length);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < n; i++) {
        const start = (row * n + i) * n;
        let mean = 0;
        for (let j = 0; j < n; j++) mean += (own[start + j] as number) * (inflow[start + j] as number);
        for (let j = 0; j < n; j++) logits[i * n + j] = ((own[start + j] as number) * ((inflow[start + j] as number) - mean)) / temperature;
      }
      pull(gx, logits, data, row);
    }
    const rounded = floats(precision, data.length);
    rounded.set(gx);
    return giveBack<X, FloatArray>(input, rounded);
  };
  return { matrix: shape(matrix, [...input.lead, n, n]), backward };
}
