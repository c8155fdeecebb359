import { asRecord } from '../core/check.js';
import { type Direction, isDescending } from './direction.js';
import type { Rows } from './rows.js';
import type { TransportOptions } from './transport-operator.js';
import { barycentres, type TransportResult, transportRows } from './transport-rows.js';

export interface TransportSortOptions extends TransportOptions {
  direction?: Direction;
}

/**
 * Soft sort by optimal transport: the barycentres of the row at n ordered targets under an entropic plan. Smooth everywhere, and
 * independent of the scale of x.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `epsilon` (0.01, in units of the squared range), `direction` ('ascending'), `tolerance` (1e-9), `maxIterations` (10 000)
 * @returns `values` in the form of x, `converged`, `iterations`, and `backward(grad)` by implicit differentiation
 * @throws {DomainError} when epsilon ≤ 0 or x is not finite; {ShapeError} when a row is empty
 * @see Cuturi, Teboul & Vert 2019, Differentiable ranks and sorting using optimal transport, arXiv:1905.11885, §3
 */
export function transportSort<X extends Rows>(x: X, options: TransportSortOptions = {}): TransportResult<X> {
  const { direction = 'ascending', ...rest } = asRecord('options', options);
  const descending = isDescending(direction);
  return transportRows(
    x,
    rest,
    (n) => new Float64Array(n).fill(1 / n),
    (n, b) => {
      const image = barycentres(b, 0, n);
      if (!descending) return image;
      return {
        ...image,
        values: (plan, row) => image.values(plan, row).reverse(),
        pull: (grad, ...rest) => image.pull(grad.slice().reverse(), ...rest),
      };
    },
  );
}
