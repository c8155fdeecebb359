import { asRecord, checkInteger } from '../core/check.js';
import { topKRows } from '../kernels/top-k.js';
import { withArena } from '../runtime/instance.js';
import { giveBack, type Rows, readSortable, type Shaped, type Sortable } from './rows.js';
import type { SortedOf } from './sort.js';

export interface TopKOptions {
  /** How many, from 1 to the length of a row. */
  k: number;
  /** The k largest (default) or the k smallest. */
  largest?: boolean;
}

/**
 * The k largest elements of every row, best first: one scan against the k-th best so far.
 * Ties go to the lower index, 0 is larger than −0, and a NaN is taken only after every number.
 *
 * @param x one row as an array, or rows as a tensor [..., n]
 * @param options `k`, from 1 to n (a plain number is read as k); `largest` (true), or false for the k smallest
 * @returns `values` in the type of x and `indices` (i32) within the row, each [..., k]
 * @throws {DomainError} when k is not an integer from 1 to n
 * @see threshold scan with a buffer of candidates, as in selection by a bounded heap (Knuth, TAOCP 3, §5.2.3)
 */
export function topK<X extends Rows>(
  x: X,
  options: TopKOptions | number,
): { values: Shaped<X, SortedOf<X>>; indices: Shaped<X, Int32Array> } {
  const { k, largest = true } = typeof options === 'number' ? { k: options } : asRecord('options', options, '{ k }');
  const input = readSortable('x', x);
  checkInteger('k', k, 1, input.n);
  return withArena((arena) => {
    const data = arena.put(input.data as Float32Array);
    const values = arena.alloc(data.type, input.rows * k);
    const indices = arena.alloc('i32', input.rows * k);
    topKRows(arena, values, indices, data, input.rows, k, largest);
    return {
      values: giveBack(input, arena.take(values) as Sortable, [k]) as Shaped<X, SortedOf<X>>,
      indices: giveBack<X, Int32Array>(input, arena.take(indices), [k]),
    };
  });
}
