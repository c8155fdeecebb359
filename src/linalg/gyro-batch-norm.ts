import { asRecord, checkFinite, checkInteger, checkNonNegative, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { square } from '../core/square.js';
import type { FloatArray, NumberArray, Tensor, TensorLike } from '../core/tensor.js';
import { asFloats, asTensor, isFloatArray, precisionOf, sizeOf } from '../core/tensor.js';
import { ballSpace, type GyroSpace, mobiusAdd, spdSpace } from './gyro-space.js';
import { toTensor } from './matrix.js';
import { inner } from './operator.js';

export interface GyroOptions {
  /** `'poincare'` for points [n, d] of the ball (default), `'spd'` for matrices [n, m, m]. */
  readonly space?: 'poincare' | 'spd';
  /** poincare: c > 0, the ball has radius 1/√c and curvature −c; 1. */
  readonly curvature?: number;
}

/** Points [n, …] of a space, checked. */
function read(points: TensorLike, { space = 'poincare', curvature = 1 }: GyroOptions) {
  checkOneOf('space', space, ['poincare', 'spd']);
  checkPositive('curvature', curvature);
  const { data, shape } = asTensor('points', points);
  const fits = space === 'spd' ? shape.length === 3 && shape[1] === shape[2] : shape.length === 2;
  if (!fits || shape[0] === 0) {
    throw new ShapeError(`points: expected shape ${space === 'spd' ? '[n, m, m]' : '[n, d]'} with n >= 1, got [${shape.join(', ')}]`);
  }
  const given = asFloats('points', data);
  checkFinite('points', given);
  const made =
    space === 'spd'
      ? spdSpace(shape[1]!, (name, value) => {
          throw new DomainError(`${name}: expected a positive definite matrix, got the eigenvalue ${value}`);
        })
      : ballSpace(curvature, (name, size) => {
          throw new DomainError(`${name}: expected a point of the open ball of radius ${1 / Math.sqrt(curvature)}, got norm ${size}`);
        });
  const width = sizeOf(shape.slice(1));
  const list = Array.from({ length: shape[0]! }, (_, i) => Float64Array.from(given.subarray(i * width, (i + 1) * width)));
  list.forEach((x, i) => {
    made.check(`points[${i}]`, x);
  });
  return { space: made, list, width, shape, precision: isFloatArray(data) ? precisionOf(data) : ('float64' as const) };
}

export interface FrechetOptions {
  readonly tolerance?: number;
  readonly maxIterations?: number;
  /** Called after every step with the norm of the mean logarithm; false stops. */
  readonly onIteration?: (info: { readonly iteration: number; readonly error: number }) => unknown;
}

/** Karcher's iteration: moves along the mean of the logarithms, the step halved whenever their mean grows. */
function karcher(
  space: GyroSpace,
  list: readonly Float64Array[],
  { tolerance = 1e-12, maxIterations = 1000, onIteration }: FrechetOptions,
) {
  let mean = list[0]!;
  let step = 1;
  let size = Number.POSITIVE_INFINITY;
  for (let iteration = 1; ; iteration++) {
    const back = space.negate(mean);
    const pull = new Float64Array(mean.length);
    for (const x of list) for (const [i, v] of space.log(space.add(back, x)).entries()) pull[i] = pull[i]! + v / list.length;
    const now = Math.sqrt(inner(pull, pull));
    const stopped = onIteration?.({ iteration, error: now }) === false;
    if (now <= tolerance || iteration >= maxIterations || stopped)
      return { mean, residual: now, iterations: iteration, converged: now <= tolerance };
    if (now > size) step /= 2;
    size = now;
    mean = space.add(mean, space.exp(pull.map((v) => step * v)));
  }
}

/**
 * The Fréchet mean of points on a manifold: the point with the least mean squared distance to them, by Karcher's iteration.
 *
 * @param points [n, d] in the Poincaré ball, or [n, m, m] positive definite matrices
 * @param options `space` ('poincare'), `curvature` c (1), `tolerance` on the norm of the mean logarithm (1e-12), `maxIterations` (1000),
 *   `onIteration` (return false to stop)
 * @returns `mean` in the precision of the points, `variance` = mean squared distance to it, `iterations`, `converged`
 * @throws {ShapeError | DomainError} on points outside the space
 * @see Karcher 1977; Chen et al. 2025, A Gyro approach to Riemannian batch normalisation, §4
 */
export function frechetMean(
  points: TensorLike,
  options: GyroOptions & FrechetOptions = {},
): { mean: Tensor<FloatArray>; variance: number; iterations: number; converged: boolean } {
  const { tolerance = 1e-12, maxIterations = 1000 } = readIterative(options);
  checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 1);
  const { space, list, shape, precision } = read(points, options);
  const { mean, iterations, converged } = karcher(space, list, options);
  const variance = list.reduce((sum, x) => sum + square(space.distance(mean, x)) / list.length, 0);
  return { mean: toTensor(precision, mean, shape.slice(1)), variance, iterations, converged };
}

/**
 * Batch normalisation on a gyro space: centred at the Fréchet mean, scaled to a wanted dispersion, moved to a wanted centre.
 *   x_i → β ⊕ ( s/√(v² + ε) ⊙ (⊖μ ⊕ x_i) ),  μ the Fréchet mean, v² the mean squared distance to it
 *
 * @param points [n, d] in the Poincaré ball, or [n, m, m] positive definite matrices
 * @param options `beta` centre β (the identity), `scale` s (1), `epsilon` (0), `space`, `curvature` as for `frechetMean`,
 *   `onIteration` (return false to stop: normalised at the mean so far)
 * @returns `points` of the same shape, whose Fréchet mean is β and whose dispersion is s² (for ε = 0); `mean` μ and `variance` v² found
 * @throws {ShapeError | DomainError} on points outside the space; points that are all equal are moved to β
 * @see Chen et al. 2025, Riemannian Batch Normalization: A Gyro Approach; Ungar 2008 (gyrovector spaces)
 */
export function gyroBatchNorm(
  points: TensorLike,
  options: GyroOptions & Pick<FrechetOptions, 'onIteration'> & { beta?: NumberArray; scale?: number; epsilon?: number } = {},
): { points: Tensor<FloatArray>; mean: Tensor<FloatArray>; variance: number } {
  const { scale = 1, epsilon = 0, onIteration } = readIterative(options);
  checkPositive('scale', scale);
  checkNonNegative('epsilon', epsilon);
  const { space, list, width, shape, precision } = read(points, options);
  const beta = options.beta ? Float64Array.from(asFloats('beta', options.beta)) : space.identity(width);
  if (beta.length !== width) throw new ShapeError(`beta: expected ${width} elements, got ${beta.length}`);
  checkFinite('beta', beta);
  space.check('beta', beta);
  const { mean } = karcher(space, list, { tolerance: 1e-13, ...(onIteration && { onIteration }) });
  const variance = list.reduce((sum, x) => sum + square(space.distance(mean, x)) / list.length, 0);
  const factor = variance + epsilon > 0 ? scale / Math.sqrt(variance + epsilon) : 0;
  const back = space.negate(mean);
  const out = new Float64Array(list.length * width);
  list.forEach((x, i) => {
    out.set(space.add(beta, space.scale(factor, space.add(back, x))), i * width);
  });
  return { points: toTensor(precision, out, shape), mean: toTensor(precision, mean, shape.slice(1)), variance };
}

/**
 * Möbius addition x ⊕ y in the Poincaré ball of curvature −c: the hyperbolic translation that takes 0 to x, applied to y.
 *
 * @param x [d]; @param y [d], both of norm < 1/√c
 * @param options `curvature` c (1)
 * @returns [d], f64; (−x) ⊕ (x ⊕ y) = y, and c → 0 gives x + y
 * @throws {ShapeError | DomainError} on points outside the ball
 * @see Ungar 2008; Ganea, Bécigneul & Hofmann 2018, arXiv:1805.09112, eq. 4
 */
export function poincareAdd(x: NumberArray, y: NumberArray, options: { curvature?: number } = {}): Float64Array {
  const { curvature = 1 } = asRecord('options', options);
  const [a, b] = [Float64Array.from(asFloats('x', x)), Float64Array.from(asFloats('y', y))];
  if (a.length !== b.length) throw new ShapeError(`y: expected ${a.length} elements, got ${b.length}`);
  checkPositive('curvature', curvature);
  for (const [name, point] of [['x', a] as const, ['y', b] as const]) {
    checkFinite(name, point);
    if (!(curvature * inner(point, point) < 1))
      throw new DomainError(
        `${name}: expected a point of the open ball of radius ${1 / Math.sqrt(curvature)}, got norm ${Math.sqrt(inner(point, point))}`,
      );
  }
  return mobiusAdd(a, b, curvature);
}
