// Concat, Split, Slice, Pad.

import { GraphError } from '../../core/errors.js';
import type { Builder, Value, ValueType } from '../builder.js';
import { minus, plus, quotient, times } from '../dims.js';
import { type Dim, intsOf, type Node, stringOf, where } from '../graph.js';
import { axisOf, fromFront, type Rule } from './rule.js';

export const Concat: Rule = {
  infer: (node, b) => {
    const types = node.inputs.map((name) => b.type(name));
    const { type } = types[0]!;
    if (types.some(({ shape }) => !shape)) return [{ type }];
    const axis = axisOf(node, b, 0);
    const shape = types[0]!.shape!.map((extent, i) => (i === axis ? types.map((t) => t.shape![axis]!).reduce(plus, 0) : extent));
    const values = types.map(({ value }) => value);
    return [{ type, shape, value: shape.length === 1 && values.every((v) => v) ? values.flatMap((v) => v!) : undefined }];
  },
  simplify: (node) => (node.inputs.length === 1 ? [node.inputs[0]!] : undefined),
  vjp: (node, [d], b, needs) => {
    const axis = axisOf(node, b, 0);
    const sizes = node.inputs.map((name) => b.shape(name)[axis]!);
    const parts = b.emit('Split', [d!, b.extents(sizes)], { axis }, sizes.length);
    return parts.map((part, i) => (needs[i] ? part : undefined));
  },
  jvp: (node, dx, b) => [
    b.concat(
      node.inputs.map((name, i) => dx[i] ?? b.zerosLike(name)),
      axisOf(node, b, 0),
    ),
  ],
};

export const Split: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    const sizes = node.inputs[1] ? b.extentsOf(node.inputs[1]) : undefined;
    const count = sizes?.length ?? node.outputs.length;
    const axis = axisOf(node, b, 0);
    return Array.from({ length: count }, (_, i) => ({
      type,
      shape: shape?.map((e, at) => (at === axis ? (sizes?.[i] ?? `(${node.inputs[1]}.${i})`) : e)),
    }));
  },
  vjp: (node, d, b) => {
    const parts = node.outputs.map((name, i) => d[i] ?? b.zerosLike(name));
    return [b.concat(parts, axisOf(node, b, 0))];
  },
  jvp: (node, [d], b) => (d === undefined ? [] : b.emit('Split', [d, ...node.inputs.slice(1)], node.attributes, node.outputs.length)),
  expand: (node, b) => {
    if (node.inputs[1]) return undefined;
    const { split, axis } = node.attributes;
    const extent = b.shape(node.inputs[0]!)[axisOf(node, b, 0)]!;
    const count = node.outputs.length;
    const each = quotient(extent, count, true);
    const even = Array.from({ length: count }, (_, i) => (i < count - 1 ? each : minus(extent, times(each, count - 1))));
    const sizes = b.extents(split?.type === 'ints' ? split.value : even);
    return b.emit('Split', [node.inputs[0]!, sizes], axis ? { axis } : {}, count);
  },
};

interface Cut {
  axis: number;
  start: number;
  /** Elements kept. */
  length: Dim;
  step: number;
}

/** What a Slice keeps of each axis it names. @throws {GraphError} when that depends on data */
function cuts(node: Node, b: Builder): Cut[] {
  const [x, ...rest] = node.inputs as [Value, Value, Value, Value?, Value?];
  const shape = b.shape(x);
  const starts = b.integersOf(rest[0], node);
  const ends = b.extentsOf(rest[1]) ?? b.integersOf(rest[1], node);
  const axes = rest[2] ? b.integersOf(rest[2], node).map((axis) => fromFront(axis, shape.length)) : starts.map((_, i) => i);
  const steps = rest[3] ? b.integersOf(rest[3], node) : starts.map(() => 1);
  return axes.map((axis, i) => cut(node, axis, shape[axis]!, starts[i]!, ends[i]!, steps[i]!));
}

function cut(node: Node, axis: number, extent: Dim, from: number, to: Dim, step: number): Cut {
  if (typeof extent === 'string') {
    const open = to === extent || (typeof to === 'number' && to > 2 ** 30);
    if (step === 1 && from >= 0 && open) return { axis, start: from, length: minus(extent, from), step };
    if (step === 1 && from >= 0 && typeof to === 'number' && to < 0) return { axis, start: from, length: minus(extent, from - to), step };
    // A short prefix of an axis of unknown extent is taken to be there.
    if (step === 1 && from >= 0 && typeof to === 'number' && to >= from) return { axis, start: from, length: to - from, step };
    if (step === -1 && from === -1) return { axis, start: -1, length: extent, step };
    throw new GraphError(
      `${where(node).op} '${where(node).node}': expected a known extent on axis ${axis} of ${node.inputs[0]} to slice, got ${extent}`,
      where(node),
    );
  }
  const last = typeof to === 'number' ? to : extent;
  const clamp = (i: number, low: number, high: number): number => Math.min(Math.max(i < 0 ? i + extent : i, low), high);
  if (step > 0) {
    const start = clamp(from, 0, extent);
    return { axis, start, length: Math.max(0, Math.ceil((clamp(last, 0, extent) - start) / step)), step };
  }
  const start = clamp(from, 0, extent - 1);
  const end = last < -extent ? -1 : clamp(last, -1, extent - 1);
  return { axis, start, length: Math.max(0, Math.ceil((start - end) / -step)), step };
}

export const Slice: Rule = {
  infer: (node, b) => {
    const { type, shape, value } = b.type(node.inputs[0]!);
    if (!shape) return [{ type }];
    const kept = cuts(node, b);
    const to = shape.map((extent, axis) => kept.find((c) => c.axis === axis)?.length ?? extent);
    const [only] = kept;
    const part =
      value && only && typeof only.length === 'number'
        ? Array.from({ length: only.length }, (_, i) => value[only.start + i * only.step]!)
        : undefined;
    return [{ type, shape: to, value: part }];
  },
  simplify: (node, b) => {
    const shape = b.type(node.inputs[0]!).shape;
    if (!shape) return undefined;
    return cuts(node, b).every(({ axis, length, step }) => step === 1 && length === shape[axis]) ? [node.inputs[0]!] : undefined;
  },
  vjp: (node, [d], b) => [cuts(node, b).reduce((x, c) => uncut(x, c, b.shape(node.inputs[0]!)[c.axis]!, node, b), d!)],
  jvp: (node, [d], b) => [d && b.op('Slice', [d, ...node.inputs.slice(1)])],
  expand: (node, b) => {
    const starts = intsOf(node, 'starts');
    if (!starts) return undefined;
    const ends = intsOf(node, 'ends')!;
    return [b.slice(node.inputs[0]!, intsOf(node, 'axes') ?? starts.map((_, i) => i), starts, ends)];
  },
};

/** Puts a cut back where it was, zeros around and between. */
function uncut(x: Value, { axis, start, length, step }: Cut, extent: Dim, node: Node, b: Builder): Value {
  if (typeof extent === 'string' && typeof length === 'number') return placed(x, axis, start, length, step, extent, b);
  let put = x;
  let first = start;
  if (step < 0) {
    put = b.flip(put, [axis]);
    if (typeof extent === 'string') return put;
    first = start + ((length as number) - 1) * step;
  }
  const stride = Math.abs(step);
  let covered = length;
  if (stride > 1) {
    put = spread(put, axis, stride, b);
    covered = times(length, stride);
  }
  const after = minus(minus(extent, first), covered);
  if (typeof after === 'string') {
    throw new GraphError(
      `${where(node).op} '${where(node).node}': expected a known extent on axis ${axis} of ${node.inputs[0]} to differentiate a slice, got ${extent}`,
      where(node),
    );
  }
  return padAxis(put, axis, first, after, b);
}

/** Elements of a cut of known length written into zeros of unknown extent. */
function placed(x: Value, axis: number, start: number, length: number, step: number, extent: Dim, b: Builder): Value {
  const shape = b.shape(x);
  const places = b.ints(Array.from({ length }, (_, i) => start + i * step));
  const others = shape.map((_, i) => i).filter((i) => i !== axis);
  const zeros = b.expand(
    b.scalar(x, 0),
    shape.map((e, i) => (i === axis ? extent : e)),
  );
  return b.op('ScatterElements', [zeros, b.expand(b.unsqueeze(places, others), shape), x], { axis });
}

/** Zeros after every element along an axis: [a, b] becomes [a, 0, b, 0] for stride 2. */
export function spread(x: Value, axis: number, stride: number, b: Builder): Value {
  const shape = b.shape(x);
  const apart = b.unsqueeze(x, [axis + 1]);
  const wide = padAxis(apart, axis + 1, 0, stride - 1, b);
  return b.reshape(
    wide,
    shape.map((extent, i) => (i === axis ? times(extent, stride) : extent)),
  );
}

/** Zeros (or another number) before and after along an axis; negative counts crop. */
export function padAxis(x: Value, axis: number, before: number, after: number, b: Builder, fill = 0): Value {
  if (before === 0 && after === 0) return x;
  const rank = b.rank(x);
  const pads = new Array<number>(2 * rank).fill(0);
  pads[axis] = before;
  pads[axis + rank] = after;
  return b.op('Pad', [x, b.ints(pads), ...(fill === 0 ? [] : [b.scalar(x, fill)])]);
}

export const Pad: Rule = {
  infer: (node, b): ValueType[] => {
    const { type, shape } = b.type(node.inputs[0]!);
    if (!shape) return [{ type }];
    const pads = b.integersOf(node.inputs[1]!, node);
    return [{ type, shape: shape.map((extent, axis) => plus(extent, pads[axis]! + pads[axis + shape.length]!)) }];
  },
  simplify: (node, b) => {
    const pads = b.extentsOf(node.inputs[1]!);
    if (!pads || stringOf(node, 'mode', 'constant') !== 'constant') return undefined;
    if (pads.every((p) => p === 0)) return [node.inputs[0]!];
    // A pad that only crops is a slice.
    const rank = pads.length / 2;
    if (!pads.every((p) => typeof p === 'number' && p <= 0)) return undefined;
    const axes = Array.from({ length: rank }, (_, i) => i).filter((i) => pads[i] !== 0 || pads[i + rank] !== 0);
    const ends = axes.map((i) => (pads[i + rank] === 0 ? 2 ** 31 - 1 : (pads[i + rank] as number)));
    return [
      b.slice(
        node.inputs[0]!,
        axes,
        axes.map((i) => -(pads[i] as number)),
        ends,
      ),
    ];
  },
  vjp: (node, [d], b, needs) => {
    const pads = b.integersOf(node.inputs[1]!, node);
    const back = b.op('Pad', [d!, b.ints(pads.map((p) => -p))]);
    const [, , fill] = node.inputs;
    if (!fill || !needs[2]) return [back];
    const all = Array.from({ length: b.rank(d!) }, (_, axis) => axis);
    return [needs[0] ? back : undefined, undefined, b.reshape(b.sub(b.reduceSum(d!, all), b.reduceSum(back, all)), b.shape(fill))];
  },
  jvp: (node, [dx, , df], b) => {
    const moved = dx ?? (df && b.zerosLike(node.inputs[0]!));
    return [moved && b.op('Pad', [moved, node.inputs[1]!, ...(df ? [df] : [])])];
  },
  expand: (node, b) => expandPad(node, b),
};

/** Pads, value and axes in one form: an input of two numbers per axis. Modes that copy elements become gathers by axis. */
function expandPad(node: Node, b: Builder): Value[] | undefined {
  const [x, padsInput, fill, axesInput] = node.inputs as [Value, Value?, Value?, Value?];
  const mode = stringOf(node, 'mode', 'constant');
  const rank = b.rank(x);
  const listed = padsInput ? b.integersOf(padsInput, node) : [...(intsOf(node, 'pads') ?? [])];
  const axes = axesInput ? b.integersOf(axesInput, node).map((axis) => fromFront(axis, rank)) : undefined;
  if (mode === 'constant' && padsInput && !axes) return undefined;
  const pads = new Array<number>(2 * rank).fill(0);
  listed.forEach((p, i) => {
    const half = listed.length / 2;
    const axis = axes ? axes[i % half]! : i % half;
    pads[i < half ? axis : axis + rank] = p;
  });
  if (mode === 'constant') {
    const value = node.attributes.value?.type === 'float' ? node.attributes.value.value : 0;
    const with_ = fill ? [fill] : value !== 0 ? [b.scalar(x, value)] : [];
    return [b.op('Pad', [x, b.ints(pads), ...with_])];
  }
  let result = x;
  for (let axis = 0; axis < rank; axis++) {
    const [before, after] = [pads[axis]!, pads[axis + rank]!];
    if (before === 0 && after === 0) continue;
    const extent = b.shape(result)[axis]!;
    if (typeof extent === 'string')
      throw new GraphError(
        `${where(node).op} '${where(node).node}': expected a known extent on axis ${axis} of ${x} to pad, got ${extent}`,
        where(node),
      );
    const places = Array.from({ length: extent + before + after }, (_, i) => source(i - before, extent, mode));
    result = b.op('Gather', [result, b.ints(places)], { axis });
  }
  return [result];
}

function source(i: number, extent: number, mode: string): number {
  if (mode === 'edge') return Math.min(Math.max(i, 0), extent - 1);
  if (mode === 'wrap') return ((i % extent) + extent) % extent;
  const period = Math.max(1, 2 * extent - 2);
  const at = ((i % period) + period) % period;
  return at < extent ? at : period - at;
}
