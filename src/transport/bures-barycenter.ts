import { checkInteger, checkNotEmpty, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { square } from '../core/square.js';
import type { NumberArray, TensorLike } from '../core/tensor.js';
import { readSymmetric } from '../linalg/matrix.js';
import { svd } from '../linalg/svd.js';
import { compose, multiply, rootOf } from './bures-wasserstein.js';
import { readWeights, total } from './problem.js';

export interface BuresBarycenterOptions {
  /** [k] non-negative weights; uniform if left out */
  readonly weights?: NumberArray;
  /** On ‖ΔS‖ / ‖S‖ in the Frobenius norm (1e-12). */
  readonly tolerance?: number;
  /** 500 */
  readonly maxIterations?: number;
  /** Called after every step with the relative change; false stops. */
  readonly onIteration?: (info: { readonly iteration: number; readonly error: number }) => unknown;
}

/**
 * Barycenter of covariances under the Bures–Wasserstein distance: the covariance with the least weighted mean of squared distances.
 * Fixed point S ← S^−½ (Σ w_k (S^½ S_k S^½)^½)² S^−½, which decreases that mean at every step.
 *
 * @param covariances k matrices [d, d], symmetric positive semi-definite, at least one of positive weight invertible
 * @param options `weights` [k] (uniform), `tolerance` (1e-12), `maxIterations` (500), `onIteration` (return false to stop)
 * @returns `covariance` [d, d] row-major, `iterations`, `error` (the last relative change), `converged`
 * @throws {ShapeError} when extents differ; {DomainError} when none is invertible, one is not positive semi-definite, or weights are negative
 * @see Álvarez-Esteban, del Barrio, Cuesta-Albertos & Matrán 2016, A fixed-point approach to barycenters in Wasserstein space, arXiv:1511.05355
 */
export function buresBarycenter(
  covariances: readonly TensorLike[],
  options: BuresBarycenterOptions = {},
): { covariance: Float64Array; iterations: number; error: number; converged: boolean } {
  const { tolerance = 1e-12, maxIterations = 500, onIteration } = readIterative(options);
  checkNotEmpty('covariances', covariances);
  checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 1);
  const given = readWeights('weights', options.weights, covariances.length);
  const weights = given.map((w) => w / total(given));
  const matrices = covariances.map((c, k) => readSymmetric(`covariances[${k}]`, c));
  const roots = covariances.map((c, k) => rootOf(`covariances[${k}]`, c));
  const d = matrices[0]!.rows;
  for (const [k, { rows }] of matrices.entries())
    if (rows !== d) throw new ShapeError(`covariances[${k}]: expected ${d} × ${d}, got ${rows} × ${rows}`);
  const start = roots.findIndex((root, k) => root.inverseHalf && weights[k]! > 0);
  if (start < 0) throw new DomainError('covariances: expected an invertible one among those of positive weight, got none');

  let covariance: Float64Array = matrices[start]!.data.slice();
  let error = Infinity;
  let iterations = 0;
  while (iterations < maxIterations && error > tolerance) {
    const { half, inverseHalf } = rootOf('covariance', { data: covariance, shape: [d, d] });
    if (!inverseHalf) break;
    const sum = new Float64Array(d * d);
    for (const [k, root] of roots.entries()) {
      if (weights[k] === 0) continue;
      // (S^½ S_k S^½)^½ from the singular values of S_k^½ S^½: roots of eigenvalues would lose half of the digits of those near 0.
      const { s, v } = svd({ data: multiply(root.half, half, d), shape: [d, d] });
      const rootInner = compose(v.data as Float64Array, s, d);
      for (let i = 0; i < sum.length; i++) sum[i]! += weights[k]! * rootInner[i]!;
    }
    const arm = multiply(inverseHalf, sum, d);
    const next = symmetric(multiply(arm, arm, d, true), d);
    let change = 0;
    let norm = 0;
    for (let i = 0; i < next.length; i++) {
      change += square(next[i]! - covariance[i]!);
      norm += square(next[i]!);
    }
    error = Math.sqrt(change / (norm || 1));
    covariance = next;
    iterations++;
    if (onIteration?.({ iteration: iterations, error }) === false) break;
  }
  return { covariance, iterations, error, converged: error <= tolerance };
}

/** The symmetric part, against rounding. */
function symmetric(a: Float64Array, d: number): Float64Array {
  return a.map((value, at) => (value + a[(at % d) * d + Math.floor(at / d)]!) / 2);
}
