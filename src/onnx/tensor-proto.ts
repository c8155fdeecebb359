// TensorProto to and from tensors: raw and typed fields, external data, half precision.
import { GraphError } from '../core/errors.js';
import { sizeOf, type TypedArray } from '../core/tensor.js';
import { arrayOf, type ElementType, elementCode, elementTypes, type GraphTensor } from './graph.js';
import type { EntryProto, SparseTensorProto, TensorProto } from './schema.js';

/** Reads bytes kept beside a model: file name as the model spells it (checked), offset and length (to the end if undefined). */
export type ExternalReader = (location: string, offset: number, length: number | undefined) => Uint8Array;

/** Bits per element of types that do not fill a byte or have no typed array. */
const bits: Partial<Record<ElementType, number>> = { uint4: 4, int4: 4, float4e2m1: 4, complex64: 64, complex128: 128 };

/**
 * Refuses a name that could leave the model's folder: absolute, with a drive, a scheme, a backslash, a NUL or a `..` step.
 * @throws {GraphError} naming the location
 */
export function checkLocation(location: string): string {
  const steps = location.split('/');
  if (location === '' || /[\\:\0]/.test(location) || location.startsWith('/') || steps.includes('..')) {
    throw new GraphError(`external data: expected a file name inside the model's folder, got '${location}'`);
  }
  return location;
}

function externalBytes(entries: readonly EntryProto[], size: number, name: string, read: ExternalReader | undefined): Uint8Array {
  const entry = (key: string): string | undefined => entries.find((e) => e.key === key)?.value;
  const location = checkLocation(entry('location') ?? '');
  const offset = Number(entry('offset') ?? 0);
  const length = Number(entry('length') ?? size);
  if (!(Number.isSafeInteger(offset) && offset >= 0 && length === size)) {
    throw new GraphError(`${name}: expected ${size} bytes of external data, got offset ${entry('offset')} and length ${entry('length')}`);
  }
  if (!read) throw new GraphError(`${name}: expected a reader for the external data in '${location}', got none`);
  const bytes = read(location, offset, length);
  if (bytes.length !== size) throw new GraphError(`${name}: expected ${size} bytes in '${location}' at ${offset}, got ${bytes.length}`);
  return bytes;
}

/** A tensor from its message. @throws {GraphError} when data and shape do not fit, or external data cannot be read */
export function decodeTensor(proto: TensorProto, external?: ExternalReader): GraphTensor {
  const name = proto.name || 'tensor';
  const type = elementTypes[proto.dataType ?? 0];
  if (type === undefined || type === 'undefined')
    throw new GraphError(`${name}: expected an element type from 1 to ${elementTypes.length - 1}, got ${proto.dataType}`);
  const shape = proto.dims ?? [];
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw new GraphError(`${name}: expected a shape of non-negative integers, got [${shape.join(', ')}]`);
  }
  const count = sizeOf(shape);
  if (type === 'string') {
    const strings = (proto.stringData ?? []).map((bytes) => new TextDecoder().decode(bytes));
    checkCount(name, strings.length, count);
    return { type, data: new Uint8Array(0), shape, strings };
  }
  const packed = bits[type] !== undefined || type.startsWith('float8');
  const size = Math.ceil((count * (bits[type] ?? (type.startsWith('float8') ? 8 : arrayOf(type, 0).BYTES_PER_ELEMENT * 8))) / 8);
  if (proto.dataLocation === 1 || proto.rawData !== undefined) {
    const bytes = proto.dataLocation === 1 ? externalBytes(proto.externalData ?? [], size, name, external) : (proto.rawData as Uint8Array);
    if (bytes.length !== size) throw new GraphError(`${name}: expected ${size} bytes of data, got ${bytes.length}`);
    if (packed) return { type, data: bytes.slice(), shape };
    const data = arrayOf(type, count);
    new Uint8Array(data.buffer).set(bytes);
    return { type, data, shape };
  }
  const values: readonly (number | bigint)[] =
    (type === 'float32' || type === 'complex64' ? proto.floatData : undefined) ??
    (type === 'float64' || type === 'complex128' ? proto.doubleData : undefined) ??
    (type === 'int64' ? proto.int64Data : undefined) ??
    (type === 'uint64' || type === 'uint32' ? proto.uint64Data : undefined) ??
    proto.int32Data ??
    [];
  if (packed) return { type, data: Uint8Array.from(values, Number), shape };
  checkCount(name, values.length, count);
  const data = arrayOf(type, count) as { [i: number]: number | bigint };
  for (let i = 0; i < count; i++) data[i] = type === 'uint32' ? Number(values[i]) : (values[i] as number | bigint);
  return { type, data: data as TypedArray, shape };
}

function checkCount(name: string, got: number, want: number): void {
  if (got !== want) throw new GraphError(`${name}: expected ${want} elements, got ${got}`);
}

/** The message of a tensor, with its data as raw bytes. */
export function encodeTensor(name: string, { type, data, shape, strings }: GraphTensor): TensorProto {
  const head = { dims: [...shape], dataType: elementCode(type), name };
  if (strings) return { ...head, stringData: strings.map((text) => new TextEncoder().encode(text)) };
  return { ...head, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/** The dense tensor of a sparse message: values at linear indices, or at rows of coordinates. */
export function decodeSparse(proto: SparseTensorProto, external?: ExternalReader): { name: string; tensor: GraphTensor } {
  const name = proto.values?.name ?? '';
  if (!proto.values || !proto.indices)
    throw new GraphError(`${name || 'sparse initializer'}: expected values and indices, got one of them`);
  const values = decodeTensor(proto.values, external);
  const indices = decodeTensor(proto.indices, external);
  const shape = proto.dims ?? [];
  const data = arrayOf(values.type, sizeOf(shape)) as { [i: number]: number | bigint; length: number };
  const nonZero = values.data as ArrayLike<number | bigint>;
  const rank = indices.shape.length === 2 ? shape.length : 1;
  for (let i = 0; i < nonZero.length; i++) {
    let at = 0;
    for (let axis = 0; axis < rank; axis++) at = at * (rank === 1 ? 1 : shape[axis]!) + Number(indices.data[i * rank + axis]);
    if (!(at >= 0 && at < data.length)) throw new GraphError(`${name}: expected sparse indices below ${data.length}, got ${at}`);
    data[at] = nonZero[i]!;
  }
  return { name, tensor: { type: values.type, data: data as unknown as TypedArray, shape } };
}

/** The sparse message of a dense tensor: its non-zero values at linear indices. */
export function encodeSparse(name: string, { type, data, shape }: GraphTensor): SparseTensorProto {
  const at: number[] = [];
  for (let i = 0; i < data.length; i++) if (Number(data[i]) !== 0) at.push(i);
  const values = arrayOf(type, at.length) as { [i: number]: number | bigint };
  for (let i = 0; i < at.length; i++) values[i] = data[at[i]!]!;
  const indices = BigInt64Array.from(at, BigInt);
  return {
    values: encodeTensor(name, { type, data: values as TypedArray, shape: [at.length] }),
    indices: encodeTensor('', { type: 'int64', data: indices, shape: [at.length] }),
    dims: [...shape],
  };
}

/** Float16 or bfloat16 bits as a float32 tensor; other types pass through. */
export function widen(tensor: GraphTensor): GraphTensor {
  if (tensor.type !== 'float16' && tensor.type !== 'bfloat16') return tensor;
  const bitsOf = tensor.data as Uint16Array;
  const data = new Float32Array(bitsOf.length);
  if (tensor.type === 'bfloat16') {
    const words = new Uint32Array(data.buffer);
    for (let i = 0; i < words.length; i++) words[i] = bitsOf[i]! << 16;
  } else {
    for (let i = 0; i < data.length; i++) data[i] = fromHalf(bitsOf[i]!);
  }
  return { type: 'float32', data, shape: tensor.shape };
}

/** The number of a half-precision bit pattern (IEEE 754 binary16). */
export function fromHalf(h: number): number {
  const sign = h & 0x8000 ? -1 : 1;
  const exponent = (h >> 10) & 31;
  const fraction = h & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

/** The nearest half-precision bit pattern, ties to even; too large becomes infinity. */
export function toHalf(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const word = view.getUint32(0);
  const sign = (word >>> 16) & 0x8000;
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundEven(magnitude * 2 ** 24);
  const exponent = Math.max(-14, ((word >>> 23) & 255) - 127);
  return sign | (((exponent + 15) << 10) + roundEven((magnitude / 2 ** exponent - 1) * 1024));
}

/** The nearest bfloat16 bit pattern, ties to even. */
export function toBrain(x: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, x);
  const word = view.getUint32(0);
  return Number.isNaN(x) ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
