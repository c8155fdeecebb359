// Hard sorting networks across a batch (assembly/sort-network.ts).
import type { Arena, Block, I32 } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';
import type { SortType } from './radix.js';

const prefix = { f32: 's', f64: 'd', i32: 'i', u32: 'u' } as const;

/** out = every row of n elements of x after all comparators `pairs`; keys are ordered as in `sort`, `descending` reverses them. */
export function networkRows<T extends SortType>(
  arena: Arena,
  out: Block<T>,
  x: Block<T>,
  pairs: I32,
  n: number,
  descending: boolean,
): void {
  const work = arena.alloc('u8', 16 * n);
  const name = `${prefix[x.type]}network` as const;
  kernels()[name](out.ptr, x.ptr, pairs.ptr, x.length / n, n, pairs.length / 2, Number(descending), work.ptr);
}
