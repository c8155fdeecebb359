import { checkAborted } from '../core/batches.js';
import { checkFinite, checkInteger, checkNonNegative, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { inPrecision } from './lanczos.js';
import { checkOperator, inner, norm, products, readVector } from './operator.js';
import { scaleBy, tame } from './scale.js';

export interface ConjugateGradientOptions extends LongOptions {
  /** λ in (A + λI) x = b; 0. */
  readonly damping?: number;
  /** On ‖b − (A + λI)x‖ / ‖b‖; 1e-8 for f64 operators, 1e-5 for f32. */
  readonly tolerance?: number;
  /** 2·size by default. */
  readonly maxIterations?: number;
  /** Approximate inverse of A + λI, symmetric positive definite. */
  readonly preconditioner?: LinearOperator;
  /** First guess [d]; zeros. */
  readonly start?: NumberArray;
}

export interface ConjugateGradientResult {
  readonly x: FloatArray;
  readonly iterations: number;
  /** Relative residual ‖b − (A + λI)x‖ / ‖b‖, from the recurrence. */
  readonly residual: number;
  readonly converged: boolean;
  /** The first direction p met with pᵀ(A + λI)p ≤ 0, and that value over pᵀp; the solver stops there and keeps the x before it. */
  readonly negativeCurvature: { readonly direction: FloatArray; readonly curvature: number } | undefined;
}

/**
 * Solves (A + λI) x = b by (preconditioned) conjugate gradients, in f64, and reports negative curvature instead of diverging on it.
 *
 * @param op symmetric operator of size d; one product per iteration (one more when `start` is given)
 * @param b right-hand side [d]
 * @param options `damping` λ (0), `tolerance` (1e-8 f64, 1e-5 f32), `maxIterations` (2·d), `preconditioner`, `start`, `signal`, `onProgress`
 * @returns `x` [d] in the operator's precision, `iterations`, `residual`, `converged`, `negativeCurvature`
 * @throws {ShapeError | DomainError} on wrong lengths, NaN or a negative damping; running out of iterations is `converged: false`
 * @see Hestenes & Stiefel 1952; negative curvature: Martens 2010 (Hessian-free), §4
 */
export async function conjugateGradient(
  op: LinearOperator,
  b: NumberArray,
  options: ConjugateGradientOptions = {},
): Promise<ConjugateGradientResult> {
  checkOperator('op', op);
  const {
    damping = 0,
    tolerance = op.precision === 'float32' ? 1e-5 : 1e-8,
    maxIterations = 2 * op.size,
    preconditioner,
  } = readLong(options);
  checkNonNegative('damping', damping);
  checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 0);
  const rhs = readVector('b', b, op.size);
  checkFinite('b', rhs);
  if (preconditioner) {
    checkOperator('preconditioner', preconditioner);
    if (preconditioner.size !== op.size)
      throw new DomainError(`preconditioner: expected an operator of size ${op.size}, got ${preconditioner.size}`);
  }
  const A = products(op);
  const M = preconditioner && products(preconditioner);
  const damped = async (v: Float64Array) => {
    const w = await A.apply(v);
    if (damping) for (let i = 0; i < w.length; i++) w[i] = w[i]! + damping * v[i]!;
    return w;
  };

  const x = options.start ? readVector('start', options.start, op.size) : new Float64Array(op.size);
  const factor = tame(rhs, x); // squares of b and of residuals stay in range
  const r = rhs.slice();
  if (options.start) {
    checkFinite('start', x);
    const ax = await damped(x);
    for (let i = 0; i < r.length; i++) r[i] = r[i]! - ax[i]!;
  }
  const scale = norm(rhs);
  const done = (iterations: number, negativeCurvature?: ConjugateGradientResult['negativeCurvature']): ConjugateGradientResult => {
    const residual = scale > 0 ? norm(r) / scale : norm(r);
    return { x: inPrecision(op, scaleBy(x, factor)), iterations, residual, converged: residual <= tolerance, negativeCurvature };
  };

  let z = M ? await M.apply(r) : r;
  const p = z.slice();
  let rz = inner(r, z);
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (norm(r) <= tolerance * scale) return done(iteration);
    checkAborted(options.signal);
    const q = await damped(p);
    const curvature = inner(p, q);
    const squares = inner(p, p);
    if (!(curvature > 0)) {
      return done(iteration + 1, { direction: inPrecision(op, p), curvature: squares > 0 ? curvature / squares : 0 });
    }
    const step = rz / curvature;
    for (let i = 0; i < x.length; i++) {
      x[i] = x[i]! + step * p[i]!;
      r[i] = r[i]! - step * q[i]!;
    }
    z = M ? await M.apply(r) : r;
    const fresh = inner(r, z);
    const ratio = fresh / rz;
    rz = fresh;
    for (let i = 0; i < p.length; i++) p[i] = z[i]! + ratio * p[i]!;
    options.onProgress?.({ done: iteration + 1, total: maxIterations, phase: 'conjugate gradient' });
  }
  return done(maxIterations);
}
