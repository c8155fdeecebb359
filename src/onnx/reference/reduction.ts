// Reductions over axes, arg-reductions, running sums.
import { exp, log } from '../../kernels/scalar.js';
import { intOf, intsOf, type Node } from '../graph.js';
import {
  around,
  arrayLike,
  axisOf,
  type Elements,
  fail,
  type Kernel,
  type Kernels,
  like,
  list,
  longs,
  need,
  numbers,
  offsets,
  ofType,
  stridesOf,
  type Value,
} from './value.js';

/** A reduction: `read(k)` is the k-th of `count` elements of one group. */
type Reduction = (read: (k: number) => number, count: number) => number;

const sum =
  (f: (x: number) => number, finish: (total: number, count: number) => number = (total) => total): Reduction =>
  (read, count) => {
    let total = 0;
    for (let k = 0; k < count; k++) total += f(read(k));
    return finish(total, count);
  };

const fold =
  (first: number, f: (a: number, b: number) => number): Reduction =>
  (read, count) => {
    let value = first;
    for (let k = 0; k < count; k++) value = f(value, read(k));
    return value;
  };

const logSumExp: Reduction = (read, count) => {
  let top = -Infinity;
  for (let k = 0; k < count; k++) top = Math.max(top, read(k));
  if (!Number.isFinite(top)) return top;
  let total = 0;
  for (let k = 0; k < count; k++) total += exp(read(k) - top);
  return top + log(total);
};

/** The reduced axes: the attribute of old operator sets, the second input of new ones; undefined when all are meant. */
function axesOf(inputs: readonly (Value | undefined)[], node: Node): number[] | undefined {
  const given = inputs[1] ? list(inputs[1]) : intsOf(node, 'axes');
  return given && given.length > 0 ? [...given] : undefined;
}

/** Splits a shape into kept and reduced axes; `keepdims` leaves extents of 1. */
function split(shape: readonly number[], reduced: ReadonlySet<number>, keepdims: boolean) {
  const strides = stridesOf(shape);
  const pick = (chosen: boolean, of: readonly number[]): number[] => of.filter((_, axis) => reduced.has(axis) === chosen);
  return {
    kept: offsets(pick(false, shape), pick(false, strides)),
    inside: offsets(pick(true, shape), pick(true, strides)),
    out: keepdims ? shape.map((extent, axis) => (reduced.has(axis) ? 1 : extent)) : pick(false, shape),
  };
}

const reduce =
  (reduction: Reduction): Kernel =>
  (inputs, node) => {
    const x = need(inputs, 0, node);
    const axes = axesOf(inputs, node);
    const all = intOf(node, 'noop_with_empty_axes', 0) ? [] : [...x.shape.keys()];
    const reduced = new Set((axes ?? all).map((axis) => axisOf(node, axis, x.shape.length)));
    const { kept, inside, out } = split(x.shape, reduced, intOf(node, 'keepdims', 1) !== 0);
    const X = numbers(x);
    const values = Float64Array.from(kept, (start) => reduction((k) => X[start + inside[k]!]!, inside.length));
    return [ofType(x.type, values, out)];
  };

/** Index of the first (or last) extreme element along one axis. */
const argument =
  (better: (a: number, b: number) => boolean): Kernel =>
  (inputs, node) => {
    const x = need(inputs, 0, node);
    const axis = axisOf(node, intOf(node, 'axis', 0), x.shape.length);
    const last = intOf(node, 'select_last_index', 0) !== 0;
    const { kept, inside, out } = split(x.shape, new Set([axis]), intOf(node, 'keepdims', 1) !== 0);
    const X = numbers(x);
    const found = Array.from(kept, (start) => {
      let best = 0;
      for (let k = 1; k < inside.length; k++) {
        const a = X[start + inside[k]!]!;
        const b = X[start + inside[best]!]!;
        if (better(a, b) || (last && a === b)) best = k;
      }
      return best;
    });
    return [longs(found, out)];
  };

/** Sums along an axis up to each element; `exclusive` leaves the element itself out. */
const cumSum: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const at = need(inputs, 1, node);
  if (at.data.length !== 1) throw fail(node, `expected one axis, got ${at.data.length}`);
  const { outer, extent, inner } = around(x.shape, axisOf(node, list(at)[0]!, x.shape.length));
  const exclusive = intOf(node, 'exclusive', 0) !== 0;
  const reverse = intOf(node, 'reverse', 0) !== 0;
  const data = arrayLike(x, x.data.length);
  const X = x.data as unknown as Elements;
  const zero = (typeof x.data[0] === 'bigint' ? 0n : 0) as number;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let total = zero;
      for (let step = 0; step < extent; step++) {
        const k = (o * extent + (reverse ? extent - 1 - step : step)) * inner + i;
        const next = total + X[k]!;
        data[k] = exclusive ? total : next;
        total = next;
      }
    }
  }
  return [like(x, data, x.shape)];
};

const largest = fold(-Infinity, (a, b) => Math.max(a, b));
const smallest = fold(Infinity, (a, b) => Math.min(a, b));

export const reductions: Kernels = {
  ReduceSum: reduce(sum((x) => x)),
  ReduceMean: reduce(
    sum(
      (x) => x,
      (total, count) => total / count,
    ),
  ),
  ReduceSumSquare: reduce(sum((x) => x * x)),
  ReduceL1: reduce(sum(Math.abs)),
  ReduceL2: reduce(sum((x) => x * x, Math.sqrt)),
  ReduceLogSum: reduce(
    sum(
      (x) => x,
      (total) => log(total),
    ),
  ),
  ReduceLogSumExp: reduce(logSumExp),
  ReduceProd: reduce(fold(1, (a, b) => a * b)),
  ReduceMax: reduce(largest),
  ReduceMin: reduce(smallest),
  ArgMax: argument((a, b) => a > b),
  ArgMin: argument((a, b) => a < b),
  CumSum: cumSum,
};
