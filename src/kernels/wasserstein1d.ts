// Transport on a line by one merge of two sorted samples (assembly/wasserstein1d.ts).
import { type Arena, type F64, type I32, type Real, slice } from '../runtime/arena.js';
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

/** Moves an element may take on average after sorting by values rounded to f32; beyond it f64 keys are sorted as they are. */
const movesPerElement = 4;

/** The ascending, stable order of `points`, cut in rows of `length`. f64 values are sorted rounded to f32, at half the passes, then finished. */
export function orderRows(arena: Arena, points: Real, length: number): I32 {
  const limits = arena.put(Int32Array.from({ length: points.length / length + 1 }, (_, row) => row * length));
  const order = arena.alloc('i32', points.length);
  if (points.type === 'f32') {
    argsortSegments(arena, order, points, limits, false);
    return order;
  }
  const rounded = arena.alloc('f32', points.length);
  arena.view(rounded).set(arena.view(points));
  argsortSegments(arena, order, rounded, limits, false);
  for (let start = 0; start < points.length; start += length) {
    const [part, row] = [slice(order, start, length), slice(points, start, length)];
    if (kernels().dpolish(part.ptr, row.ptr, length, movesPerElement * length)) continue;
    argsortSegments(arena, order, points, limits, false);
    return order;
  }
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
