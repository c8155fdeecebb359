import { asRecord } from '../core/check.js';
import { argsortSegments } from '../kernels/radix.js';
import { withArena } from '../runtime/instance.js';
import { isDescending, limitsOf } from './direction.js';
import { checkOut, giveBack, type Rows, readSortable, type Shaped, takeInto } from './rows.js';
import type { SortOptions } from './sort.js';

export interface ArgsortOptions extends Omit<SortOptions, 'out'> {
  /** Receives the order, in place of a new array of the same length. */
  out?: Int32Array;
}

/**
 * The stable order of every row: x[order[0]] comes first, and equal elements keep their order of appearance in both directions.
 * −0 comes before 0 and, in either direction, NaN last.
 *
 * @param x one row as an array, or rows as a tensor [..., n]
 * @param options `direction` ('ascending'); `segments` limits of pieces to order in place of the rows; `out` receives the order
 * @returns indices counted from the start of their row or segment (i32), in the form of x
 * @throws {DomainError} for an unknown direction; {ShapeError} when segments do not cover x or out has another type or length
 * @see radix sort on order-preserving keys, Knuth, The Art of Computer Programming 3, §5.2.5
 */
export function argsort<X extends Rows>(x: X, options: ArgsortOptions = {}): Shaped<X, Int32Array> {
  const { direction = 'ascending', segments, out } = asRecord('options', options);
  const input = readSortable('x', x);
  const descending = isDescending(direction);
  if (out !== undefined) checkOut(out, 'Int32Array', input.data.length);
  const limits = limitsOf(input.rows, input.n, segments);
  return withArena((arena) => {
    const data = arena.put(input.data as Float32Array);
    const order = arena.alloc('i32', data.length);
    argsortSegments(arena, order, data, arena.put(limits), descending);
    return giveBack<X, Int32Array>(input, takeInto(arena, order, out));
  });
}
