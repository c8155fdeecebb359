import { checkAborted } from '../core/batches.js';
import { checkFinite, checkInteger, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { inPrecision } from './lanczos.js';
import { checkOperator, inner, norm, products, readVector } from './operator.js';

export interface PowerIterationOptions extends LongOptions {
  /** On ‖A v − λ v‖ / |λ|; 1e-6 for f64 operators, 1e-3 for f32. */
  readonly tolerance?: number;
  readonly maxIterations?: number;
  readonly start?: NumberArray;
  readonly seed?: number;
}

/**
 * The eigenvalue of largest magnitude of a symmetric operator by power iteration: one vector of memory, slow when the next is close.
 * `topEigenvalues` (Lanczos) needs fewer products wherever its basis fits in memory.
 *
 * @param op symmetric operator of size d; one product per iteration
 * @param options `tolerance` on the relative residual (1e-6 f64, 1e-3 f32), `maxIterations` (1000), `start`, `seed` (0)
 * @returns `value` (Rayleigh quotient), unit `vector` [d], `residual` ‖A v − value·v‖, `iterations`, `converged`; a zero operator
 *   gives value 0, converged
 * @throws {ShapeError | DomainError} on a start of another length or zero
 */
export async function powerIteration(
  op: LinearOperator,
  options: PowerIterationOptions = {},
): Promise<{ value: number; vector: FloatArray; residual: number; iterations: number; converged: boolean }> {
  checkOperator('op', op);
  const { tolerance = op.precision === 'float32' ? 1e-3 : 1e-6, maxIterations = 1000, seed = 0 } = readLong(options);
  checkInteger('size', op.size, 1);
  checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 1);
  const v = options.start ? readVector('start', options.start, op.size) : new Random(seed).fill(new Float64Array(op.size));
  checkFinite('start', v);
  const length = norm(v);
  if (!(length > 0)) throw new DomainError('start: expected a vector other than zero, got zeros');
  for (let i = 0; i < v.length; i++) v[i] = v[i]! / length;
  const A = products(op);
  const rest = new Float64Array(op.size);
  let value = 0;
  let residual = Infinity;
  for (let iteration = 1; ; iteration++) {
    checkAborted(options.signal);
    const w = await A.apply(v);
    value = inner(v, w);
    const size = norm(w);
    for (let i = 0; i < v.length; i++) rest[i] = w[i]! - value * v[i]!;
    residual = norm(rest);
    const converged = residual <= tolerance * Math.abs(value);
    options.onProgress?.({ done: iteration, total: maxIterations, phase: 'power iteration' });
    if (converged || iteration === maxIterations) return { value, vector: inPrecision(op, v), residual, iterations: iteration, converged };
    for (let i = 0; i < v.length; i++) v[i] = w[i]! / size;
  }
}
