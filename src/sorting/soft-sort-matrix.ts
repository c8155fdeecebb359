import { asRecord } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { describe } from '../core/tensor.js';
import { argsort } from './argsort.js';
import { type RelaxedMatrix, type RelaxedMatrixOptions, relaxedMatrix } from './relaxed-matrix.js';
import type { Rows } from './rows.js';

export interface SoftSortMatrixOptions extends RelaxedMatrixOptions {
  /** Power of the distance: 1 (default) or 2. */
  power?: 1 | 2;
}

/**
 * SoftSort: row i of the relaxed permutation is a softmax of the distances to the i-th element of the sorted row.
 *   matrix_ij = softmax_j(−|sort(x)_i − x_j|^power / temperature)
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `temperature` (1, in units of x^power), `power` (1), `direction` ('ascending': row 0 is the smallest)
 * @returns `matrix` [..., n, n] with rows that sum to 1, and `backward(grad)`
 * @throws {DomainError} when temperature ≤ 0, power is not 1 or 2, or x is not finite; {ShapeError} when a row is empty
 * @see Prillo & Eisenschlos 2020, SoftSort, arXiv:2006.16038
 */
export function softSortMatrix<X extends Rows>(x: X, options: SoftSortMatrixOptions = {}): RelaxedMatrix<X> {
  const { power = 1, ...rest } = asRecord('options', options);
  if (power !== 1 && power !== 2) throw new DomainError(`power: expected 1 or 2, got ${describe(power)}`);
  return relaxedMatrix(x, rest, ({ data, rows, n }, descending) => {
    const order = argsort({ data, shape: [rows, n] }, { direction: descending ? 'descending' : 'ascending' }).data;
    return {
      fill: (logits, values, row) => {
        for (let i = 0; i < n; i++) {
          const pivot = values[row * n + (order[row * n + i] as number)] as number;
          for (let j = 0; j < n; j++) {
            const distance = Math.abs(pivot - (values[row * n + j] as number));
            logits[i * n + j] = power === 1 ? -distance : -distance * distance;
          }
        }
      },
      pull: (gx, glogits, values, row) => {
        for (let i = 0; i < n; i++) {
          const own = row * n + (order[row * n + i] as number);
          for (let j = 0; j < n; j++) {
            const d = (values[own] as number) - (values[row * n + j] as number);
            const g = (glogits[i * n + j] as number) * (power === 1 ? Math.sign(d) : 2 * d);
            gx[own] = (gx[own] as number) - g;
            gx[row * n + j] = (gx[row * n + j] as number) + g;
          }
        }
      },
    };
  });
}
