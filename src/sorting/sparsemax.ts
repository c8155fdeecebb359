import type { Rows } from './rows.js';
import { type SparseMap, type SparseResult, sparseResult } from './sparse-map.js';

/**
 * Sparsemax: the Euclidean projection of every row on the simplex, max(x − τ, 0), with exact zeros.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @returns `values` that sum to 1 in the form of x, `support` per row, and `backward(grad)`: grad minus its mean on the support
 * @throws {DomainError} when x is not finite; {ShapeError} when a row is empty
 * @see Martins & Astudillo 2016, From softmax to sparsemax, arXiv:1602.02068, §2
 */
export function sparsemax<X extends Rows>(x: X): SparseResult<X> {
  return sparseResult(x, simplexProjection);
}

/** The projection of rows on the simplex. */
export const simplexProjection: SparseMap = {
  fill: (values, scores, start, end, top) => {
    // Only entries above max − 1 can be in the support. τ rises from there: each pass drops entries at or below τ for good,
    // and ends, exactly, when none is left to drop (Michelot 1986).
    let held: number[] = [];
    for (let i = start; i < end; i++) if ((scores[i] as number) - top > -1) held.push((scores[i] as number) - top);
    let tau = -1;
    for (;;) {
      tau = (held.reduce((a, b) => a + b, 0) - 1) / held.length;
      const above = held.filter((value) => value > tau);
      if (above.length === held.length) break;
      held = above;
    }
    for (let i = start; i < end; i++) values[i] = Math.max(0, (scores[i] as number) - top - tau);
  },
  slope: (value) => (value > 0 ? 1 : 0),
};
