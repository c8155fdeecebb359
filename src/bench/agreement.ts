// Before anything is timed, subject and baseline must have computed the same thing.
import { isTypedArray } from '../core/tensor.js';
import type { Arena, Block } from '../runtime/arena.js';

/** The numbers of a result: a number, an array, a block, a tensor, or a record or list of them. Functions are left out. */
export function numbersOf(result: unknown, arena: Arena): number[] {
  if (typeof result === 'number') return [result];
  if (typeof result === 'boolean') return [Number(result)];
  if (typeof result !== 'object' || result === null) return [];
  if (isTypedArray(result)) return Array.from(result as ArrayLike<number | bigint>, Number);
  if (Array.isArray(result)) return result.flatMap((entry) => numbersOf(entry, arena));
  const { type, ptr } = result as Partial<Block>;
  if (type !== undefined && ptr !== undefined) return Array.from(arena.view(result as Block));
  return Object.values(result).flatMap((entry) => numbersOf(entry, arena));
}

/** ‖got − want‖ / ‖want‖; Infinity when the counts differ or one has a NaN the other has not. */
export function disagreement(got: readonly number[], want: readonly number[]): number {
  if (got.length !== want.length) return Infinity;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i] as number, want[i] as number];
    if (Number.isFinite(b)) norm += b ** 2;
    if (!Object.is(a, b)) difference += (a - b) ** 2;
  }
  if (difference === 0) return 0;
  const error = Math.sqrt(difference / (norm || 1));
  return Number.isNaN(error) ? Infinity : error;
}
