import { asRecord, checkOneOf, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { asFloats } from '../core/tensor.js';
import { giveBack, type Rows, readRows, type Shaped } from './rows.js';
import { sort } from './sort.js';

const methods = ['linear', 'lower', 'higher', 'nearest', 'midpoint'] as const;

export interface QuantileOptions {
  /** A probability, or several: 0.5 is the median. */
  q: number | ArrayLike<number>;
  /** Value between two neighbours: interpolated (`'linear'`, default), one of them, the nearer (ties to the even place), or their mean. */
  method?: (typeof methods)[number];
}

/**
 * Empirical quantiles of every row: place q·(n − 1) of the sorted row, between neighbours by rule.
 *
 * @param x one row as an array, or rows as a tensor [..., n], finite
 * @param options `q` in [0, 1], one or several; `method` 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint' ('linear')
 * @returns f64: [q] for an array, a tensor [..., q] for a tensor
 * @throws {DomainError} when q is outside [0, 1] or missing, or x holds NaN or an infinity; {ShapeError} when a row is empty
 * @see Hyndman & Fan 1996, Sample quantiles in statistical packages, definition 7
 */
export function quantile<X extends Rows>(x: X, options: QuantileOptions): Shaped<X, Float64Array> {
  const { q, method = 'linear' } = asRecord('options', options, '{ q }');
  checkOneOf('method', method, methods);
  const wanted = typeof q === 'number' ? Float64Array.of(q) : asFloats('q', q);
  if (wanted.length === 0) throw new DomainError('q: expected at least one probability, got none');
  for (const probability of wanted) checkRange('q', probability, 0, 1);
  const input = readRows('x', x);
  const { rows, n } = input;
  const sorted = sort({ data: input.data, shape: [rows, n] }).data;
  const out = new Float64Array(rows * wanted.length);
  for (let row = 0; row < rows; row++) {
    wanted.forEach((probability, index) => {
      const place = probability * (n - 1);
      const below = Math.floor(place);
      const low = sorted[row * n + below] as number;
      const high = sorted[row * n + Math.ceil(place)] as number;
      const share = place - below;
      const nearest = share < 0.5 || (share === 0.5 && below % 2 === 0) ? low : high;
      out[row * wanted.length + index] = {
        linear: low + share * (high - low),
        lower: low,
        higher: high,
        nearest,
        midpoint: (low + high) / 2,
      }[method];
    });
  }
  return giveBack<X, Float64Array>(input, out, [wanted.length]);
}
