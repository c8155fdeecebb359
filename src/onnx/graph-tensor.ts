// Element types of ONNX and tensors that carry one.
import { GraphError } from '../core/errors.js';
import type { Tensor, TypedArray } from '../core/tensor.js';

/** Element types by name, at the index onnx.proto gives them. */
export const elementTypes = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
] as const;
export type ElementType = (typeof elementTypes)[number];

/** The number onnx.proto gives an element type: `elementCode('float32')` is 1. */
export function elementCode(type: ElementType): number {
  return elementTypes.indexOf(type);
}

/**
 * A tensor with its ONNX element type. int64 is BigInt64Array; bool is Uint8Array; float16 and bfloat16 are Uint16Array of bits
 * (`widen` makes numbers); types without a typed array keep their raw bytes; strings sit in `strings`.
 */
export interface GraphTensor extends Tensor {
  readonly type: ElementType;
  readonly strings?: readonly string[];
}

const arrays: Partial<Record<ElementType, { new (length: number): TypedArray; readonly BYTES_PER_ELEMENT: number }>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** A zero-filled typed array for an element type. @throws {GraphError} for types that have none (strings, 4- and 8-bit floats) */
export function arrayOf(type: ElementType, length: number): TypedArray {
  const Typed = arrays[type];
  if (!Typed) throw new GraphError(`element type: expected a numeric one, got ${type}`);
  return new Typed(length);
}

/** A tensor of an element type from plain numbers. */
export function graphTensor(type: ElementType, values: ArrayLike<number>, shape: readonly number[] = [values.length]): GraphTensor {
  const data = arrayOf(type, values.length);
  const wide = type === 'int64' || type === 'uint64';
  for (let i = 0; i < values.length; i++) (data as { [i: number]: number | bigint })[i] = wide ? BigInt(values[i]!) : values[i]!;
  return { type, data, shape };
}

/** Elements as plain numbers (int64 beyond 2^53 loses digits). */
export function numbersOf(tensor: GraphTensor): number[] {
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
}
