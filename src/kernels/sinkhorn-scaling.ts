// Sinkhorn iterations on scalings (assembly/sinkhorn-scaling.ts).
import { checkLength } from '../core/check.js';
import type { F64, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Blocks of one scaling problem; K [rows, cols], u, a [rows], v, acc, b [cols] of one type; stats is four f64. */
export interface ScalingBlocks {
  readonly K: Real;
  readonly u: Real;
  readonly v: Real;
  readonly acc: Real;
  readonly a: Real;
  readonly b: Real;
  readonly stats: F64;
}
/** What over-relaxed or penalised iterations need besides: logarithms of the scalings, shifts, exponents and ω. */
export interface SoftBlocks {
  readonly lu: F64;
  readonly lv: F64;
  readonly shiftU: F64;
  readonly shiftV: F64;
  readonly kappa: readonly [number, number];
  readonly omega: number;
}

/**
 * Up to `count` iterations u = a/(Kv), v = b/(Kᵀu), each one read of K; stops early at error ≤ tolerance, when a scaling leaves
 * [1/limit, limit] or when a sum cannot be used. Returns the iterations done.
 */
export function scaling(blocks: ScalingBlocks, count: number, tolerance: number, limit: number, soft?: SoftBlocks): number {
  const { K, u, v, acc, a, b, stats } = blocks;
  checkLength('K', K, u.length * v.length);
  const k = kernels();
  const single = K.type === 'f32';
  if (!soft) {
    const run = single ? k.sscaling : k.dscaling;
    return run(count, tolerance, limit, u.ptr, v.ptr, acc.ptr, K.ptr, a.ptr, b.ptr, stats.ptr, u.length, v.length);
  }
  const { lu, lv, shiftU, shiftV, kappa, omega } = soft;
  const run = single ? k.sscalingSoft : k.dscalingSoft;
  const logs = [lu.ptr, lv.ptr, shiftU.ptr, shiftV.ptr, kappa[0], kappa[1], omega];
  return run(count, tolerance, limit, u.ptr, v.ptr, acc.ptr, K.ptr, a.ptr, b.ptr, ...logs, stats.ptr, u.length, v.length);
}

/** y = Kᵀ diag(w) K p in one read of K; y, p [cols], w and the scratch `product` [rows], all of K's type. */
export function gramv(y: Real, K: Real, p: Real, w: Real, product: Real): void {
  checkLength('K', K, w.length * p.length);
  const k = kernels();
  (K.type === 'f32' ? k.sgramv : k.dgramv)(y.ptr, K.ptr, p.ptr, w.ptr, product.ptr, w.length, p.length);
}

/** Half an iteration with bounds: u = min(cap, a/(Kv)), acc = Kᵀu; stats[0] = Σ |change of u|·(Kv), stats[2] the widest scaling. */
export function capped({ u, v, acc, K, a, stats }: Omit<ScalingBlocks, 'b'>, cap: F64): void {
  checkLength('K', K, u.length * v.length);
  const k = kernels();
  (K.type === 'f32' ? k.scapped : k.dcapped)(u.ptr, v.ptr, acc.ptr, K.ptr, a.ptr, cap.ptr, stats.ptr, u.length, v.length);
}
