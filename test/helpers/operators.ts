// Operators whose spectrum is known.
import type { LinearOperator } from '../../src/core/model-types.js';
import { randomF64 } from './close.js';

/** diag(values). */
export const diagonal = (values: ArrayLike<number>, precision: 'float32' | 'float64' = 'float64'): LinearOperator => ({
  size: values.length,
  precision,
  apply(v, out) {
    for (let i = 0; i < v.length; i++) out[i] = v[i]! * values[i]!;
  },
});

/** H diag(values) H with H a random reflection: a dense matrix with the given eigenvalues. */
export function rotated(values: ArrayLike<number>, seed = 1): LinearOperator {
  const n = values.length;
  const u = randomF64(n, seed);
  const squares = u.reduce((sum, x) => sum + x * x, 0);
  const reflect = (x: Float64Array) => {
    const overlap = (2 / squares) * x.reduce((sum, value, i) => sum + value * u[i]!, 0);
    return x.map((value, i) => value - overlap * u[i]!);
  };
  return {
    size: n,
    precision: 'float64',
    async apply(v, out) {
      out.set(reflect(reflect(Float64Array.from(v)).map((x, i) => x * values[i]!)));
    },
  };
}
