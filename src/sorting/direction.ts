// Options shared by the methods of this area.
import { checkArray, checkInteger, checkOneOf } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { describe } from '../core/tensor.js';

/** Order of a result. */
export type Direction = 'ascending' | 'descending';
const directions = ['ascending', 'descending'] as const;

/** True for descending. @throws {DomainError} for anything but the two directions */
export function isDescending(direction: Direction): boolean {
  checkOneOf('direction', direction, directions);
  return direction === 'descending';
}

/** Row limits of `rows` rows of `n`, or the caller's: `segments` [s + 1] starts at 0, does not fall and ends at the length of x. */
export function limitsOf(rows: number, n: number, segments?: ArrayLike<number>): Int32Array {
  if (segments === undefined) return Int32Array.from({ length: rows + 1 }, (_, row) => row * n);
  checkArray('segments', segments);
  const length = rows * n;
  const limits = Int32Array.from(segments, (limit) => {
    checkInteger('segments', limit, 0, length);
    return limit;
  });
  if (limits.length === 0 || limits[0] !== 0 || limits[limits.length - 1] !== length) {
    throw new ShapeError(`segments: expected limits from 0 to ${length}, got ${describe(segments)} from ${limits[0]} to ${limits.at(-1)}`);
  }
  for (let s = 1; s < limits.length; s++) {
    if ((limits[s] as number) < (limits[s - 1] as number)) {
      throw new ShapeError(`segments: expected limits that do not fall, got ${limits[s]} after ${limits[s - 1]} at index ${s}`);
    }
  }
  return limits;
}
