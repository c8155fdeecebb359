// Triangular systems on blocks (assembly/triangular.ts).
import type { Real } from '../runtime/arena.js';
import { instance } from '../runtime/instance.js';
import { checkMatrix } from './gemm.js';

/** Options of `trsm`. */
export interface TrsmOptions {
  /** Which triangle of T as stored is meant (lower by default); the other is not read. */
  upper?: boolean;
  /** Solves with Tᵀ. */
  transT?: boolean;
  ldt?: number;
  ldx?: number;
}

/**
 * Overwrites X [m, n] with op(T)⁻¹·X for triangular T [m, m]; the diagonal of T must be non-zero. Scratch comes from the arena in use: views
 * taken before may be detached.
 * @throws {ShapeError} when a block is too short
 */
export function trsm<B extends Real>(m: number, n: number, t: B, x: B, options: TrsmOptions = {}): void {
  const { upper = false, transT = false, ldt = m, ldx = n } = options;
  checkMatrix('t', t, m, m, ldt);
  checkMatrix('x', x, m, n, ldx);
  if (m === 0 || n === 0) return;
  const { arena, kernels } = instance();
  const size = t.type === 'f32' ? 4 : 8;
  const mark = arena.mark();
  const work = arena.alloc('u8', kernels.trsmWork(m, n, size)).ptr;
  const run = t.type === 'f32' ? kernels.strsm : kernels.dtrsm;
  const [rs, cs] = transT ? [1, ldt] : [ldt, 1];
  if (upper === transT) run(m, n, t.ptr, rs, cs, x.ptr, ldx, work);
  else {
    // An upper triangle is a lower one from its last row and column backwards.
    const last = m - 1;
    run(m, n, t.ptr + last * (ldt + 1) * size, -rs, -cs, x.ptr + last * ldx * size, -ldx, work);
  }
  arena.release(mark);
}
