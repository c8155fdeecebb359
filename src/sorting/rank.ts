import { asRecord, checkOneOf } from '../core/check.js';
import { argsort } from './argsort.js';
import { type Direction, isDescending } from './direction.js';
import { giveBack, type Rows, readSortable, type Shaped } from './rows.js';

const rules = ['average', 'min', 'max', 'dense', 'ordinal'] as const;

export interface RankOptions {
  /** Rank of equal elements: their mean place (`'average'`, default), first or last place, places without gaps, or order of appearance. */
  ties?: (typeof rules)[number];
  /** `'ascending'` (default): the smallest has rank 1. */
  direction?: Direction;
}

/**
 * Ranks of the elements of every row, from 1, with a rule for ties (−0 and 0 are equal). All NaN share the last ranks.
 *
 * @param x one row as an array, or rows as a tensor [..., n]
 * @param options `ties` 'average' | 'min' | 'max' | 'dense' | 'ordinal' ('average'); `direction` ('ascending')
 * @returns ranks in f64, in the form of x
 * @throws {DomainError} for an unknown rule or direction
 * @see Kendall 1945, The treatment of ties in ranking problems
 */
export function rank<X extends Rows>(x: X, options: RankOptions = {}): Shaped<X, Float64Array> {
  const { ties = 'average', direction = 'ascending' } = asRecord('options', options);
  checkOneOf('ties', ties, rules);
  isDescending(direction);
  const { data, rows, n, ...form } = readSortable('x', x);
  // Zeros of both signs are one value here; adding 0 turns −0 into 0 and leaves every other number alone.
  const order = argsort({ data: Float64Array.from(data, (value) => value + 0), shape: [rows, n] }, { direction }).data;
  const ranks = new Float64Array(data.length);
  for (let start = 0; start < data.length; start += n) {
    const at = (place: number): number => start + (order[start + place] as number);
    let dense = 0;
    for (let first = 0, end = 0; first < n; first = end) {
      const value = data[at(first)] as number;
      for (end = first + 1; end < n; end++) {
        const other = data[at(end)] as number;
        if (other !== value && !(Number.isNaN(other) && Number.isNaN(value))) break;
      }
      dense++;
      for (let place = first; place < end; place++) {
        ranks[at(place)] = { average: (first + 1 + end) / 2, min: first + 1, max: end, dense, ordinal: place + 1 }[ties];
      }
    }
  }
  return giveBack<X, Float64Array>({ data, rows, n, ...form }, ranks);
}
