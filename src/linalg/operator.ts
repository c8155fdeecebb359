// LinearOperators as the recurrences see them: f64 vectors in and out, whatever the operator's own precision.
import { checkFloats, checkLength } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { LinearOperator } from '../core/model-types.js';
import { square } from '../core/square.js';
import type { FloatArray, NumberArray, TensorLike } from '../core/tensor.js';
import { asFloats, describe, floats } from '../core/tensor.js';
import { readSymmetric } from './matrix.js';

/** Throws unless `op` is a LinearOperator. @throws {DomainError} */
export function checkOperator(name: string, op: unknown): asserts op is LinearOperator {
  const candidate = op as Partial<LinearOperator> | null | undefined;
  const fits = typeof candidate?.apply === 'function' && Number.isInteger(candidate.size) && (candidate.size as number) >= 0;
  if (!fits) throw new DomainError(`${name}: expected a linear operator { size, precision, apply }, got ${describe(op)}`);
}

/** Throws unless both vectors of a product are floats, as many as the operator has rows. @throws {ShapeError | DomainError} */
export function checkProduct(v: FloatArray, out: FloatArray, size: number): void {
  for (const [name, vector] of [['v', v] as const, ['out', out] as const]) {
    checkFloats(name, vector);
    checkLength(name, vector, size);
  }
}

/** A function w = A v on f64 vectors, with the products counted and NaN refused. */
export function products(op: LinearOperator): { apply(v: Float64Array): Promise<Float64Array>; readonly count: number } {
  const { size, precision } = op;
  const narrow = precision === 'float32';
  const input = narrow ? new Float32Array(size) : undefined;
  const output = floats(precision, size);
  let count = 0;
  return {
    async apply(v) {
      input?.set(v);
      const given: FloatArray = input ?? v;
      const pending = op.apply(given, output);
      if (pending) await pending;
      count++;
      const w = Float64Array.from(output);
      let poison = 0;
      for (let i = 0; i < w.length; i++) poison += w[i]! - w[i]!;
      if (poison !== 0) throw new DomainError(`op: expected finite products, got NaN or infinity in product ${count}`);
      return w;
    },
    get count() {
      return count;
    },
  };
}

/** A vector argument of an operator's size, as a fresh f64 copy. @throws {ShapeError} on another length */
export function readVector(name: string, value: NumberArray, size: number): Float64Array {
  const numbers = Float64Array.from(asFloats(name, value));
  if (numbers.length !== size) throw new ShapeError(`${name}: expected ${size} elements, got ${numbers.length}`);
  return numbers;
}

/**
 * A symmetric matrix as a LinearOperator.
 *
 * @param a symmetric [n, n]; its precision becomes the operator's, sums are f64
 * @throws {ShapeError | DomainError} when it is not square or not symmetric to rounding
 */
export function matrixOperator(a: TensorLike): LinearOperator {
  const { data, rows: size, precision } = readSymmetric('a', a);
  return {
    size,
    precision,
    apply(v, out) {
      checkProduct(v, out, size);
      for (let i = 0; i < size; i++) {
        let sum = 0;
        for (let j = 0; j < size; j++) sum += data[i * size + j]! * v[j]!;
        out[i] = sum;
      }
    },
  };
}

/** Σ x·y in four partial sums: plain JavaScript, for vectors that live outside WebAssembly. */
export function inner(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const n = x.length;
  const whole = n & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += x[i]! * y[i]!;
    b += x[i + 1]! * y[i + 1]!;
    c += x[i + 2]! * y[i + 2]!;
    d += x[i + 3]! * y[i + 3]!;
  }
  for (let i = whole; i < n; i++) a += x[i]! * y[i]!;
  return a + b + (c + d);
}

/** ‖x‖₂, also where squares of elements overflow or vanish. */
export function norm(x: ArrayLike<number>): number {
  const squares = inner(x, x);
  if (squares > 1e-280 && squares < Infinity) return Math.sqrt(squares);
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!));
  if (!(largest > 0 && largest < Infinity)) return largest;
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += square(x[i]! / largest);
  return largest * Math.sqrt(sum);
}
