// Operators that move elements without changing them: shapes, views, joins, borders.
import { sizeOf } from '../../core/tensor.js';
import { intOf, intsOf, type Node, stringOf } from '../graph.js';
import {
  around,
  arrayLike,
  axisOf,
  broadcastOffsets,
  broadcastShape,
  type Elements,
  fail,
  type Kernel,
  type Kernels,
  like,
  list,
  longs,
  need,
  offsets,
  stridesOf,
  take,
  type Value,
} from './value.js';

const view = (x: Value, shape: readonly number[]): Value => ({ ...x, shape });

function transpose(x: Value, perm: readonly number[]): Value {
  const shape = perm.map((axis) => x.shape[axis]!);
  const strides = stridesOf(x.shape);
  return take(
    x,
    offsets(
      shape,
      perm.map((axis) => strides[axis]!),
    ),
    shape,
  );
}

function reshape(x: Value, wanted: readonly number[], zeroKept: boolean, node: Node): Value {
  const shape = wanted.map((extent, axis) => (extent === 0 && !zeroKept ? (x.shape[axis] ?? 0) : extent));
  const free = shape.indexOf(-1);
  if (free >= 0) shape[free] = x.data.length / sizeOf(shape.filter((_, axis) => axis !== free)) || 0;
  if (sizeOf(shape) !== x.data.length || shape[free]! % 1)
    throw fail(node, `expected a shape of ${x.data.length} elements, got [${wanted}]`);
  return view(x, shape);
}

/** Axes given as a second input (new operator sets) or an attribute. */
const axesOf = (inputs: readonly (Value | undefined)[], node: Node, rank: number): number[] | undefined =>
  (inputs[1] ? list(inputs[1]) : intsOf(node, 'axes'))?.map((axis) => axisOf(node, axis, rank));

const squeeze: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const axes = axesOf(inputs, node, x.shape.length) ?? [...x.shape.keys()].filter((axis) => x.shape[axis] === 1);
  if (axes.some((axis) => x.shape[axis] !== 1)) throw fail(node, `expected extents of 1 at axes [${axes}], got [${x.shape}]`);
  return [
    view(
      x,
      x.shape.filter((_, axis) => !axes.includes(axis)),
    ),
  ];
};

const unsqueeze: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const count = (inputs[1] ? list(inputs[1]) : (intsOf(node, 'axes') ?? [])).length;
  const axes = new Set(axesOf(inputs, node, x.shape.length + count));
  const rest = [...x.shape];
  return [
    view(
      x,
      Array.from({ length: x.shape.length + count }, (_, axis) => (axes.has(axis) ? 1 : rest.shift()!)),
    ),
  ];
};

const concat: Kernel = (inputs, node) => {
  const values = inputs.map((_, i) => need(inputs, i, node));
  const axis = axisOf(node, intOf(node, 'axis', 0), values[0]!.shape.length);
  const extent = values.reduce((total, value) => total + value.shape[axis]!, 0);
  const shape = values[0]!.shape.map((e, k) => (k === axis ? extent : e));
  const { outer, inner } = around(shape, axis);
  const data = arrayLike(values[0]!, sizeOf(shape));
  let start = 0;
  for (const value of values) {
    if (value.shape.some((e, k) => k !== axis && e !== shape[k]))
      throw fail(node, `expected shapes that agree but for axis ${axis}, got [${value.shape}]`);
    const run = value.shape[axis]! * inner;
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < run; i++) data[(o * extent + start) * inner + i] = value.data[o * run + i] as number;
    }
    start += value.shape[axis]!;
  }
  return [like(values[0]!, data, shape)];
};

/** Elements start, start + step, … along each axis. */
function strided(x: Value, starts: readonly number[], extents: readonly number[], steps: readonly number[]): Value {
  const strides = stridesOf(x.shape);
  const start = starts.reduce((total, s, axis) => total + s * strides[axis]!, 0);
  return take(
    x,
    offsets(
      extents,
      strides.map((stride, axis) => stride * steps[axis]!),
      start,
    ),
    extents,
  );
}

const split: Kernel = (inputs, node, { outputs }) => {
  const x = need(inputs, 0, node);
  const axis = axisOf(node, intOf(node, 'axis', 0), x.shape.length);
  const extent = x.shape[axis]!;
  const part = Math.ceil(extent / outputs);
  const sizes =
    (inputs[1] ? list(inputs[1]) : intsOf(node, 'split')) ??
    Array.from({ length: outputs }, (_, i) => Math.max(0, Math.min(part, extent - i * part)));
  if (sizes.reduce((a, b) => a + b, 0) !== extent) throw fail(node, `expected parts that sum to ${extent}, got [${sizes}]`);
  let at = 0;
  return sizes.map((size) => {
    const starts = x.shape.map((_, k) => (k === axis ? at : 0));
    at += size;
    return strided(
      x,
      starts,
      x.shape.map((e, k) => (k === axis ? size : e)),
      x.shape.map(() => 1),
    );
  });
};

const slice: Kernel = (inputs, node, { opset }) => {
  const x = need(inputs, 0, node);
  const read = (name: string, i: number): readonly number[] | undefined => (opset < 10 ? intsOf(node, name) : inputs[i] && list(inputs[i]));
  const starts = read('starts', 1) ?? [];
  const ends = read('ends', 2) ?? [];
  const axes = (read('axes', 3) ?? starts.map((_, k) => k)).map((axis) => axisOf(node, axis, x.shape.length));
  const steps = read('steps', 4) ?? starts.map(() => 1);
  const [from, step, extents] = [x.shape.map(() => 0), x.shape.map(() => 1), [...x.shape]];
  for (const [k, axis] of axes.entries()) {
    const extent = x.shape[axis]!;
    const by = steps[k]!;
    const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value < 0 ? value + extent : value));
    if (by === 0) throw fail(node, 'expected steps other than 0, got 0');
    const first = by > 0 ? clamp(starts[k]!, 0, extent) : clamp(starts[k]!, 0, extent - 1);
    const end = by > 0 ? clamp(ends[k]!, 0, extent) : clamp(ends[k]!, -1, extent - 1);
    from[axis] = first;
    step[axis] = by;
    extents[axis] = Math.max(0, Math.ceil((end - first) / by));
  }
  return [strided(x, from, extents, step)];
};

/** The source index of a padded position along one axis, or −1 where the constant stands. */
function padSource(position: number, extent: number, mode: string): number {
  if (position >= 0 && position < extent) return position;
  if (mode === 'edge') return position < 0 ? 0 : extent - 1;
  if (mode === 'wrap') return ((position % extent) + extent) % extent;
  if (mode !== 'reflect') return -1;
  if (extent === 1) return 0;
  const period = 2 * (extent - 1);
  const folded = ((position % period) + period) % period;
  return folded < extent ? folded : period - folded;
}

const pad: Kernel = (inputs, node, { opset }) => {
  const x = need(inputs, 0, node);
  const rank = x.shape.length;
  const mode = stringOf(node, 'mode', 'constant');
  const pads = opset < 11 ? intsOf(node, 'pads')! : list(need(inputs, 1, node));
  const axes = inputs[3] ? list(inputs[3]).map((axis) => axisOf(node, axis, rank)) : [...x.shape.keys()];
  const fill = (
    opset < 11 ? (node.attributes.value?.value ?? 0) : (inputs[2]?.data[0] ?? (typeof x.data[0] === 'bigint' ? 0n : 0))
  ) as number;
  const begin = x.shape.map(() => 0);
  const shape = [...x.shape];
  for (const [k, axis] of axes.entries()) {
    begin[axis] = pads[k]!;
    shape[axis]! += pads[k]! + pads[k + axes.length]!;
  }
  if (shape.some((extent) => extent < 0)) throw fail(node, `expected pads that leave a shape, got [${pads}] on [${x.shape}]`);
  const strides = stridesOf(x.shape);
  let at = [0];
  for (let axis = 0; axis < rank; axis++) {
    const places = Array.from({ length: shape[axis]! }, (_, k) => padSource(k - begin[axis]!, x.shape[axis]!, mode));
    at = at.flatMap((base) => places.map((place) => (base < 0 || place < 0 ? -1 : base + place * strides[axis]!)));
  }
  const data = arrayLike(x, at.length);
  const from = x.data as unknown as Elements;
  for (let i = 0; i < at.length; i++) data[i] = at[i]! < 0 ? fill : from[at[i]!]!;
  return [like(x, data, shape)];
};

/** Blocks of depth to blocks of space (DCR: block index first in the channel; CRD: last), and back. */
const depthToSpace: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const b = intOf(node, 'blocksize', 1);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const d = c / (b * b);
  if (!Number.isInteger(d)) throw fail(node, `expected channels in multiples of ${b * b}, got ${c}`);
  const parts = stringOf(node, 'mode', 'DCR') === 'DCR' ? [n, b, b, d, h, w] : [n, d, b, b, h, w];
  const perm = stringOf(node, 'mode', 'DCR') === 'DCR' ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  return [view(transpose(view(x, parts), perm), [n, d, h * b, w * b])];
};

const spaceToDepth: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const b = intOf(node, 'blocksize', 1);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (h % b || w % b) throw fail(node, `expected extents in multiples of ${b}, got ${h} and ${w}`);
  return [view(transpose(view(x, [n, c, h / b, b, w / b, b]), [0, 3, 5, 1, 2, 4]), [n, c * b * b, h / b, w / b])];
};

const trilu: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const k = inputs[1] ? list(inputs[1])[0]! : 0;
  const upper = intOf(node, 'upper', 1) !== 0;
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const data = arrayLike(x, x.data.length);
  const zero = (typeof x.data[0] === 'bigint' ? 0n : 0) as number;
  for (let i = 0; i < data.length; i++) {
    const [row, column] = [Math.floor(i / columns) % rows, i % columns];
    data[i] = (upper ? column - row >= k : column - row <= k) ? (x.data[i] as number) : zero;
  }
  return [like(x, data, x.shape)];
};

export const layouts: Kernels = {
  Transpose: (inputs, node) => {
    const x = need(inputs, 0, node);
    return [transpose(x, intsOf(node, 'perm') ?? [...x.shape.keys()].reverse())];
  },
  Reshape: (inputs, node) => [reshape(need(inputs, 0, node), list(need(inputs, 1, node)), intOf(node, 'allowzero', 0) !== 0, node)],
  Flatten: (inputs, node) => {
    const x = need(inputs, 0, node);
    const axis = intOf(node, 'axis', 1);
    const { length } = x.shape;
    const at = axis < 0 ? axis + length : axis;
    return [view(x, [sizeOf(x.shape.slice(0, at)), sizeOf(x.shape.slice(at))])];
  },
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: (inputs, node) => {
    const x = need(inputs, 0, node);
    const shape = broadcastShape(node, x.shape, list(need(inputs, 1, node)));
    return [take(x, broadcastOffsets(x.shape, shape), shape)];
  },
  Shape: (inputs, node) => {
    const { shape } = need(inputs, 0, node);
    return [longs(shape.slice(intOf(node, 'start', 0), intOf(node, 'end', shape.length)))];
  },
  Size: (inputs, node) => [longs([need(inputs, 0, node).data.length], [])],
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Tile: (inputs, node) => {
    const x = need(inputs, 0, node);
    const repeats = list(need(inputs, 1, node));
    // Each axis becomes two: the repeat (stride 0) and the axis itself.
    const strides = stridesOf(x.shape).flatMap((stride) => [0, stride]);
    const at = offsets(
      x.shape.flatMap((extent, axis) => [repeats[axis]!, extent]),
      strides,
    );
    return [
      take(
        x,
        at,
        x.shape.map((extent, axis) => extent * repeats[axis]!),
      ),
    ];
  },
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Trilu: trilu,
};
