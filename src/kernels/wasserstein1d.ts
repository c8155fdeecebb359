// Transport on a line by one merge of two sorted samples (assembly/wasserstein1d.ts).
import type { Arena, F64, I32, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';
import { argsortSegments } from './radix.js';

/** One side: points, their order and weights. */
export interface Side {
  readonly points: Real;
  readonly order: I32;
  readonly weights: F64;
}

/** What the merge may add to, next to the value. */
export interface MergeOutputs {
  /** Derivatives by the points; added to. */
  readonly gx?: F64;
  readonly gy?: F64;
  /** Dual potentials; overwritten. */
  readonly f?: F64;
  readonly g?: F64;
}

/** The ascending order of `points`, cut in rows of `length`. */
export function orderRows(arena: Arena, points: Real, length: number): I32 {
  const limits = Int32Array.from({ length: points.length / length + 1 }, (_, row) => row * length);
  const order = arena.alloc('i32', points.length);
  argsortSegments(arena, order, points, arena.put(limits), false);
  return order;
}

/** Σ mass·|x − y|^p along the monotone coupling of two sides of one total. */
export function mergeSorted(x: Side, y: Side, p: number, out: MergeOutputs = {}): number {
  const { gx, gy, f, g } = out;
  const run = x.points.type === 'f32' ? kernels().swasserstein1d : kernels().dwasserstein1d;
  const [n, m] = [x.points.length, y.points.length];
  const at = (block?: F64): number => block?.ptr ?? 0;
  return run(
    ...[n, m, x.points.ptr, y.points.ptr, x.order.ptr, y.order.ptr, x.weights.ptr, y.weights.ptr, p, at(gx), at(gy), at(f), at(g)],
  );
}
