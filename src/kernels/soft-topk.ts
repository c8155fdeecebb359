// Sigmoid soft top-k of rows (assembly/soft-topk.ts).
import type { Arena, F64, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** y [rows, n] = σ(alpha·(x + t)) with Σ y = k in every row, or log y; t [rows]. */
export function softtopk(arena: Arena, y: Real, t: F64, x: Real, k: number, alpha: number, logarithm: boolean): void {
  const n = x.length / t.length;
  const work = arena.alloc(x.type, n + 8);
  const run = kernels()[x.type === 'f32' ? 'ssofttopk' : 'dsofttopk'];
  run(y.ptr, t.ptr, x.ptr, t.length, n, k, alpha, Number(logarithm), work.ptr);
}

/** gx = gradient of ⟨g, y⟩, or of ⟨g, log y⟩, at the roots t. */
export function softtopkBack(arena: Arena, gx: Real, g: Real, x: Real, t: F64, alpha: number, logarithm: boolean): void {
  const n = x.length / t.length;
  const work = arena.alloc(x.type, 2 * n + 16);
  const run = kernels()[x.type === 'f32' ? 'ssofttopkBack' : 'dsofttopkBack'];
  run(gx.ptr, g.ptr, x.ptr, t.ptr, t.length, n, alpha, Number(logarithm), work.ptr);
}
