// Memory inside one WebAssembly instance. A handle is an address, not a view: growth detaches views, never handles.
import { MemoryError, ShapeError } from '../core/errors.js';
import type { FloatArray, Precision, TypedArray } from '../core/tensor.js';
import { brandOf } from '../core/tensor.js';

export type ElementType = 'f32' | 'f64' | 'i32' | 'u32' | 'u8' | 'i8' | 'u16';
interface ViewOf {
  f32: Float32Array;
  f64: Float64Array;
  i32: Int32Array;
  u32: Uint32Array;
  u8: Uint8Array;
  i8: Int8Array;
  u16: Uint16Array;
}
const viewTypes = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u32: Uint32Array,
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
};
const typeOfBrand: Record<string, ElementType> = {
  Float32Array: 'f32',
  Float64Array: 'f64',
  Int32Array: 'i32',
  Uint32Array: 'u32',
  Uint8Array: 'u8',
  Uint8ClampedArray: 'u8',
  Int8Array: 'i8',
  Uint16Array: 'u16',
};

/** `length` elements of one type at address `ptr` of the instance that allocated them. */
export interface Block<T extends ElementType = ElementType> {
  readonly type: T;
  readonly ptr: number;
  readonly length: number;
}
export type F32 = Block<'f32'>;
export type F64 = Block<'f64'>;
export type I32 = Block<'i32'>;
export type U32 = Block<'u32'>;
export type U8 = Block<'u8'>;
/** A block of either float precision; wrappers pick the `s…` or the `d…` kernel by its type. */
export type Real = F32 | F64;

const alignment = 64; // one cache line
const page = 65536;
/** WebAssembly's 32-bit address space. */
const limit = 65536 * page;

/** Finds room in a memory that several arenas divide between them. */
export interface Rooms {
  /** Where `bytes` fit: at `top`, the height of a stack, if its room is long enough, else in a later room. @throws {MemoryError} */
  place(top: number, bytes: number): number;
}

/** A stack of blocks in one WebAssembly memory, or in rooms of one that other threads use too. */
export class Arena {
  readonly memory: WebAssembly.Memory;
  readonly #rooms: Rooms | undefined;
  #top: number;

  constructor(memory: WebAssembly.Memory, base: number, rooms?: Rooms) {
    this.memory = memory;
    this.#rooms = rooms;
    this.#top = align(base);
  }

  /** The current height, to be given back to `release`. */
  mark(): number {
    return this.#top;
  }

  /** Forgets every block allocated since `mark`. */
  release(mark: number): void {
    this.#top = mark;
  }

  /** An uninitialised block. @throws {MemoryError} when WebAssembly memory cannot grow that far */
  alloc<T extends ElementType>(type: T, length: number): Block<T> {
    const bytes = length * viewTypes[type].BYTES_PER_ELEMENT;
    const ptr = this.#rooms ? this.#rooms.place(this.#top, align(bytes + 16)) : this.#top;
    const end = align(ptr + bytes + 16); // kernels may load one vector past the end, never store
    if (!this.#rooms) this.#reserve(end, bytes);
    this.#top = end;
    return { type, ptr, length };
  }

  /** A block of zeros. */
  zeros<T extends ElementType>(type: T, length: number): Block<T> {
    const block = this.alloc(type, length);
    this.view(block).fill(0);
    return block;
  }

  /** A copy of `data`, in its own type. */
  put(data: Float32Array): F32;
  put(data: Float64Array): F64;
  put(data: FloatArray): Real;
  put(data: Int32Array): I32;
  put(data: Uint8Array): U8;
  put<T extends TypedArray>(data: T): Block;
  put(data: TypedArray): Block {
    const type = typeOfBrand[brandOf(data)];
    if (!type) throw new ShapeError(`data: expected a typed array of numbers, got ${brandOf(data) || typeof data}`);
    const block = this.alloc(type, data.length);
    if (data.length) (this.view(block) as Float64Array).set(data as unknown as ArrayLike<number>); // a detached array has length 0
    return block;
  }

  /** A copy of numeric data converted to the given precision. */
  putAs(precision: Precision, data: ArrayLike<number>): Real {
    const block = this.real(precision, data.length);
    this.view(block).set(data);
    return block;
  }

  /** An uninitialised float block of the given precision. */
  real(precision: Precision, length: number): Real {
    return precision === 'float32' ? this.alloc('f32', length) : this.alloc('f64', length);
  }

  /** A zeroed float block of the given precision. */
  zeroReal(precision: Precision, length: number): Real {
    const block = this.real(precision, length);
    this.view(block).fill(0);
    return block;
  }

  /** A window on the block's memory; valid until the next allocation. */
  view<T extends ElementType>(block: Block<T>): ViewOf[T] {
    return new viewTypes[block.type](this.memory.buffer as ArrayBuffer, block.ptr, block.length) as unknown as ViewOf[T];
  }

  /** A copy of the block that outlives the arena. */
  take<T extends ElementType>(block: Block<T>): ViewOf[T] {
    // From a typed array: `slice` would fill the new memory with zeros first.
    return new viewTypes[block.type](this.view(block)) as unknown as ViewOf[T];
  }

  #reserve(end: number, bytes: number): void {
    const have = this.memory.buffer.byteLength;
    if (end <= have) return;
    // Grow by at least an eighth, so that many small blocks do not grow the memory many times.
    const wanted = Math.min(limit, Math.max(end, have + have / 8));
    for (const target of end > limit ? [] : [wanted, end]) {
      try {
        this.memory.grow(Math.ceil((target - have) / page));
        return;
      } catch {
        // The larger request may be refused where the exact one fits.
      }
    }
    throw new MemoryError(
      `memory: expected room for ${bytes} more bytes (${end} in all), got a limit of ${limit} bytes with ${have} in use; split the data, or free objects with dispose()`,
    );
  }
}

function align(address: number): number {
  return Math.ceil(address / alignment) * alignment;
}

/** Part of a block: `length` elements from `start`. */
export function slice<T extends ElementType>(block: Block<T>, start: number, length: number): Block<T> {
  if (start < 0 || start + length > block.length)
    throw new ShapeError(`slice: expected at most ${block.length} elements, got ${start} + ${length}`);
  return { type: block.type, ptr: block.ptr + start * viewTypes[block.type].BYTES_PER_ELEMENT, length };
}
