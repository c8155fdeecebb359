// What a caller passes as inputs, as the tensors a graph expects: names, shapes and element types checked, batches cut.
import { batchesOf, pieces } from '../core/batches.js';
import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Batch, Data, Inputs } from '../core/model-types.js';
import {
  asTensor,
  brandOf,
  type FloatArray,
  isFloatArray,
  isShared,
  isTypedArray,
  sizeOf,
  type Tensor,
  type TensorLike,
  type TypedArray,
} from '../core/tensor.js';
import type { ElementType, ValueInfo } from './graph.js';
import type { Feed } from './session.js';
import { toHalf } from './tensor-proto.js';

/** Inputs of one call: `samples` along the batch axis of those that have one. */
export interface Feeds {
  readonly samples: number;
  readonly tensors: Readonly<Record<string, Feed>>;
}

/**
 * Reads a caller's inputs against the graph's.
 * @throws {DomainError} for missing or unknown names, NaN and infinities; {ShapeError} for shapes that do not fit
 */
export function readInputs(x: Inputs, declared: readonly ValueInfo[]): Feeds {
  const given = namedInputs(x, declared);
  const known = new Map<string, number>(); // symbolic extents met so far
  const tensors: Record<string, Feed> = {};
  for (const info of declared) {
    const tensor = asTensor(info.name, given[info.name]);
    checkInputShape(info, tensor.shape, known);
    if (isFloatArray(tensor.data)) checkFinite(info.name, tensor.data);
    tensors[info.name] = { data: convert(info.name, tensor.data, info.type), shape: tensor.shape, type: info.type };
  }
  const first = declared[0];
  return { samples: first ? (tensors[first.name]?.shape[0] ?? 1) : 0, tensors };
}

function namedInputs(x: Inputs, declared: readonly ValueInfo[]): Readonly<Record<string, TensorLike>> {
  const names = declared.map(({ name }) => name).join(', ');
  if (x !== null && typeof x === 'object' && isTypedArray((x as { data?: unknown }).data)) {
    if (declared.length !== 1) throw new DomainError(`x: expected a record with ${names}, got one tensor`);
    return { [(declared[0] as ValueInfo).name]: x as TensorLike };
  }
  if (x === null || typeof x !== 'object') throw new DomainError(`x: expected a tensor or a record with ${names}, got ${String(x)}`);
  for (const { name } of declared) {
    if (!Object.hasOwn(x, name)) throw new DomainError(`x: expected inputs ${names}, got ${Object.keys(x).join(', ') || 'none'}`);
  }
  for (const name of Object.keys(x)) {
    if (!declared.some((info) => info.name === name)) throw new DomainError(`x: expected inputs ${names}, got '${name}' too`);
  }
  return x as Readonly<Record<string, TensorLike>>;
}

function checkInputShape({ name, shape: expected }: ValueInfo, shape: readonly number[], known: Map<string, number>): void {
  if (!expected) return;
  const before = new Map(known);
  const fits =
    shape.length === expected.length &&
    expected.every((extent, axis) => {
      const got = shape[axis] as number;
      if (typeof extent === 'number') return extent === got;
      if (!known.has(extent)) known.set(extent, got);
      return known.get(extent) === got;
    });
  if (!fits)
    throw new ShapeError(
      `${name}: expected shape [${expected.map((e) => before.get(String(e)) ?? e).join(', ')}], got [${shape.join(', ')}]`,
    );
  if (sizeOf(shape) === 0) throw new ShapeError(`${name}: expected at least one sample, got shape [${shape.join(', ')}]`);
}

interface Maker {
  readonly name: string;
  from(values: ArrayLike<number>): TypedArray;
}
const makers: Partial<Record<ElementType, Maker>> = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
};

/** The same numbers in the array type that an element type has. @throws {DomainError} for fractions where integers are wanted */
export function convert(name: string, given: TypedArray, type: ElementType): TypedArray {
  const data = isShared(given.buffer) ? given.slice() : given; // ONNX Runtime takes no shared memory
  if (type === 'float16')
    return brandOf(data) === 'Uint16Array' ? data : Uint16Array.from(data as ArrayLike<number>, (v) => toHalf(Number(v)));
  if (!type.startsWith('float')) checkIntegers(name, data);
  if (type === 'int64') return brandOf(data) === 'BigInt64Array' ? data : BigInt64Array.from(data as unknown as bigint[], BigInt);
  if (type === 'uint64') return brandOf(data) === 'BigUint64Array' ? data : BigUint64Array.from(data as unknown as bigint[], BigInt);
  const maker = makers[type];
  if (!maker) throw new DomainError(`${name}: expected an input of numbers, got one of ${type}`);
  if (brandOf(data) === maker.name) return data;
  return maker.from(brandOf(data).startsWith('Big') ? Array.from(data, Number) : (data as ArrayLike<number>));
}

function checkIntegers(name: string, data: TypedArray): void {
  if (!isFloatArray(data)) return;
  const at = data.findIndex((value) => !Number.isInteger(value));
  if (at >= 0) throw new DomainError(`${name}: expected integers, got ${data[at]} at index ${at}`);
}

/** Samples of one run: large batches are cut, which bounds the memory of intermediate values. */
const runSize = 512;

/**
 * Pieces of the batch size that a file fixes, or of one that bounds memory; the whole batch is checked before the first piece. What does not
 * have its samples along the first axis of everything stays whole.
 */
function cutBatch(batch: Batch, declared: readonly ValueInfo[]): Iterable<Batch> {
  const fixed = declared[0]?.shape?.[0];
  if (typeof fixed !== 'number') {
    const { samples, tensors } = readInputs(batch.x, declared);
    const { y } = batch;
    const dense = y === undefined || isTypedArray(y) ? [] : [asTensor('y', y)];
    return [...Object.values(tensors), ...dense].every(({ shape }) => shape[0] === samples) ? pieces(batch, runSize) : [batch];
  }
  const free = declared.map((info) => (info.shape?.[0] === fixed ? { ...info, shape: ['N', ...info.shape.slice(1)] } : info));
  readInputs(batch.x, free);
  return pieces(batch, fixed);
}

/** The batches of `data` in pieces. */
export async function* cutData(data: Data, declared: readonly ValueInfo[]): AsyncGenerator<Batch> {
  for await (const batch of batchesOf(data)) yield* cutBatch(batch, declared);
}

/** Results of pieces as one tensor: rows one behind the other. */
export function joinRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts as [Tensor];
  if (parts.length === 1) return first;
  const data = new (first.data.constructor as new (length: number) => FloatArray)(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data as FloatArray, at);
    at += part.data.length;
  }
  return { data, shape: [parts.reduce((sum, { shape }) => sum + (shape[0] as number), 0), ...first.shape.slice(1)] };
}
