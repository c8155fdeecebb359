// NumPy's array files on bytes: npy (formats 1, 2 and 3) and npz. Byte orders, C and Fortran order are read; little-endian C order is written.
import { zipSync } from 'fflate';
import { asRecord, checkArray } from './check.js';
import { DomainError, ShapeError } from './errors.js';
import { brandOf, describe, sizeOf, type Tensor, type TensorLike, type TypedArray } from './tensor.js';
import { unzip } from './zip.js';

type Maker = new (buffer: ArrayBuffer) => TypedArray;
const readers: Readonly<Record<string, Maker | 'half'>> = {
  f8: Float64Array,
  f4: Float32Array,
  f2: 'half',
  i8: BigInt64Array,
  i4: Int32Array,
  i2: Int16Array,
  i1: Int8Array,
  u8: BigUint64Array,
  u4: Uint32Array,
  u2: Uint16Array,
  u1: Uint8Array,
  b1: Uint8Array,
};
const writers: Readonly<Record<string, string>> = {
  Float64Array: '<f8',
  Float32Array: '<f4',
  BigInt64Array: '<i8',
  Int32Array: '<i4',
  Int16Array: '<i2',
  Int8Array: '|i1',
  BigUint64Array: '<u8',
  Uint32Array: '<u4',
  Uint16Array: '<u2',
  Uint8Array: '|u1',
  Uint8ClampedArray: '|u1',
};
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/**
 * Reads one array from the bytes of an npy file.
 * @param name how error messages call the bytes
 * @returns row-major data; float16 as Float32Array, bool as Uint8Array, int64 as BigInt64Array
 * @throws {DomainError} when it is not npy, is cut short, or holds strings, records, complex numbers or objects
 */
export function readNpy(bytes: Uint8Array, name = 'bytes'): Tensor {
  checkBytes(name, bytes);
  const { descr, fortran, shape, start } = readHeader(bytes, name);
  const type = /^[<>|=]([fiub]\d)$/.exec(descr)?.[1] ?? '';
  const reader = readers[type];
  if (!reader) throw new DomainError(`${name}: expected numbers of type f2, f4, f8, i1 … i8, u1 … u8 or bool, got dtype ${descr}`);
  const width = Number(type[1]);
  const count = sizeOf(shape);
  if (!Number.isSafeInteger(count * width) || start + count * width > bytes.length) {
    throw new DomainError(`${name}: expected ${count * width} bytes of data for shape [${shape.join(', ')}], got ${bytes.length - start}`);
  }
  const raw = new Uint8Array(bytes.subarray(start, start + count * width)); // a copy: slice() of a Node Buffer is none
  if (descr[0] === '>') swapBytes(raw, width);
  const data = reader === 'half' ? halves(new Uint16Array(raw.buffer)) : new reader(raw.buffer);
  return { data: fortran && shape.length > 1 ? toRowMajor(data, shape) : data, shape };
}

/**
 * Writes one array as the bytes of an npy file (format 1.0, C order, little-endian).
 * @throws {ShapeError} when the shape does not hold exactly the data; {DomainError} when the data is not a typed array
 */
export function writeNpy(tensor: TensorLike): Uint8Array {
  type Fields = { data?: unknown; shape?: unknown; dims?: unknown };
  const carries = brandOf(tensor) !== '' && 'shape' in tensor; // a plan, say: numbers that carry their shape
  const { data: values, shape: extents, dims } = carries ? (tensor as Fields) : asRecord<Fields>('tensor', tensor, '{ data, shape }');
  const descr = writers[brandOf(values)];
  if (!descr) throw new DomainError(`data: expected a typed array, got ${brandOf(values) || typeof values}`);
  const [data, shape] = [values as TypedArray, (extents ?? dims) as readonly number[]];
  checkArray('shape', shape);
  if (sizeOf(shape) !== data.length)
    throw new ShapeError(`shape: expected ${data.length} elements, got [${shape.join(', ')}] = ${sizeOf(shape)}`);
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const header = `${text.padEnd(64 * Math.ceil((text.length + 11) / 64) - 11)}\n`; // data starts at a multiple of 64
  const out = new Uint8Array(10 + header.length + data.byteLength);
  out.set([...magic, 1, 0, header.length & 255, header.length >> 8]);
  for (let i = 0; i < header.length; i++) out[10 + i] = header.charCodeAt(i);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return out;
}

/**
 * Reads every array of an npz archive (stored or deflated).
 * @returns tensors by name, without the `.npy` of the member
 * @throws {DomainError} when the archive or a member is damaged
 */
export function readNpz(bytes: Uint8Array, name = 'bytes'): Record<string, Tensor> {
  checkBytes(name, bytes);
  const out: Record<string, Tensor> = {};
  for (const [member, content] of Object.entries(unzip(bytes, name))) {
    if (!member.endsWith('.npy')) continue;
    const key = member.slice(0, -4);
    // defineProperty: a member called __proto__ is data like any other
    Object.defineProperty(out, key, { value: readNpy(content, `${name}: ${key}`), enumerable: true, writable: true, configurable: true });
  }
  return out;
}

/** Writes tensors as an npz archive, stored as NumPy's `savez` does, or deflated; the same input gives the same bytes. */
export function writeNpz(record: Readonly<Record<string, TensorLike>>, options: { compress?: boolean } = {}): Uint8Array {
  asRecord('record', record, 'tensors by name');
  const { compress = false } = asRecord('options', options);
  const members: Record<string, Uint8Array> = {};
  for (const [key, value] of Object.entries(record)) members[`${key}.npy`] = writeNpy(value);
  return zipSync(members, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}

function checkBytes(name: string, bytes: unknown): void {
  if (brandOf(bytes) !== 'Uint8Array') throw new DomainError(`${name}: expected a Uint8Array, got ${describe(bytes)}`);
}

function readHeader(bytes: Uint8Array, name: string): { descr: string; fortran: boolean; shape: number[]; start: number } {
  const bad = (got: string): DomainError => new DomainError(`${name}: expected an npy array, got ${got}`);
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) throw bad('bytes without its signature');
  const wide = (bytes[6] as number) >= 2; // formats 2 and 3 have a 32-bit header length
  if ((bytes[6] as number) > 3) throw bad(`format ${bytes[6]}`);
  if (bytes.length < 12) throw bad('a header cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = wide ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  if (start > bytes.length) throw bad('a header cut short');
  const text = new TextDecoder('latin1').decode(bytes.subarray(wide ? 12 : 10, start));
  const descr = /'descr':\s*(?:'([^']*)'|(\[))/.exec(text);
  const order = /'fortran_order':\s*(True|False)/.exec(text);
  const tuple = /'shape':\s*\(([\d\s,]*)\)/.exec(text);
  if (!descr || !order || !tuple) throw bad('a header without descr, fortran_order or shape');
  const shape = (tuple[1] as string).split(',').flatMap((extent) => (extent.trim() ? [Number(extent)] : []));
  return { descr: descr[1] ?? 'of records', fortran: order[1] === 'True', shape, start };
}

function swapBytes(raw: Uint8Array, width: number): void {
  for (let at = 0; at < raw.length; at += width) raw.subarray(at, at + width).reverse();
}

/** IEEE 754 half precision to single: subnormals, infinities and NaN included. */
function halves(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (h) => {
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
  });
}

function toRowMajor(data: TypedArray, shape: readonly number[]): TypedArray {
  const out = data.slice();
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis))); // of the Fortran layout
  const place = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis] as number;
      if (++(place[axis] as number) < (shape[axis] as number)) break;
      from -= (strides[axis] as number) * (shape[axis] as number);
      place[axis] = 0;
    }
  }
  return out;
}
