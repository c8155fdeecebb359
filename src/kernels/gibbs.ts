// Potentials to kernel matrices, plans and marginals (assembly/gibbs.ts). F = f/ε + log a and G = g/ε + log b are f64.
import { checkLength } from '../core/check.js';
import type { F64, Real } from '../runtime/arena.js';
import { instance, kernels } from '../runtime/instance.js';

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

/** Row sums r and column sums c of P in f64; returns ⟨P, C⟩. `plan`, of C's type, is filled when given. */
export function marginals(r: F64, c: F64, F: F64, G: F64, C: Real, epsilon: number, plan?: Real): number {
  checkLength('C', C, F.length * G.length);
  const k = kernels();
  const run = C.type === 'f32' ? k.smarginals : k.dmarginals;
  return run(r.ptr, c.ptr, plan?.ptr ?? 0, F.ptr, G.ptr, C.ptr, 1 / epsilon, F.length, G.length);
}

/** Σ a·exp(factor·(la − F − lu)), factor = ε/ρ: the mass a KL penalty ρ wants on one side. */
export function penaltyMass(a: F64, la: F64, F: F64, lu: F64, factor: number): number {
  return kernels().dpenaltyMass(a.length, a.ptr, la.ptr, F.ptr, lu.ptr, factor);
}

/** Least and largest element of a block; NaN for both when any element is. */
export function extremes(x: Real): { low: number; high: number } {
  const { arena, kernels: k } = instance();
  const mark = arena.mark();
  const out = arena.alloc('f64', 2);
  (x.type === 'f32' ? k.sspread : k.dspread)(out.ptr, x.ptr, x.length);
  const [low, high] = arena.view(out) as unknown as [number, number];
  arena.release(mark);
  return { low, high };
}
