// Comparison of blocks (assembly/memory.ts).
import { checkLength } from '../core/check.js';
import type { Real } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';

/** True when two blocks hold the same bits: −0 differs from 0, a NaN equals itself. @throws {ShapeError} when their lengths differ */
export function sameBits<B extends Real>(a: B, b: B): boolean {
  checkLength('b', b, a.length);
  return instance().kernels.sameBytes(a.length * (a.type === 'f32' ? 4 : 8), a.ptr, b.ptr) === 1;
}
