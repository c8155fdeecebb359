// Stable radix sort of segments (assembly/radix.ts).
import type { Arena, Block, I32 } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Element types with a sort kernel. */
export type SortType = 'f32' | 'f64' | 'i32' | 'u32';
const prefix = { f32: 's', f64: 'd', i32: 'i', u32: 'u' } as const;
const counters = 98304; // bytes, as in the kernels

/** Work space of the sort kernels: counters and `elements` of `bytes` bytes each. */
export function sortWork(arena: Arena, elements: number, bytes: number): Block<'u8'> {
  return arena.alloc('u8', counters + bytes * elements);
}

/** Bytes of an element. */
export const bytesOf = (type: SortType): number => (type === 'f64' ? 8 : 4);

/** out = each segment [offsets[s], offsets[s + 1]) of x in order; NaN last, −0 before 0. No overlap. */
export function sortSegments<T extends SortType>(arena: Arena, out: Block<T>, x: Block<T>, offsets: I32, descending: boolean): void {
  const work = sortWork(arena, x.length + 1, 8); // keys; the twin keeps two orders
  kernels()[`${prefix[x.type]}sort`](out.ptr, x.ptr, offsets.ptr, offsets.length - 1, Number(descending), work.ptr);
}

/** order = the stable order of each segment, counted from its start. */
export function argsortSegments(arena: Arena, order: I32, x: Block<SortType>, offsets: I32, descending: boolean): void {
  const work = sortWork(arena, x.length + 1, 4 * bytesOf(x.type)); // twice a key and an index
  kernels()[`${prefix[x.type]}argsort`](order.ptr, x.ptr, offsets.ptr, offsets.length - 1, Number(descending), work.ptr);
}
