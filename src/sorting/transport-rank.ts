import { asRecord } from '../core/check.js';
import { isDescending } from './direction.js';
import type { Rows } from './rows.js';
import { type TransportResult, transportRows } from './transport-rows.js';
import type { TransportSortOptions } from './transport-sort.js';

/**
 * Soft ranks, from 1, by optimal transport: the mean place that an entropic plan to n ordered targets gives each element.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `epsilon` (0.01, in units of the squared range), `direction` ('ascending'), `tolerance` (1e-9), `maxIterations` (10 000)
 * @returns `values` in the form of x, `converged`, `iterations`, and `backward(grad)` by implicit differentiation
 * @throws {DomainError} when epsilon ≤ 0 or x is not finite; {ShapeError} when a row is empty
 * @see Cuturi, Teboul & Vert 2019, arXiv:1905.11885, §3
 */
export function transportRank<X extends Rows>(x: X, options: TransportSortOptions = {}): TransportResult<X> {
  const { direction = 'ascending', ...rest } = asRecord('options', options);
  const descending = isDescending(direction);
  return transportRows(
    x,
    rest,
    (n) => new Float64Array(n).fill(1 / n),
    (n) => {
      const place = (j: number) => (descending ? n - j : j + 1);
      return {
        size: n,
        values: (plan) =>
          Float64Array.from({ length: n }, (_, i) => {
            let sum = 0;
            for (let j = 0; j < n; j++) sum += (plan[i * n + j] as number) * place(j);
            return n * sum;
          }),
        pull: (grad, _plan, _x, inflow) => {
          for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) inflow[i * n + j] = n * (grad[i] as number) * place(j);
        },
      };
    },
  );
}
