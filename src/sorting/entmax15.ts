import type { Rows } from './rows.js';
import { type SparseMap, type SparseResult, sparseResult } from './sparse-map.js';

/**
 * 1.5-entmax: max(x/2 − τ, 0)² with τ such that every row sums to 1; between softmax and sparsemax, with exact zeros.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @returns `values` that sum to 1 in the form of x, `support` per row, and `backward(grad)`
 * @throws {DomainError} when x is not finite; {ShapeError} when a row is empty
 * @see Peters, Niculae & Martins 2019, Sparse sequence-to-sequence models, arXiv:1905.05702, §4
 */
export function entmax15<X extends Rows>(x: X): SparseResult<X> {
  return sparseResult(x, halfQuadratic);
}

/** max(x/2 − τ, 0)² by rows. */
export const halfQuadratic: SparseMap = {
  fill: (values, scores, start, end, top) => {
    // With z = (x − max)/2 ≤ 0, only z > −1 can be in the support.
    const held: number[] = [];
    for (let i = start; i < end; i++) if ((scores[i] as number) - top > -2) held.push(((scores[i] as number) - top) / 2);
    const tau = threshold(Float64Array.from(held).sort().reverse());
    for (let i = start; i < end; i++) {
      const part = Math.max(0, ((scores[i] as number) - top) / 2 - tau);
      values[i] = part * part;
    }
  },
  slope: (value) => Math.sqrt(value),
};

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
