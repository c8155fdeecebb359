import { checkAborted } from '../core/batches.js';
import { checkInteger } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { checkOperator, products } from '../linalg/operator.js';
import { draw, readVectors, type Vectors } from './probes.js';

/**
 * The diagonal of a symmetric operator from products with random ±1 vectors, with the standard error of each element.
 *   estimate: mean of z∘Az over Rademacher z; the error of element i is √(Σ_{j≠i} A_ij² / s)
 *
 * @param op symmetric operator of size d
 * @param options `probes` products (60); `vectors` [s, d] of ±1 in place of random ones; `seed` (0); `signal`, `onProgress`
 * @returns `estimate` [d] and `standardErrors` [d] (f64), `iterations` (products)
 * @throws {ShapeError | DomainError} on wrong shapes, or products that are not finite
 * @see Bekas, Kokiopoulou & Saad 2007
 */
export async function diagonalEstimate(
  op: LinearOperator,
  options: LongOptions & { probes?: number; vectors?: Vectors; seed?: number } = {},
): Promise<{ estimate: Float64Array; standardErrors: Float64Array; iterations: number }> {
  checkOperator('op', op);
  const { probes = 60, seed = 0, signal, onProgress } = readLong(options);
  checkInteger('probes', probes, 1);
  const vectors = options.vectors ? readVectors('vectors', options.vectors, op.size) : draw(probes, op.size, seed);
  if (vectors.length === 0) throw new ShapeError('vectors: expected at least one vector, got none');
  const A = products(op);
  const mean = new Float64Array(op.size);
  const squares = new Float64Array(op.size); // Welford: sums of squared distances from the running mean
  for (const [s, z] of vectors.entries()) {
    checkAborted(signal);
    const w = await A.apply(z);
    for (let i = 0; i < op.size; i++) {
      const sample = z[i]! * w[i]!;
      const gap = sample - mean[i]!;
      mean[i] = mean[i]! + gap / (s + 1);
      squares[i] = squares[i]! + gap * (sample - mean[i]!);
    }
    onProgress?.({ done: s + 1, total: vectors.length, phase: 'diagonal' });
  }
  const n = vectors.length;
  return {
    estimate: mean,
    standardErrors: squares.map((x) => (n > 1 ? Math.sqrt(x / (n - 1) / n) : Number.NaN)),
    iterations: A.count,
  };
}
