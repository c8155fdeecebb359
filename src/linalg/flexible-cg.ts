import { checkAborted } from '../core/batches.js';
import { checkFinite, checkInteger, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { readLong, stepper } from '../core/stepper.js';
import type { FloatArray, NumberArray } from '../core/tensor.js';
import { asFloats } from '../core/tensor.js';
import { inPrecision } from './lanczos.js';
import { checkOperator, inner, norm, products, readVector } from './operator.js';

/** Proposes a direction for a unit residual [d]: any function, for example the forward pass of a network. */
export type DirectionOracle = (residual: Float64Array) => ArrayLike<number> | Promise<ArrayLike<number>>;

/**
 * Flexible conjugate gradients: solves A x = b along directions that an oracle proposes from the residual, made A-orthogonal to the last
 * few. The identity gives plain conjugate gradients, A⁻¹ one step, a trained network the deep conjugate direction method; with any
 * directions at all the error falls in the A-norm at every step.
 *   d = f(r/‖r‖), d ← d − Σ (dᵀA d_i)/(d_iᵀA d_i) d_i over the last `memory`, x ← x + (rᵀd/dᵀAd) d
 *
 * @param op symmetric positive definite operator of size d; one product per iteration; @param b right-hand side [d]; @param oracle f
 * @param options `memory` directions kept (2), `tolerance` on ‖r‖/‖b‖ (1e-8 f64, 1e-5 f32), `maxIterations` (2·d), `signal`, `onProgress`
 * @returns `x`, `iterations`, `residual` (relative), `converged`; a direction without curvature (dᵀAd ≤ 0) ends the run
 * @throws {ShapeError | DomainError} on wrong lengths, NaN, or an oracle whose answer does not fit
 * @see Kaneda et al. 2023, arXiv:2205.10763, algorithm 1; Notay 2000 (flexible CG)
 */
export async function flexibleCg(
  op: LinearOperator,
  b: NumberArray,
  oracle: DirectionOracle,
  options: LongOptions & { memory?: number; tolerance?: number; maxIterations?: number } = {},
): Promise<{ x: FloatArray; iterations: number; residual: number; converged: boolean }> {
  checkOperator('op', op);
  const {
    memory = 2,
    tolerance = op.precision === 'float32' ? 1e-5 : 1e-8,
    maxIterations = 2 * op.size,
    signal,
    onProgress,
  } = readLong(options);
  if (typeof oracle !== 'function') throw new DomainError('oracle: expected a function of the residual, got something else');
  checkInteger('memory', memory, 0);
  checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 0);
  const r = readVector('b', b, op.size);
  checkFinite('b', r);
  const scale = norm(r);
  const x = new Float64Array(op.size);
  const A = products(op);
  const kept: { d: Float64Array; Ad: Float64Array; curvature: number }[] = [];
  let iteration = 0;
  for (; iteration < maxIterations && norm(r) > tolerance * scale; iteration++) {
    checkAborted(signal);
    const length = norm(r);
    const proposal = await oracle(r.map((v) => v / length));
    if (proposal.length !== op.size) throw new ShapeError(`oracle: expected ${op.size} elements, got ${proposal.length}`);
    const d = Float64Array.from(asFloats('oracle', proposal));
    checkFinite('oracle', d);
    for (const { d: before, Ad, curvature } of kept) {
      const overlap = inner(d, Ad) / curvature;
      for (let i = 0; i < d.length; i++) d[i] = d[i]! - overlap * before[i]!;
    }
    const Ad = await A.apply(d);
    const curvature = inner(d, Ad);
    if (!(curvature > 0)) break;
    const step = inner(r, d) / curvature;
    for (let i = 0; i < d.length; i++) {
      x[i] = x[i]! + step * d[i]!;
      r[i] = r[i]! - step * Ad[i]!;
    }
    kept.push({ d, Ad, curvature });
    if (kept.length > memory) kept.shift();
    onProgress?.({ done: iteration + 1, total: maxIterations, phase: 'flexible conjugate gradient' });
  }
  const residual = scale > 0 ? norm(r) / scale : norm(r);
  return { x: inPrecision(op, x), iterations: iteration, residual, converged: residual <= tolerance };
}

/**
 * What a network f is trained to minimise so that its answer is a good direction: the squared residual after the best step along it.
 *   ‖r − α A f(r)‖², α = rᵀA f/‖A f‖²
 *
 * @param op symmetric operator; @param residual r [d]; @param direction f(r) [d]
 * @param options `signal`, looked at before each of the two products; `onProgress`
 * @returns `value` in [0, ‖r‖²], `step` α, `grad` with respect to the direction [d] (one more product)
 * @throws {ShapeError} when a length differs
 * @see Kaneda et al. 2023, arXiv:2205.10763, eq. 8
 */
export async function deepConjugateDirection(
  op: LinearOperator,
  residual: NumberArray,
  direction: NumberArray,
  options: LongOptions = {},
): Promise<{ value: number; step: number; grad: FloatArray }> {
  checkOperator('op', op);
  const r = readVector('residual', residual, op.size);
  const f = readVector('direction', direction, op.size);
  const A = products(op);
  const product = stepper(options, 2);
  const Af = await product(() => A.apply(f));
  const squares = inner(Af, Af);
  const step = squares > 0 ? inner(r, Af) / squares : 0;
  const left = r.map((v, i) => v - step * Af[i]!);
  // At the optimal step the derivative through α vanishes: ∇ = −2α A (r − αAf).
  const grad = (await product(() => A.apply(left))).map((v) => -2 * step * v);
  return { value: inner(left, left), step, grad: inPrecision(op, grad) };
}
