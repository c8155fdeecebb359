import { asRecord, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Rows } from './rows.js';
import type { TransportOptions } from './transport-operator.js';
import { barycentres, type TransportResult, transportRows } from './transport-rows.js';

export interface TransportQuantileOptions extends TransportOptions {
  /** Probability: 0.5 is the median. */
  q: number;
  /** Share of the mass that is averaged around q (1/n). */
  width?: number;
}

/**
 * Soft quantile by optimal transport: the barycentre of the mass between q − width/2 and q + width/2 under an entropic plan to the
 * three ordered targets below, at and above q.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `q` in [0, 1], `width` (1/n), `epsilon` (0.01, in units of the squared range), `tolerance` (1e-9), `maxIterations` (10 000)
 * @returns `values` [..., 1], `converged`, `iterations`, and `backward(grad)` by implicit differentiation
 * @throws {DomainError} when q is outside [0, 1], width is not in (0, 1], epsilon ≤ 0 or x is not finite; {ShapeError} when a row is empty
 * @see Cuturi, Teboul & Vert 2019, arXiv:1905.11885, §3.3
 */
export function transportQuantile<X extends Rows>(x: X, options: TransportQuantileOptions): TransportResult<X> {
  const { q, width, ...rest } = asRecord('options', options, '{ q }');
  checkRange('q', q, 0, 1);
  if (width !== undefined && !(width > 0 && width <= 1)) throw new DomainError(`width: expected a number above 0, up to 1, got ${width}`);
  let below = false;
  return transportRows(
    x,
    rest,
    (n) => {
      const share = width ?? 1 / n;
      const low = Math.min(Math.max(0, q - share / 2), 1 - share);
      const parts = [low, share, Math.max(0, 1 - share - low)];
      below = low > 1e-12;
      return Float64Array.from(parts.filter((mass, part) => part === 1 || mass > 1e-12));
    },
    (_, b) => barycentres(b, below ? 1 : 0, 1),
  );
}
