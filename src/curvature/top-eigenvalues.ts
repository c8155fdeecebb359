import { checkFinite, checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { inPrecision } from '../linalg/lanczos.js';
import { checkOperator, readVector } from '../linalg/operator.js';
import { restartedLanczos, type SpectrumEnd } from '../linalg/restarted-lanczos.js';

export interface TopEigenvaluesOptions extends LongOptions {
  /** Eigenvalues wanted; 1. */
  readonly k?: number;
  /** `'largest'` (default) and `'smallest'` by value, `'magnitude'` by absolute value. */
  readonly end?: SpectrumEnd;
  /** On ‖A y − θ y‖, relative to the largest |eigenvalue|; 1e-7 for f64 operators, 1e-4 for f32. */
  readonly tolerance?: number;
  /** Products at most before the k of the residuals; 1000, and never fewer than k. */
  readonly maxIterations?: number;
  /** Vectors kept before a restart; max(40, 3k), less when that would pass a gigabyte. */
  readonly subspace?: number;
  /** Look once more, from another start, for copies of repeated eigenvalues; true. */
  readonly verify?: boolean;
  readonly start?: NumberArray;
  readonly seed?: number;
}

export interface TopEigenvalues {
  /** Most wanted first [k], f64. */
  readonly values: Float64Array;
  /** Unit eigenvectors, k of [d], in the operator's precision. */
  readonly vectors: FloatArray[];
  /** ‖A y − θ y‖ of each pair [k], from one more product each. An eigenvalue lies within it of the value. */
  readonly residuals: Float64Array;
  readonly converged: boolean;
  /** Products with the operator, those of the residuals included. */
  readonly iterations: number;
}

/**
 * The k eigenvalues of a symmetric operator at one end of its spectrum, by thick-restart Lanczos with full re-orthogonalisation.
 *
 * @param op symmetric operator of size d, such as `hessianOperator(model, data)`
 * @param options `k` (1), `end` ('largest' | 'smallest' | 'magnitude'), `tolerance` (1e-7 f64, 1e-4 f32), `maxIterations` (1000),
 *   `subspace`, `verify` (true: finds repeated eigenvalues with their multiplicity), `start` [d], `seed` (0), `signal`, `onProgress`
 * @returns `values` [k] most wanted first, `vectors`, `residuals`, `converged`, `iterations` (products)
 * @throws {DomainError | ShapeError} when k exceeds the size, or on products that are not finite
 * @see Wu & Simon 2000 (thick restart); Yao et al. 2020, arXiv:1912.07145 (PyHessian), which uses power iteration instead
 */
export async function topEigenvalues(op: LinearOperator, options: TopEigenvaluesOptions = {}): Promise<TopEigenvalues> {
  checkOperator('op', op);
  const { k = 1, end = 'largest', tolerance = op.precision === 'float32' ? 1e-4 : 1e-7, maxIterations = 1000 } = readLong(options);
  const { verify = true, seed = 0, signal, onProgress } = options;
  checkInteger('size', op.size, 1);
  checkInteger('k', k, 1, op.size);
  checkOneOf('end', end, ['largest', 'smallest', 'magnitude']);
  checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 1);
  const affordable = Math.floor(2 ** 30 / (8 * op.size));
  const subspace = options.subspace ?? Math.max(2 * k + 2, Math.min(Math.max(40, 3 * k), affordable));
  checkInteger('subspace', subspace, Math.min(k + 2, op.size));
  const start = options.start && readVector('start', options.start, op.size);
  if (start) {
    checkFinite('start', start);
    if (start.every((x) => x === 0)) throw new DomainError('start: expected a vector other than zero, got zeros');
  }
  const found = await restartedLanczos(op, {
    k,
    end,
    subspace,
    tolerance,
    maxProducts: Math.max(maxIterations, k), // k vectors need as many products
    seed,
    verify,
    start,
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
  return {
    values: Float64Array.from(found.pairs, ({ value }) => value),
    vectors: found.pairs.map(({ vector }) => inPrecision(op, vector)),
    residuals: found.residuals,
    converged: found.converged,
    iterations: found.products,
  };
}
