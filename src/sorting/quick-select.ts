import { asRecord, checkInteger } from '../core/check.js';
import { selectRows } from '../kernels/top-k.js';
import { withArena } from '../runtime/instance.js';
import { type Rows, readSortable, type Sortable } from './rows.js';
import type { SortedOf } from './sort.js';

export interface QuickSelectOptions {
  /** Place in the ascending order, from 1 to the length of a row. */
  k: number;
  /** Count places from the largest instead (false). */
  largest?: boolean;
}

/** A number for one row, an array with one element per row for a tensor. */
export type PerRow<X> = X extends { readonly data: unknown } ? SortedOf<X> : number;

/**
 * The k-th smallest (or largest) element of every row without sorting it: radix selection, linear in n for every input.
 * The order is that of `sort`: −0 before 0; NaN last among the smallest, and last among the largest too.
 *
 * @param x one row as an array, or rows as a tensor [..., n]
 * @param options `k`, from 1 to n (a plain number is read as k); `largest` (false)
 * @returns a number for an array; one element per row, in the type of x, for a tensor
 * @throws {DomainError} when k is not an integer from 1 to n
 * @see distribution counting on the highest digit first, Knuth, The Art of Computer Programming 3, §5.2
 */
export function quickSelect<X extends Rows>(x: X, options: QuickSelectOptions | number): PerRow<X> {
  const { k, largest = false } = typeof options === 'number' ? { k: options } : asRecord('options', options, '{ k }');
  const input = readSortable('x', x);
  checkInteger('k', k, 1, input.n);
  return withArena((arena) => {
    const data = arena.put(input.data as Float32Array);
    const out = arena.alloc(data.type, input.rows);
    selectRows(arena, out, data, input.rows, k - 1, largest);
    const found = arena.take(out) as Sortable;
    return (input.tensor ? found : found[0]) as PerRow<X>;
  });
}
