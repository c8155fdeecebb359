// Random vectors of the stochastic estimators, and means with their standard errors.
import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { square } from '../core/square.js';
import type { FloatArray, IntegerArray, TensorLike } from '../core/tensor.js';
import { asFloats, asTensor, describe, isTypedArray } from '../core/tensor.js';
import { Basis } from '../linalg/basis.js';
import { norm } from '../linalg/operator.js';

/** Vectors given by a caller: a tensor [s, d], or a list of s arrays of d numbers. */
export type Vectors = TensorLike | readonly (FloatArray | IntegerArray | readonly number[])[];

/** Given vectors as f64 copies. @throws {ShapeError | DomainError} by name */
export function readVectors(name: string, value: Vectors, size: number): Float64Array[] {
  if (Array.isArray(value)) {
    return value.map((v, i) => {
      const numbers = Float64Array.from(asFloats(`${name}[${i}]`, v));
      if (numbers.length !== size) throw new ShapeError(`${name}[${i}]: expected ${size} elements, got ${numbers.length}`);
      checkFinite(`${name}[${i}]`, numbers);
      return numbers;
    });
  }
  if (isTypedArray(value)) throw new DomainError(`${name}: expected a tensor [s, ${size}] or a list of vectors, got ${describe(value)}`);
  const { data, shape } = asTensor(name, value);
  if (shape.length !== 2 || shape[1] !== size) throw new ShapeError(`${name}: expected shape [s, ${size}], got [${shape.join(', ')}]`);
  const numbers = Float64Array.from(data as ArrayLike<number>, Number);
  checkFinite(name, numbers);
  return Array.from({ length: shape[0]! }, (_, i) => numbers.slice(i * size, (i + 1) * size));
}

/** `count` random vectors: ±1 (Rademacher), or standard normal. */
export function draw(count: number, size: number, seed: number, kind: 'sign' | 'normal' = 'sign'): Float64Array[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.fill(new Float64Array(size), kind));
}

/** Mean and standard error of the mean (NaN for a single sample: one number says nothing about its spread). */
export function meanAndError(samples: ArrayLike<number>): { mean: number; error: number } {
  const n = samples.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += samples[i]! / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += square(samples[i]! - mean);
  return { mean, error: n > 1 ? Math.sqrt(squares / (n - 1) / n) : Number.NaN };
}

/**
 * Orthonormal basis of some vectors by two passes of Gram–Schmidt, and the triangle R [n, n] with vectors = Q R. A vector that
 * depends on those before it adds nothing: it has no diagonal element and is not among the `kept`.
 */
export function orthonormalize(vectors: readonly Float64Array[], size: number): { basis: Basis; R: Float64Array; kept: number[] } {
  const n = vectors.length;
  const basis = new Basis(size, n);
  const R = new Float64Array(n * n);
  const kept: number[] = [];
  vectors.forEach((given, j) => {
    const v = given.slice();
    const before = norm(v);
    const { norm: rest, coefficients } = basis.orthogonalize(v);
    for (let i = 0; i < coefficients.length; i++) R[i * n + j] = coefficients[i]!;
    if (rest > 1e-10 * before) {
      R[basis.count * n + j] = rest;
      for (let i = 0; i < size; i++) v[i] = v[i]! / rest;
      basis.push(v);
      kept.push(j);
    }
  });
  return { basis, R, kept };
}
