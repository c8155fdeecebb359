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

/** Moves an element may take on average after sorting by buckets or rounded values; beyond it keys are sorted as they are. */
const movesPerElement = 4;
/** Shortest row worth buckets. */
const bucketsFrom = 64;

/**
 * The ascending, stable order of `points`, cut in rows of `length`; zeros of either sign may count as equal. Values are dealt out by equal
 * intervals of their range, as many as there are values, and finished by insertion; where that takes long, f64 values are sorted rounded
 * to f32, at half the passes, and finished; at last all keys are sorted as they are.
 */
export function orderRows(arena: Arena, points: Real, length: number): I32 {
  const order = arena.alloc('i32', points.length);
  const parts = Array.from({ length: points.length / length }, (_, row) => {
    const start = row * length;
    return { order: slice(order, start, length), points: slice(points, start, length) };
  });
  const [deal, polish] = points.type === 'f32' ? [kernels().sbuckets, kernels().spolish] : [kernels().dbuckets, kernels().dpolish];
  const polished = (part: (typeof parts)[number]) => polish(part.order.ptr, part.points.ptr, length, movesPerElement * length) === 1;
  if (length >= bucketsFrom) {
    const bits = 32 - Math.clz32(length - 1);
    const work = arena.alloc('i32', length + 2 ** bits);
    if (parts.every((part) => deal(part.order.ptr, part.points.ptr, length, bits, work.ptr) === 1 && polished(part))) return order;
  }
  const limits = arena.put(Int32Array.from({ length: parts.length + 1 }, (_, row) => row * length));
  if (points.type === 'f64') {
    const rounded = arena.alloc('f32', points.length);
    arena.view(rounded).set(arena.view(points));
    argsortSegments(arena, order, rounded, limits, false);
    if (parts.every(polished)) return order;
  }
  argsortSegments(arena, order, points, limits, false);
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

/**
 * The same for n points on either side, each of weight 1/n: gx, gy, f, g are overwritten, mean of g 0. No masses are cut, and no weights
 * read.
 */
export function pairSorted(
  x: Omit<Side, 'weights'>,
  y: Omit<Side, 'weights'>,
  p: number,
  { gx, gy, f, g }: Required<MergeOutputs>,
): number {
  const run = x.points.type === 'f32' ? kernels().spairSorted : kernels().dpairSorted;
  return run(x.points.length, x.points.ptr, y.points.ptr, x.order.ptr, y.order.ptr, p, gx.ptr, gy.ptr, f.ptr, g.ptr);
}
