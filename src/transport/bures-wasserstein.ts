import { checkFinite, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { asFloats, type NumberArray, type TensorLike } from '../core/tensor.js';
import { eigh } from '../linalg/eigh.js';
import { readSymmetric } from '../linalg/matrix.js';
import { svd } from '../linalg/svd.js';
import { checkProblem } from './problem.js';

/** A Gaussian by its moments; a mean left out is zero. */
export interface Gaussian {
  /** [d] */
  readonly mean?: NumberArray;
  /** [d, d] symmetric, positive semi-definite */
  readonly covariance: TensorLike;
}

/** Derivatives of `power` by the moments of one Gaussian. */
export interface GaussianGradient {
  /** [d] */
  readonly mean: Float64Array;
  /** [d, d] row-major, or undefined where the covariance is singular: the distance has no derivative there. */
  readonly covariance: Float64Array | undefined;
}

export interface BuresResult {
  /** W_2 */
  readonly distance: number;
  /** W_2² = |m_x − m_y|² + tr(S_x + S_y − 2(S_x^½ S_y S_x^½)^½) */
  readonly power: number;
  /** [d, d] row-major A of the transport map T(v) = m_y + A(v − m_x); undefined where S_x is singular. */
  readonly map: Float64Array | undefined;
  readonly gradX: GaussianGradient;
  readonly gradY: GaussianGradient;
}

/** A covariance with its square root and eigenvalues. */
export interface Root {
  readonly size: number;
  readonly trace: number;
  /** S^½ and, where S is invertible, S^−½, [d, d] row-major. */
  readonly half: Float64Array;
  readonly inverseHalf: Float64Array | undefined;
}

/**
 * Wasserstein-2 distance between Gaussians (Bures distance between covariances), the transport map and all gradients, in f64.
 * The trace of the cross term is the nuclear norm of S_y^½ S_x^½, so that singular covariances lose no digits.
 *
 * @param x @param y `mean` [d] (zero) and `covariance` [d, d]
 * @returns `distance`, `power` = distance², `map`, `gradX`, `gradY` of `power` by mean and covariance: I − A for the covariance of x
 * @throws {ShapeError} when extents differ; {DomainError} when a covariance is not symmetric or has a negative eigenvalue
 * @see Bhatia, Jain & Lim 2019, On the Bures–Wasserstein distance between positive definite matrices, arXiv:1712.01504
 */
export function buresWasserstein(x: Gaussian, y: Gaussian): BuresResult {
  for (const [name, given] of [['x', x] as const, ['y', y] as const]) checkProblem(name, given, '{ mean?, covariance }');
  const sx = rootOf('x.covariance', x.covariance);
  const sy = rootOf('y.covariance', y.covariance);
  const d = sx.size;
  checkLength('y.covariance', sy.half, d * d);
  const [mx, my] = [readMean('x.mean', x.mean, d), readMean('y.mean', y.mean, d)];
  const shift = mx.map((v, i) => v - my[i]!);
  const { u, s, v } = svd({ data: multiply(sy.half, sx.half, d), shape: [d, d] });
  let power = sx.trace + sy.trace;
  for (const value of s) power -= 2 * value;
  for (const value of shift) power += value * value;
  power = Math.max(0, power);
  const map = between(sx.inverseHalf, v.data as Float64Array, s, d);
  const inverse = between(sy.inverseHalf, u.data as Float64Array, s, d);
  return {
    distance: Math.sqrt(power),
    power,
    map,
    gradX: { mean: shift.map((value) => 2 * value), covariance: map && identityMinus(map, d) },
    gradY: { mean: shift.map((value) => -2 * value), covariance: inverse && identityMinus(inverse, d) },
  };
}

/** Reads a covariance and takes its root. Eigenvalues below 1e-12 of the largest count as zero. */
export function rootOf(name: string, covariance: TensorLike): Root {
  const { data, rows: d } = readSymmetric(name, covariance);
  const { values, vectors } = eigh({ data, shape: [d, d] });
  const q = vectors.data as Float64Array;
  const top = Math.max(0, values[d - 1] ?? 0);
  const least = values[0] ?? 0;
  if (least < -1e-8 * (top || 1))
    throw new DomainError(`${name}: expected no negative eigenvalue, got ${least}; add a multiple of the identity`);
  const singular = !(least > 1e-12 * top);
  let trace = 0;
  for (let i = 0; i < d; i++) trace += data[i * d + i]!;
  const roots = values.map((value) => Math.sqrt(Math.max(0, value)));
  return {
    size: d,
    trace,
    half: compose(q, roots, d),
    inverseHalf: singular
      ? undefined
      : compose(
          q,
          roots.map((value) => 1 / value),
          d,
        ),
  };
}

/** Q diag(s) Qᵀ, Q [d, d] with vectors in columns. */
export function compose(q: Float64Array, s: ArrayLike<number>, d: number): Float64Array {
  const scaled = q.map((value, at) => value * s[at % d]!);
  return multiply(scaled, q, d, true);
}

/** A B, or A Bᵀ, of d × d row-major matrices. */
export function multiply(a: Float64Array, b: Float64Array, d: number, transB = false): Float64Array {
  const out = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let k = 0; k < d; k++) {
      const factor = a[i * d + k]!;
      if (transB) for (let j = 0; j < d; j++) out[i * d + j]! += factor * b[j * d + k]!;
      else for (let j = 0; j < d; j++) out[i * d + j]! += factor * b[k * d + j]!;
    }
  }
  return out;
}

/** S^−½ (V diag(s) Vᵀ) S^−½: the symmetric map that carries one covariance onto the other. */
function between(inverseHalf: Float64Array | undefined, v: Float64Array, s: Float64Array, d: number): Float64Array | undefined {
  if (!inverseHalf) return undefined;
  const map = multiply(multiply(inverseHalf, compose(v, s, d), d), inverseHalf, d);
  return map.map((value, at) => (value + map[(at % d) * d + Math.floor(at / d)]!) / 2);
}

function identityMinus(a: Float64Array, d: number): Float64Array {
  return a.map((value, at) => (at % (d + 1) === 0 ? 1 - value : -value));
}

function readMean(name: string, mean: NumberArray | undefined, d: number): Float64Array {
  if (mean === undefined) return new Float64Array(d);
  const values = Float64Array.from(asFloats(name, mean));
  checkLength(name, values, d);
  checkFinite(name, values);
  return values;
}
