// Reading and writing at indices, and tensors made from sizes and indices.
import { sizeOf } from '../../core/tensor.js';
import { intOf, type Node, stringOf } from '../graph.js';
import {
  around,
  arrayLike,
  axisOf,
  fail,
  heldType,
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
  take,
  type Value,
} from './value.js';

/** An index counted from the front. @throws {GraphError} when it is outside −extent … extent − 1 */
function indexOf(node: Node, index: number, extent: number): number {
  if (!(index >= -extent && index < extent)) throw fail(node, `expected indices from ${-extent} to ${extent - 1}, got ${index}`);
  return index < 0 ? index + extent : index;
}

const gather: Kernel = (inputs, node) => {
  const [x, indices] = [need(inputs, 0, node), need(inputs, 1, node)];
  const axis = axisOf(node, intOf(node, 'axis', 0), x.shape.length);
  const { outer, extent, inner } = around(x.shape, axis);
  const rows = list(indices).map((index) => indexOf(node, index, extent));
  const at = new Int32Array(outer * rows.length * inner);
  let o = 0;
  for (let a = 0; a < outer; a++) for (const row of rows) for (let i = 0; i < inner; i++) at[o++] = (a * extent + row) * inner + i;
  return [take(x, at, [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)])];
};

/** For every element of `indices`, the offset in a tensor of `shape` with the coordinate at `axis` replaced by the index. */
function elementOffsets(shape: readonly number[], indices: Value, axis: number, node: Node): Int32Array {
  const strides = stridesOf(shape);
  const at = offsets(
    indices.shape,
    strides.map((stride, k) => (k === axis ? 0 : stride)),
  );
  const I = numbers(indices);
  return at.map((base, i) => base + indexOf(node, I[i]!, shape[axis]!) * strides[axis]!);
}

const gatherElements: Kernel = (inputs, node) => {
  const [x, indices] = [need(inputs, 0, node), need(inputs, 1, node)];
  const axis = axisOf(node, intOf(node, 'axis', 0), x.shape.length);
  return [take(x, elementOffsets(x.shape, indices, axis, node), indices.shape)];
};

/** Starts of the slices that rows of coordinates name, and the size of one slice. */
function tupleOffsets(shape: readonly number[], indices: Value, batch: number, node: Node): { starts: Int32Array; run: number } {
  const depth = indices.shape.at(-1) ?? 0;
  if (batch + depth > shape.length) throw fail(node, `expected coordinates of at most ${shape.length - batch} axes, got ${depth}`);
  const strides = stridesOf(shape);
  const I = numbers(indices);
  const count = sizeOf(indices.shape.slice(0, -1));
  const perBatch = sizeOf(indices.shape.slice(batch, -1));
  const run = sizeOf(shape.slice(batch + depth));
  const block = sizeOf(shape.slice(batch));
  const starts = new Int32Array(count).map((_, t) => {
    let start = batch ? Math.floor(t / perBatch) * block : 0;
    for (let k = 0; k < depth; k++) start += indexOf(node, I[t * depth + k]!, shape[batch + k]!) * strides[batch + k]!;
    return start;
  });
  return { starts, run };
}

const gatherND: Kernel = (inputs, node) => {
  const [x, indices] = [need(inputs, 0, node), need(inputs, 1, node)];
  const batch = intOf(node, 'batch_dims', 0);
  const { starts, run } = tupleOffsets(x.shape, indices, batch, node);
  const at = new Int32Array(starts.length * run).map((_, i) => starts[Math.floor(i / run)]! + (i % run));
  return [take(x, at, [...indices.shape.slice(0, -1), ...x.shape.slice(batch + (indices.shape.at(-1) ?? 0))])];
};

/** How a scattered element meets what is there. */
function combine(node: Node): (old: number, next: number) => number {
  const mode = stringOf(node, 'reduction', 'none');
  if (mode === 'add') return (a, b) => a + b;
  if (mode === 'mul') return (a, b) => a * b;
  if (mode === 'max') return Math.max;
  if (mode === 'min') return Math.min;
  return (_, b) => b;
}

function scatter(x: Value, at: Int32Array, updates: Value, node: Node): Value {
  if (updates.data.length !== at.length) throw fail(node, `expected ${at.length} updates, got ${updates.data.length}`);
  const data = arrayLike(x, x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = x.data[i] as number;
  const f = combine(node);
  for (let i = 0; i < at.length; i++) data[at[i]!] = f(data[at[i]!]!, updates.data[i] as number);
  return like(x, data, x.shape);
}

const scatterElements: Kernel = (inputs, node) => {
  const [x, indices, updates] = [need(inputs, 0, node), need(inputs, 1, node), need(inputs, 2, node)];
  const axis = axisOf(node, intOf(node, 'axis', 0), x.shape.length);
  return [scatter(x, elementOffsets(x.shape, indices, axis, node), updates, node)];
};

const scatterND: Kernel = (inputs, node) => {
  const [x, indices, updates] = [need(inputs, 0, node), need(inputs, 1, node), need(inputs, 2, node)];
  const { starts, run } = tupleOffsets(x.shape, indices, 0, node);
  return [
    scatter(
      x,
      new Int32Array(starts.length * run).map((_, i) => starts[Math.floor(i / run)]! + (i % run)),
      updates,
      node,
    ),
  ];
};

const oneHot: Kernel = (inputs, node) => {
  const [indices, depth, values] = [need(inputs, 0, node), list(need(inputs, 1, node))[0]!, need(inputs, 2, node)];
  const axis = axisOf(node, intOf(node, 'axis', -1), indices.shape.length + 1);
  const shape = [...indices.shape.slice(0, axis), depth, ...indices.shape.slice(axis)];
  const inner = sizeOf(indices.shape.slice(axis));
  const data = arrayLike(values, sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = values.data[0] as number;
  for (const [i, index] of list(indices).entries()) {
    if (index < -depth || index >= depth) continue; // outside: all off
    const row = Math.trunc(index < 0 ? index + depth : index);
    data[(Math.floor(i / inner) * depth + row) * inner + (i % inner)] = values.data[1] as number;
  }
  return [like(values, data, shape)];
};

/** The k largest (or smallest) along an axis; ties keep the lower index first. */
const topK: Kernel = (inputs, node, { opset }) => {
  const x = need(inputs, 0, node);
  const k = opset < 10 ? intOf(node, 'k', 1) : list(need(inputs, 1, node))[0]!;
  const axis = axisOf(node, intOf(node, 'axis', -1), x.shape.length);
  const sign = intOf(node, 'largest', 1) ? 1 : -1;
  const { outer, extent, inner } = around(x.shape, axis);
  if (k > extent) throw fail(node, `expected k of at most ${extent}, got ${k}`);
  const X = numbers(x);
  const at = new Int32Array(outer * k * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const place = (e: number): number => (o * extent + e) * inner + i;
      const order = Array.from({ length: extent }, (_, e) => e).sort((a, b) => sign * (X[place(b)]! - X[place(a)]!) || a - b);
      for (let e = 0; e < k; e++) at[(o * k + e) * inner + i] = place(order[e]!);
    }
  }
  const shape = x.shape.map((e, d) => (d === axis ? k : e));
  return [
    take(x, at, shape),
    longs(
      Array.from(at, (place) => Math.floor(place / inner) % extent),
      shape,
    ),
  ];
};

const nonZero: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const X = numbers(x);
  const found = Array.from(X as ArrayLike<number>, (_, i) => i).filter((i) => X[i] !== 0);
  const strides = stridesOf(x.shape);
  const rows = x.shape.flatMap((extent, axis) => found.map((i) => Math.floor(i / strides[axis]!) % extent));
  return [longs(rows, [x.shape.length, found.length])];
};

const range: Kernel = (inputs, node) => {
  const [start, limit, delta] = [0, 1, 2].map((i) => list(need(inputs, i, node))[0]!) as [number, number, number];
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  return [
    ofType(
      inputs[0]!.type,
      Array.from({ length: count }, (_, i) => start + i * delta),
      [count],
    ),
  ];
};

const compress: Kernel = (inputs, node) => {
  const [x, condition] = [need(inputs, 0, node), list(need(inputs, 1, node))];
  const kept = condition.flatMap((on, i) => (on ? [i] : []));
  const whole = node.attributes.axis === undefined;
  const source = whole ? { ...x, shape: [x.data.length] } : x;
  return gather([source, longs(kept)], { ...node, attributes: whole ? {} : node.attributes }, undefined as never);
};

const reverseSequence: Kernel = (inputs, node) => {
  const [x, lengths] = [need(inputs, 0, node), list(need(inputs, 1, node))];
  const [batch, time] = [intOf(node, 'batch_axis', 1), intOf(node, 'time_axis', 0)];
  const strides = stridesOf(x.shape);
  const at = offsets(x.shape, strides).map((i) => {
    const t = Math.floor(i / strides[time]!) % x.shape[time]!;
    const length = lengths[Math.floor(i / strides[batch]!) % x.shape[batch]!]!;
    return t < length ? i + (length - 1 - 2 * t) * strides[time]! : i;
  });
  return [take(x, at, x.shape)];
};

export const indexings: Kernels = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  Scatter: scatterElements,
  ScatterND: scatterND,
  OneHot: oneHot,
  TopK: topK,
  NonZero: nonZero,
  Range: range,
  Compress: compress,
  ReverseSequence: reverseSequence,
  EyeLike: (inputs, node) => {
    const x = need(inputs, 0, node);
    const [rows, columns] = x.shape as [number, number];
    const k = intOf(node, 'k', 0);
    const values = Array.from({ length: rows * columns }, (_, i) => ((i % columns) - Math.floor(i / columns) === k ? 1 : 0));
    return [ofType(node.attributes.dtype ? heldType(intOf(node, 'dtype', 1)) : x.type, values, x.shape)];
  },
};
