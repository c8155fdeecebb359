// Marginals and cost of a plan given by its potentials (assembly/marginals.ts). F = f/ε + log a and G = g/ε + log b are f64.
import { checkLength } from '../core/check.js';
import type { F32, F64, Real } from '../runtime/arena.js';
import { instance, kernels } from '../runtime/instance.js';

/** Row sums r and column sums c of P in f64; returns ⟨P, C⟩. `plan`, of C's type, is filled when given. */
export function marginals(r: F64, c: F64, F: F64, G: F64, C: Real, epsilon: number, plan?: Real): number {
  checkLength('C', C, F.length * G.length);
  const k = kernels();
  const run = C.type === 'f32' ? k.smarginals : k.dmarginals;
  return run(r.ptr, c.ptr, plan?.ptr ?? 0, F.ptr, G.ptr, C.ptr, 1 / epsilon, F.length, G.length);
}

/** As `marginals` for f32 costs, entries of P rounded to f32: sums to a relative 5e-7, at less than half the time. */
export function coarseMarginals(r: F64, c: F64, F: F64, G: F64, C: F32, epsilon: number): number {
  checkLength('C', C, F.length * G.length);
  return kernels().scoarseMarginals(r.ptr, c.ptr, F.ptr, G.ptr, C.ptr, 1 / epsilon, F.length, G.length);
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
