// The joint update of the kept weights by pieces of U, wherever they are worked on.
import type { FloatArray } from '../core/tensor.js';
import { gemv } from '../kernels/gemv.js';
import { syrk } from '../kernels/syrk.js';
import type { Arena, F64, Real } from '../runtime/arena.js';

/** M [m, m] and z [m] of a projection. */
export interface ProjectionSums {
  readonly M: Float64Array;
  readonly z: Float64Array;
}

/** The removed weights of a piece (0 elsewhere) and its part of the mask. */
export function prunedPart(w: FloatArray, mask: Uint8Array, start: number, width: number): [Float64Array, Uint8Array] {
  const kept = mask.slice(start, start + width);
  return [Float64Array.from(kept, (on, k) => (on ? 0 : (w[start + k] as number))), kept];
}

/** U_S U_Sᵀ and U_P w_P over one piece u [m, pruned.length]. */
export function projectPiece(arena: Arena, u: F64, m: number, pruned: Float64Array, mask: Uint8Array): ProjectionSums {
  const width = pruned.length;
  const z = arena.alloc('f64', m);
  gemv(m, width, u, arena.put(pruned), z);
  const survivors = survivorsOf(mask);
  const kept = arena.alloc('f64', m * survivors.length);
  gatherColumns(arena, u, width, m, survivors, kept);
  const M = arena.alloc('f64', m * m);
  syrk(m, survivors.length, kept, M);
  return { M: arena.take(M), z: arena.take(z) };
}

/** Adds the sums of one piece. */
export function addProjection({ M, z }: ProjectionSums, part: ProjectionSums): void {
  for (let i = 0; i < M.length; i++) M[i] = (M[i] as number) + (part.M[i] as number);
  for (let i = 0; i < z.length; i++) z[i] = (z[i] as number) + (part.z[i] as number);
}

function survivorsOf(mask: Uint8Array): Int32Array {
  const found = new Int32Array(mask.length);
  let count = 0;
  for (let k = 0; k < mask.length; k++) if (mask[k]) found[count++] = k;
  return found.subarray(0, count);
}

/** to [m, indices] = those columns of from [m, width]. */
function gatherColumns(arena: Arena, from: Real, width: number, m: number, indices: Int32Array, to: F64): void {
  const source = arena.view(from);
  const target = arena.view(to);
  const count = indices.length;
  for (let i = 0; i < m; i++) for (let j = 0; j < count; j++) target[i * count + j] = source[i * width + (indices[j] as number)] as number;
}
