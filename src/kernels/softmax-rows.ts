// Softmax and log-sum-exp over rows of blocks (assembly/softmax-rows.ts).
import { checkInteger, checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** out = softmax of every row of x [rows, cols]; out may be x. Rows that are all −∞ or hold NaN or +∞ give NaN. @throws {ShapeError} */
export function softmaxRows<B extends Real>(out: B, x: B, rows: number, cols: number): void {
  checkInteger('cols', cols, 1);
  checkLength('x', x, rows * cols);
  checkLength('out', out, rows * cols);
  (x.type === 'f32' ? kernels().ssoftmaxRows : kernels().dsoftmaxRows)(out.ptr, x.ptr, rows, cols);
}

/** out [rows] = log Σ_j e^x[i, j]; −∞ where a row is all −∞. @throws {ShapeError} */
export function logSumExpRows<B extends Real>(out: B, x: B, rows: number, cols: number): void {
  checkInteger('cols', cols, 1);
  checkLength('x', x, rows * cols);
  checkLength('out', out, rows);
  (x.type === 'f32' ? kernels().slogSumExpRows : kernels().dlogSumExpRows)(out.ptr, x.ptr, rows, cols);
}
