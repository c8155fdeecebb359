// Potentials to kernel matrices and plans (assembly/gibbs.ts). F = f/ε + log a and G = g/ε + log b are f64.
import { checkLength } from '../core/check.js';
import type { F32, F64, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** K = exp(F_i + G_j − C_ij/ε), in the precision of K; K may be C. K f64 with C f32 keeps more digits than the cost has. */
export function gibbs(K: Real, F: F64, G: F64, C: Real, epsilon: number): void {
  checkLength('C', C, F.length * G.length);
  checkLength('K', K, C.length);
  const k = kernels();
  const run = K.type === 'f32' ? k.sgibbs : C.type === 'f32' ? k.sdgibbs : k.dgibbs;
  run(K.ptr, F.ptr, G.ptr, C.ptr, 1 / epsilon, F.length, G.length);
}

/** F_i = −max_j (G_j − C_ij/ε); top_j = max_i (F_i + G_j − C_ij/ε). `line` [2·cols] of C's type is scratch. */
export function tighten(F: F64, top: F64, G: F64, C: Real, line: Real, epsilon: number): void {
  checkLength('C', C, F.length * G.length);
  const k = kernels();
  (C.type === 'f32' ? k.stighten : k.dtighten)(F.ptr, top.ptr, G.ptr, C.ptr, line.ptr, 1 / epsilon, F.length, G.length);
}

/** `tighten` and `gibbs` with its F in one pass; K and C f32, K is not C. */
export function lift(K: F32, F: F64, top: F64, G: F64, C: F32, line: F32, epsilon: number): void {
  checkLength('C', C, F.length * G.length);
  checkLength('K', K, C.length);
  kernels().slift(K.ptr, F.ptr, top.ptr, G.ptr, C.ptr, line.ptr, 1 / epsilon, F.length, G.length);
}
