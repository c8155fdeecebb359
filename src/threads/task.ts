// Work that can be sent to another thread: a function of plain data, known by name on both sides.
import { isShared } from '../core/tensor.js';
import type { Attachment } from './shared-memory.js';

/** A function from plain data (numbers, strings, typed arrays, records and lists of them) to plain data; it may be asynchronous. */
export interface Task<I, O> {
  /** What a worker knows it by; unique. */
  readonly name: string;
  readonly run: (input: I) => O | Promise<O>;
  /** True where inputs name blocks of a memory of the pool, which the task then has to be given. */
  readonly inPlace?: boolean;
}

/** Names a function as a task. It must not keep a reference to arrays of its input or result: they move between threads. */
export function task<I, O>(name: string, run: (input: I) => O | Promise<O>): Task<I, O> {
  return { name, run };
}

/** Names a synchronous function that works on blocks of a memory of the pool. */
export function taskInPlace<I, O>(name: string, run: (input: I) => O): Task<I, O> {
  return { name, run, inPlace: true };
}

/** From the calling thread to a worker. The first message has the kernels, the others work, or a memory to work in. */
export type Request =
  | { readonly module: WebAssembly.Module | undefined; readonly build: string }
  | { readonly attach: Attachment }
  | { readonly detach: number }
  | WorkRequest;
export interface WorkRequest {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
  /** The shared memory to run in, and its length as the caller sees it. */
  readonly place?: { readonly memory: number; readonly bytes: number } | undefined;
}

/** An error as data: class name, message, code and what else it carries. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
}

/** From a worker back; `id` −1 says that it is ready. */
export type Reply = { readonly id: number; readonly result?: unknown; readonly error?: PlainError };

/** The buffers of plain data that can move to another thread in place of being copied: not shared, and held whole by their array. */
export function buffersOf(value: unknown, found: Set<ArrayBuffer> = new Set()): Set<ArrayBuffer> {
  if (typeof value !== 'object' || value === null) return found;
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteLength } = value;
    if (!isShared(buffer) && byteLength === buffer.byteLength) found.add(buffer as ArrayBuffer);
    return found;
  }
  for (const entry of Array.isArray(value) ? value : Object.values(value)) buffersOf(entry, found);
  return found;
}

/** Plain data in which no array is part of a larger buffer: all of that buffer would be copied with it. */
export function compact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteLength } = value;
    return isShared(buffer) || byteLength === buffer.byteLength ? value : (value as Uint8Array).slice();
  }
  if (Array.isArray(value)) return value.map(compact);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, compact(entry)]));
}

/** The array `data` of an input, where its memory can move to a thread. */
export function movable({ data }: { readonly data: Float32Array | Float64Array }): ArrayBufferView[] {
  return isShared(data.buffer) ? [] : [data];
}

/** A copy in memory that all threads see, where the runtime has such memory; else an ordinary copy, which is cloned with every message. */
export function shareable<T extends Float32Array | Float64Array | Uint8Array>(data: T): T {
  const type = data.constructor as new (buffer: ArrayBufferLike | ArrayLike<number>) => T;
  if (typeof SharedArrayBuffer !== 'function') return new type(data);
  const copy = new type(new SharedArrayBuffer(data.byteLength));
  copy.set(data as never);
  return copy;
}

/** Arrays that wait to be used again at most. */
const mostFree = 16;

/** Arrays for inputs of tasks: shared and used again where the runtime has shared memory (fresh pages cost as much as the copy). */
export class Buffers {
  readonly #free: (Float32Array | Float64Array)[] = [];

  /** An array of the length and type asked for; its contents are left over. */
  take(precision: 'float32' | 'float64', length: number): Float32Array | Float64Array {
    const type = precision === 'float32' ? Float32Array : Float64Array;
    if (typeof SharedArrayBuffer !== 'function') return new type(length);
    const bytes = length * type.BYTES_PER_ELEMENT;
    const place = this.#free.findIndex(({ buffer }) => buffer.byteLength >= bytes);
    const buffer = place < 0 ? new SharedArrayBuffer(bytes) : (this.#free.splice(place, 1)[0] as Float32Array).buffer;
    return new type(buffer as ArrayBuffer, 0, length);
  }

  /** Takes an array back that no thread uses any more. */
  give(data: Float32Array | Float64Array): void {
    if (!isShared(data.buffer)) return;
    if (this.#free.length >= mostFree) this.#free.shift();
    this.#free.push(data);
  }
}
