import { asRecord, checkInteger, checkPositive } from '../core/check.js';
import type { FloatArray } from '../core/tensor.js';
import { softtopk, softtopkBack } from '../kernels/soft-topk.js';
import { withArena } from '../runtime/instance.js';
import { giveBack, type Rows, readLike, readRows, type Shaped } from './rows.js';
import type { SoftResult } from './soft-rank.js';

export interface SoftTopKOptions {
  /** How many, from 1 to the length of a row. */
  k: number;
  /** Inverse temperature per unit of x (2); the limit is the hard indicator. */
  alpha?: number;
}

export interface SoftTopKResult<X> extends SoftResult<X> {
  /** The shift t of every row, f64; Infinity where k = n. */
  readonly threshold: Float64Array;
}

/**
 * Soft indicator of the k largest: y_i = σ(alpha·(x_i + t)), t such that every row sums to k.
 * The root is found by Newton steps in a bracket that holds for every n: millions of nearly equal scores still sum to k.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `k` from 1 to n (a plain number is read as k), `alpha` (2, per unit of x)
 * @returns `values` in (0, 1) in the form of x, `threshold` per row, and `backward(grad)`
 * @throws {DomainError} when k is not from 1 to n, alpha ≤ 0, or x is not finite; {ShapeError} when a row is empty
 * @see Gupta et al. 2023, Dual-encoders for extreme multi-label classification, arXiv:2310.10636, §4.2
 */
export function softTopK<X extends Rows>(x: X, options: SoftTopKOptions | number): SoftTopKResult<X> {
  return indicator(x, options, false);
}

/** `softTopK` or the logarithm of its values. */
export function indicator<X extends Rows>(x: X, options: SoftTopKOptions | number, logarithm: boolean): SoftTopKResult<X> {
  const { k, alpha = 2 } = typeof options === 'number' ? { k: options } : asRecord('options', options, '{ k }');
  const input = readRows('x', x);
  const { data, rows, precision } = input;
  checkInteger('k', k, 1, input.n);
  checkPositive('alpha', alpha);
  const { values, threshold } = withArena((arena) => {
    const y = arena.real(precision, data.length);
    const t = arena.alloc('f64', rows);
    softtopk(arena, y, t, arena.put(data), k, alpha, logarithm);
    return { values: arena.take(y), threshold: arena.take(t) };
  });
  const roots = threshold.slice();
  const backward = (grad: Parameters<SoftResult<X>['backward']>[0]): Shaped<X> =>
    withArena((arena) => {
      const gx = arena.real(precision, data.length);
      const g = arena.put(readLike('grad', grad, data.length, precision));
      softtopkBack(arena, gx, g, arena.put(data), arena.put(roots), alpha, logarithm);
      return giveBack<X, FloatArray>(input, arena.take(gx));
    });
  return { values: giveBack<X, FloatArray>(input, values), threshold, backward };
}
