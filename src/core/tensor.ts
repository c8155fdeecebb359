// Arrays with a shape. Typed arrays are recognised by brand, never by instanceof: test runners and frames have realms of their own.
import { DomainError, ShapeError } from './errors.js';

export type FloatArray = Float32Array | Float64Array;
export type IntegerArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array;
export type TypedArray = FloatArray | IntegerArray | Uint8ClampedArray;
/** What numeric functions accept as data: a float array decides the precision, plain numbers are read as float64. */
export type NumberArray = FloatArray | readonly number[];
export type Precision = 'float32' | 'float64';

/** A dense row-major array: `data` holds the product of `shape` elements. */
export interface Tensor<T extends TypedArray = TypedArray> {
  readonly data: T;
  readonly shape: readonly number[];
}
/** A Tensor, or an ONNX Runtime tensor (`dims` in place of `shape`). */
export type TensorLike<T extends TypedArray = TypedArray> = Tensor<T> | { readonly data: unknown; readonly dims: readonly number[] };

/** The class name of a typed array (`'Float32Array'`), or `''` for anything else. */
export function brandOf(value: unknown): string {
  return ArrayBuffer.isView(value) ? Object.prototype.toString.call(value).slice(8, -1) : '';
}

/** True for Float32Array and Float64Array of any realm. */
export function isFloatArray(value: unknown): value is FloatArray {
  const brand = brandOf(value);
  return brand === 'Float32Array' || brand === 'Float64Array';
}

/** True for the eight integer typed arrays of any realm. */
export function isIntegerArray(value: unknown): value is IntegerArray {
  return /^(Big)?(Int|Uint)\d+Array$/.test(brandOf(value));
}

/** True for any typed array (not a DataView) of any realm. */
export function isTypedArray(value: unknown): value is TypedArray {
  return brandOf(value).endsWith('Array');
}

/** `'float32'` for a Float32Array, `'float64'` for everything else numeric. */
export function precisionOf(data: NumberArray): Precision {
  return brandOf(data) === 'Float32Array' ? 'float32' : 'float64';
}

/** A zero-filled float array of the given precision. */
export function floats(precision: Precision, length: number): FloatArray {
  return precision === 'float32' ? new Float32Array(length) : new Float64Array(length);
}

/** Throws when the memory of a typed array was handed to somebody else: it has no elements any more. @throws {DomainError} */
export function checkAttached(name: string, array: { readonly length: number }): void {
  if (array.length > 0 || !ArrayBuffer.isView(array)) return;
  try {
    new Uint8Array(array.buffer as ArrayBuffer);
  } catch {
    throw new DomainError(`${name}: expected an array with memory, got one that is detached (its buffer was transferred); pass a copy`);
  }
}

/** True for memory that all threads see. */
export function isShared(buffer: ArrayBufferLike): boolean {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}

/**
 * Reads numeric data by name: float arrays pass through, plain and integer arrays become Float64Array.
 * @throws {DomainError} when it is not an array of numbers, or detached
 */
export function asFloats(name: string, value: unknown): FloatArray {
  if (isTypedArray(value)) checkAttached(name, value);
  if (isFloatArray(value)) return value;
  if (Array.isArray(value)) return Float64Array.from(value as number[]);
  if (isTypedArray(value)) return Float64Array.from(value as ArrayLike<number | bigint>, Number);
  throw new DomainError(`${name}: expected a Float32Array, Float64Array or an array of numbers, got ${describe(value)}`);
}

/** A short word for what a value is, for error messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const brand = brandOf(value);
  if (brand) return `${brand}(${(value as { length?: number }).length ?? '?'})`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'object') return 'an object';
  return String(value);
}

/** The number of elements of a shape; 1 for a scalar (`[]`). */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const extent of shape) size *= extent;
  return size;
}

/**
 * A tensor from data and shape; plain numbers are read as float64.
 * @throws {ShapeError} when the shape does not hold exactly `data.length` elements
 */
export function tensor<T extends TypedArray>(data: T, shape?: readonly number[]): Tensor<T>;
export function tensor(data: readonly number[], shape?: readonly number[]): Tensor<Float64Array>;
export function tensor(data: TypedArray | readonly number[], given?: readonly number[]): Tensor {
  const array = isTypedArray(data) ? data : asFloats('data', data);
  checkAttached('data', array);
  const shape = given ?? [array.length];
  if (!Array.isArray(shape)) throw new ShapeError(`shape: expected an array of extents, got ${describe(shape)}`);
  if (!shape.every((extent) => Number.isInteger(extent) && extent >= 0)) {
    throw new ShapeError(`shape: expected non-negative integers, got [${shape.join(', ')}]`);
  }
  if (sizeOf(shape) !== array.length) {
    throw new ShapeError(`data: expected ${sizeOf(shape)} elements for shape [${shape.join(', ')}], got ${array.length}`);
  }
  return { data: array, shape: [...shape] };
}

/**
 * Reads a Tensor or an ONNX Runtime tensor by name.
 * @throws {ShapeError | DomainError} when it is neither, or its shape and data disagree
 */
export function asTensor(name: string, value: unknown): Tensor {
  const candidate = value as { data?: unknown; shape?: readonly number[]; dims?: readonly number[] } | null | undefined;
  const shape = candidate?.shape ?? candidate?.dims;
  if (!candidate || !isTypedArray(candidate.data) || !Array.isArray(shape)) {
    throw new DomainError(`${name}: expected a tensor { data, shape }, got ${describe(value)}`);
  }
  checkAttached(name, candidate.data);
  if (sizeOf(shape) !== candidate.data.length) {
    throw new ShapeError(`${name}: expected ${sizeOf(shape)} elements for shape [${shape.join(', ')}], got ${candidate.data.length}`);
  }
  return { data: candidate.data, shape };
}
