import { checkAborted } from '../core/batches.js';
import { checkFinite, checkInteger } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { floats } from '../core/tensor.js';
import { Basis } from './basis.js';
import { checkOperator, inner, norm, products, readVector } from './operator.js';

export interface LanczosOptions extends LongOptions {
  /** Steps at most; fewer when an invariant subspace is found first. Never more than the operator's size. */
  readonly steps: number;
  /** Start vector [d], any length; normal draws of `seed` by default. */
  readonly start?: NumberArray;
  readonly seed?: number;
  /** `false` leaves the basis out of the result (it is kept while running all the same). */
  readonly basis?: boolean;
}

export interface LanczosResult {
  /** Diagonal of T [m], f64. */
  readonly alpha: Float64Array;
  /** Off-diagonal of T [m − 1], f64. */
  readonly beta: Float64Array;
  /** The Lanczos vectors, m of [d], in the operator's precision; A V = V T + residual·v₊ e_mᵀ. */
  readonly basis: FloatArray[];
  /** m: `steps`, unless the recurrence broke down. */
  readonly steps: number;
  /** ‖A v_m − …‖ after the last step: the norm of what T leaves out. 0 for an invariant subspace. */
  readonly residual: number;
  /** True when an invariant subspace was found: T's eigenvalues are then eigenvalues of A to rounding. */
  readonly breakdown: boolean;
}

/** A residual below this share of the largest |T| is rounding, not direction: the operator's own noise decides. */
export const breakdownLevel = { float32: 2e-6, float64: 1e-13 } as const;

/**
 * Lanczos tridiagonalisation Vᵀ A V = T of a symmetric operator, with full re-orthogonalisation in two passes, in f64.
 *
 * @param op symmetric operator of size d; one product per step
 * @param options `steps`; `start` [d] (normal draws of `seed`, 0); `signal`, `onProgress`
 * @returns `alpha` [m], `beta` [m − 1], `basis`, `residual`, `breakdown`; m < steps only after a breakdown
 * @throws {ShapeError | DomainError} on a start of another length, a zero start, or products that are not finite
 * @see Lanczos 1950; Parlett, The Symmetric Eigenvalue Problem, §13; used on Hessians by Ghorbani et al. 2019, arXiv:1901.10159
 */
export async function lanczos(op: LinearOperator, options: LanczosOptions): Promise<LanczosResult> {
  const { seed = 0, basis: wantBasis = true, signal, onProgress } = readLong(options, '{ steps }');
  checkOperator('op', op);
  checkInteger('steps', options.steps, 1);
  checkInteger('size', op.size, 1);
  const steps = Math.min(options.steps, op.size);
  const v = options.start ? readVector('start', options.start, op.size) : new Random(seed).fill(new Float64Array(op.size));
  checkFinite('start', v);
  const length = norm(v);
  if (!(length > 0)) throw new DomainError('start: expected a vector other than zero, got zeros');
  for (let i = 0; i < v.length; i++) v[i] = v[i]! / length;

  const vectors = new Basis(op.size, steps);
  const A = products(op);
  const alpha: number[] = [];
  const beta: number[] = [];
  let next: Float64Array = v;
  let largest = 0;
  let residual = 0;
  let breakdown = false;
  for (let step = 0; step < steps && !breakdown; step++) {
    checkAborted(signal);
    vectors.push(next);
    const w = await A.apply(next);
    const a = inner(next, w);
    alpha.push(a);
    residual = vectors.orthogonalize(w).norm;
    largest = Math.max(largest, Math.abs(a), beta.at(-1) ?? 0, step === 0 ? residual : 0);
    breakdown = residual <= breakdownLevel[op.precision] * largest;
    if (!breakdown && step + 1 < steps) {
      beta.push(residual);
      for (let i = 0; i < w.length; i++) w[i] = w[i]! / residual;
      next = w;
    }
    onProgress?.({ done: step + 1, total: steps, phase: 'lanczos' });
  }
  const count = vectors.count;
  return {
    alpha: Float64Array.from(alpha),
    beta: Float64Array.from(beta),
    basis: wantBasis ? Array.from({ length: count }, (_, j) => inPrecision(op, vectors.get(j))) : [],
    steps: count,
    residual,
    breakdown,
  };
}

/** A vector in the precision of an operator. */
export function inPrecision(op: LinearOperator, v: Float64Array): FloatArray {
  if (op.precision === 'float64') return v;
  const out = floats('float32', v.length);
  out.set(v);
  return out;
}
