// The k best and the k-th smallest of each row (assembly/top-k.ts).
import type { Arena, Block, I32 } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';
import { bytesOf, type SortType, sortWork } from './radix.js';

const prefix = { f32: 's', f64: 'd', i32: 'i', u32: 'u' } as const;

/** values, order [rows, k] = the k best of each row of x, best first, ties by lower index. */
export function topKRows<T extends SortType>(
  arena: Arena,
  values: Block<T>,
  order: I32,
  x: Block<T>,
  rows: number,
  k: number,
  largest: boolean,
): void {
  const n = x.length / rows;
  const work = sortWork(arena, Math.min(n, 2 * k), 4 * bytesOf(x.type));
  kernels()[`${prefix[x.type]}topk`](values.ptr, order.ptr, x.ptr, rows, n, k, Number(largest), work.ptr);
}

/** out [rows] = the element at place `k`, from 0, of each row's order, ascending or from the largest. */
export function selectRows<T extends SortType>(arena: Arena, out: Block<T>, x: Block<T>, rows: number, k: number, largest: boolean): void {
  const n = x.length / rows;
  kernels()[`${prefix[x.type]}select`](out.ptr, x.ptr, rows, n, k, Number(largest), sortWork(arena, n + 1, bytesOf(x.type)).ptr);
}
