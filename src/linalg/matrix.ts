// Reading and writing small dense matrices: everything in this area computes in f64 and answers in the precision it was given.
import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Precision, Tensor, TensorLike } from '../core/tensor.js';
import { asTensor, floats, isFloatArray, precisionOf } from '../core/tensor.js';

/** A matrix as f64 numbers, row-major. */
export interface Matrix {
  readonly data: Float64Array;
  readonly rows: number;
  readonly cols: number;
  /** Of the data it was read from. */
  readonly precision: Precision;
}

/** A matrix argument as a fresh f64 copy. @throws {ShapeError} when it has not two axes; {DomainError} on NaN or infinity */
export function readMatrix(name: string, value: TensorLike): Matrix {
  const { data, shape } = asTensor(name, value);
  if (shape.length !== 2) throw new ShapeError(`${name}: expected a matrix with 2 axes, got shape [${shape.join(', ')}]`);
  const numbers = Float64Array.from(data as ArrayLike<number>, Number);
  checkFinite(name, numbers);
  return {
    data: numbers,
    rows: shape[0] as number,
    cols: shape[1] as number,
    precision: isFloatArray(data) ? precisionOf(data) : 'float64',
  };
}

/** A square symmetric matrix argument. @throws {ShapeError | DomainError} when it is not square or not symmetric to rounding */
export function readSymmetric(name: string, value: TensorLike): Matrix {
  const matrix = readMatrix(name, value);
  const { data, rows: n, cols, precision } = matrix;
  if (n !== cols) throw new ShapeError(`${name}: expected a square matrix, got ${n} × ${cols}`);
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i] as number));
  const allowed = largest * (precision === 'float32' ? 1e-4 : 1e-8);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const below = data[i * n + j] as number;
      const above = data[j * n + i] as number;
      if (Math.abs(below - above) > allowed)
        throw new DomainError(`${name}: expected a symmetric matrix, got ${below} at [${i}, ${j}] and ${above} at [${j}, ${i}]`);
      data[i * n + j] = data[j * n + i] = (below + above) / 2;
    }
  }
  return matrix;
}

/** f64 numbers as a tensor of the given precision. */
export function toTensor(precision: Precision, data: Float64Array, shape: readonly number[]): Tensor<Float32Array | Float64Array> {
  if (precision === 'float64') return { data, shape };
  const out = floats(precision, data.length);
  out.set(data);
  return { data: out, shape };
}

/** The transpose of a row-major matrix. */
export function transpose(a: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = a[i * cols + j] as number;
  return out;
}

/** A·B for row-major f64 matrices [m, k] and [k, n]. For the small matrices of this area; large ones go through gemm. */
export function multiply(a: Float64Array, b: Float64Array, m: number, k: number, n: number): Float64Array {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l] as number;
      if (factor === 0) continue;
      for (let j = 0; j < n; j++) out[i * n + j] = (out[i * n + j] as number) + factor * (b[l * n + j] as number);
    }
  }
  return out;
}

/** √(a² + b²) without overflow, from exact operations only (Math.hypot differs between engines). */
export function hypot(a: number, b: number): number {
  const x = Math.abs(a);
  const y = Math.abs(b);
  const large = Math.max(x, y);
  if (large === 0) return 0;
  const ratio = Math.min(x, y) / large;
  return large * Math.sqrt(1 + ratio * ratio);
}
