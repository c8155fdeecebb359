// Spaces with a gyrogroup addition and a scalar product: hyperbolic (Poincaré ball) and symmetric positive definite matrices.
// Points are flat f64 arrays; the methods of this file check nothing, their callers do.
import { exp, log } from '../kernels/scalar.js';
import { eigh } from './eigh.js';
import { multiply, transpose } from './matrix.js';
import { inner } from './operator.js';

/** What batch normalisation and the Fréchet mean need of a space. */
export interface GyroSpace {
  readonly name: string;
  /** Throws when `x` is not a point. */
  check(name: string, x: Float64Array): void;
  identity(size: number): Float64Array;
  /** x ⊕ y: moves y by the isometry that takes the identity to x. */
  add(x: Float64Array, y: Float64Array): Float64Array;
  /** ⊖x. */
  negate(x: Float64Array): Float64Array;
  /** r ⊙ x: r times as far from the identity, on the same geodesic. */
  scale(r: number, x: Float64Array): Float64Array;
  distance(x: Float64Array, y: Float64Array): number;
  /** Logarithm at the identity, in coordinates whose Euclidean norm is the distance, and its inverse. */
  log(x: Float64Array): Float64Array;
  exp(v: Float64Array): Float64Array;
}

/** tanh for x ≥ 0 and atanh for 0 ≤ x < 1, with the same bits in every runtime. */
const tanh = (x: number): number => {
  if (x < 1e-4) return x - (x * x * x) / 3;
  const e = exp(-2 * x);
  return (1 - e) / (1 + e);
};
const atanh = (x: number): number => (x < 1e-4 ? x + (x * x * x) / 3 : 0.5 * log((1 + x) / (1 - x)));

/** Möbius addition in the ball of curvature −c (Ungar 2008, eq. 3.127). */
export function mobiusAdd(x: Float64Array, y: Float64Array, c: number): Float64Array {
  const [xy, xx, yy] = [inner(x, y), inner(x, x), inner(y, y)];
  const below = 1 + 2 * c * xy + c * c * xx * yy;
  const [a, b] = [(1 + 2 * c * xy + c * yy) / below, (1 - c * xx) / below];
  return x.map((v, i) => a * v + b * y[i]!);
}

/** The Poincaré ball of radius 1/√c. */
export function ballSpace(c: number, refuse: (name: string, norm: number) => never): GyroSpace {
  const root = Math.sqrt(c);
  const length = (x: Float64Array) => Math.sqrt(inner(x, x));
  const along = (x: Float64Array, to: (size: number) => number) => {
    const size = length(x);
    if (size === 0) return x.slice();
    const factor = to(size) / size;
    return x.map((v) => factor * v);
  };
  const negate = (x: Float64Array) => x.map((v) => -v);
  const add = (x: Float64Array, y: Float64Array) => mobiusAdd(x, y, c);
  return {
    name: 'poincare',
    check(name, x) {
      if (!(root * length(x) < 1)) refuse(name, length(x));
    },
    identity: (size) => new Float64Array(size),
    add,
    negate,
    scale: (r, x) => along(x, (size) => (Math.sign(r) * tanh(Math.abs(r) * atanh(root * size))) / root),
    distance: (x, y) => (2 / root) * atanh(Math.min(root * length(add(negate(x), y)), 1 - Number.EPSILON)),
    log: (x) => along(x, (size) => (2 / root) * atanh(root * size)),
    exp: (v) => along(v, (size) => tanh((root * size) / 2) / root),
  };
}

/** f applied to the eigenvalues of a symmetric matrix [n, n]. */
function matrixFunction(a: Float64Array, n: number, f: (value: number) => number): Float64Array {
  const { values, vectors } = eigh({ data: a, shape: [n, n] });
  const V = vectors.data as Float64Array;
  const scaled = V.map((v, i) => v * f(values[i % n]!));
  const out = multiply(scaled, transpose(V, n, n), n, n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[i * n + j] = out[j * n + i] = (out[i * n + j]! + out[j * n + i]!) / 2;
  return out;
}

/** Symmetric positive definite matrices [n, n] with the affine-invariant metric. */
export function spdSpace(n: number, refuse: (name: string, value: number) => never): GyroSpace {
  const power = (a: Float64Array, p: number) => matrixFunction(a, n, (value) => exp(p * log(value)));
  const sandwich = (outer: Float64Array, middle: Float64Array) => {
    const out = multiply(multiply(outer, middle, n, n, n), outer, n, n, n);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[i * n + j] = out[j * n + i] = (out[i * n + j]! + out[j * n + i]!) / 2;
    return out;
  };
  const add = (x: Float64Array, y: Float64Array) => sandwich(power(x, 0.5), y);
  const logarithm = (x: Float64Array) => matrixFunction(x, n, log);
  return {
    name: 'spd',
    check(name, x) {
      const smallest = eigh({ data: x, shape: [n, n] }, { vectors: false }).values[0]!;
      if (!(smallest > 0)) refuse(name, smallest);
    },
    identity: () => Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
    add,
    negate: (x) => power(x, -1),
    scale: (r, x) => power(x, r),
    distance: (x, y) => Math.sqrt(inner(logarithm(sandwich(power(x, -0.5), y)), logarithm(sandwich(power(x, -0.5), y)))),
    log: logarithm,
    exp: (v) => matrixFunction(v, n, exp),
  };
}
