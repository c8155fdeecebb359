// Gather, GatherElements, GatherND and their scatters: each is the transpose of another.

import { GraphError } from '../../core/errors.js';
import type { Builder, Value } from '../builder.js';
import { broadcast, isStatic, product } from '../dims.js';
import { type Dim, graphTensor, intOf, type Node, stringOf, where } from '../graph.js';
import { axisOf, likeFirst, otherAxes, type Rule } from './rule.js';

/** Lookup tables up to this many rows take their gradient as a product with a 0/1 matrix, which adds repeated rows exactly. */
const smallTable = 512;

export const Gather: Rule = {
  infer: (node, b) => {
    const [x, at] = node.inputs.map((name) => b.type(name)) as [ReturnType<Builder['type']>, ReturnType<Builder['type']>];
    if (!x.shape || !at.shape) return [{ type: x.type }];
    const axis = axisOf(node, b, 0);
    const shape = [...x.shape.slice(0, axis), ...at.shape, ...x.shape.slice(axis + 1)];
    const picked = x.value && at.value?.map((i) => x.value![typeof i === 'number' && i < 0 ? i + x.value!.length : (i as number)]);
    return [{ type: x.type, shape, value: picked?.every((dim) => dim !== undefined) ? (picked as Dim[]) : undefined }];
  },
  simplify: (node, b) => {
    const [x, at] = node.inputs as [Value, Value];
    const shape = b.type(x).shape;
    const places = b.extentsOf(at);
    if (!shape || !isStatic(places) || b.extentsOf(x)) return undefined;
    const axis = axisOf(node, b, 0);
    const extent = shape[axis]!;
    const first = places[0]!;
    const start = first < 0 ? (typeof extent === 'number' ? first + extent : undefined) : first;
    if (start === undefined || places.length === 0) return undefined;
    const runs = places.every((p, i) => (p < 0 ? p + Number(extent) : p) === start + i);
    // A run of neighbours is a slice, one element a slice without its axis.
    if (!runs || b.rank(at) > 1) return undefined;
    const part = b.slice(x, [axis], [start], [start + places.length]);
    return [b.rank(at) === 0 ? b.squeeze(part, [axis]) : part];
  },
  vjp: (node, [d], b) => {
    const [x, at] = node.inputs as [Value, Value];
    const shape = b.shape(x);
    const axis = axisOf(node, b, 0);
    const extent = shape[axis]!;
    const rank = b.rank(at);
    const places = b.reshape(at, [product(b.shape(at))]);
    // d as [places, everything else]
    const rest = otherAxes(shape.length, axis);
    const order = [
      ...Array.from({ length: rank }, (_, i) => axis + i),
      ...otherAxes(b.rank(d!), ...Array.from({ length: rank }, (_, i) => axis + i)),
    ];
    const others = rest.map((i) => shape[i]!);
    const rows = b.reshape(b.transpose(d!, order), [product(b.shape(at)), product(others)]);
    const table =
      typeof extent === 'number' && extent <= smallTable
        ? b.op('Gemm', [oneHot(places, extent, rows, b), rows], { transA: 1 })
        : scatterRows(places, extent, rows, b);
    const back = [axis, ...rest];
    const whole = b.reshape(table, [extent, ...others]);
    return [
      b.transpose(
        whole,
        shape.map((_, i) => back.indexOf(i)),
      ),
    ];
  },
  jvp: (node, [d], b) => [d && b.op('Gather', [d, node.inputs[1]!], node.attributes)],
};

/** [places, extent] with a 1 where a place is, negative places counted from the end. */
function oneHot(places: Value, extent: number, like: Value, b: Builder): Value {
  const type = b.elementType(places);
  const range = b.constant(
    graphTensor(
      type,
      Array.from({ length: extent }, (_, i) => i),
    ),
  );
  const wide = b.unsqueeze(places, [1]);
  const zero = b.constant(graphTensor(type, [0], []));
  const turned = b.op('Where', [b.op('Less', [wide, zero]), b.add(wide, b.constant(graphTensor(type, [extent], []))), wide]);
  return b.cast(b.op('Equal', [turned, range]), b.elementType(like));
}

function scatterRows(places: Value, extent: Dim, rows: Value, b: Builder): Value {
  const [count, width] = b.shape(rows) as [Dim, Dim];
  const zeros = b.expand(b.scalar(rows, 0), [extent, width]);
  const where = b.expand(b.unsqueeze(places, [1]), [count, width]);
  return b.op('ScatterElements', [zeros, where, rows], { axis: 0, reduction: 'add' });
}

export const GatherElements: Rule = {
  infer: (node, b) => [{ type: b.elementType(node.inputs[0]!), shape: b.type(node.inputs[1]!).shape }],
  vjp: (node, [d], b) => {
    const zeros = b.zerosLike(node.inputs[0]!);
    return [b.op('ScatterElements', [zeros, node.inputs[1]!, d!], { axis: intOf(node, 'axis', 0), reduction: 'add' })];
  },
  jvp: (node, [d], b) => [d && b.op('GatherElements', [d, node.inputs[1]!], node.attributes)],
};

/** Refuses reductions whose derivative depends on the order or on ties of what is written. */
function refuseOthers(node: Node): void {
  const reduction = stringOf(node, 'reduction', 'none');
  if (reduction === 'none' || reduction === 'add') return;
  throw new GraphError(
    `${where(node).op} '${where(node).node}': expected reduction none or add to differentiate, got ${reduction}`,
    where(node),
  );
}

/** Scatters: the base where nothing is written, the updates where something is (added to the base under reduction `add`). */
const scatter = (gather: string): Rule => ({
  infer: likeFirst,
  vjp: (node, [d], b, needs) => {
    refuseOthers(node);
    const [, at, updates] = node.inputs as [Value, Value, Value];
    const adds = stringOf(node, 'reduction', 'none') === 'add';
    const { reduction, ...rest } = node.attributes;
    const cleared = (): Value => b.op(node.op, [d!, at, b.zerosLike(updates)], rest);
    return [needs[0] ? (adds ? d! : cleared()) : undefined, undefined, needs[2] ? b.op(gather, [d!, at], rest) : undefined];
  },
  jvp: (node, [dx, , du], b) => {
    const [x, at, updates] = node.inputs as [Value, Value, Value];
    if (dx === undefined && du === undefined) return [undefined];
    refuseOthers(node);
    return [b.op(node.op, [dx ?? b.zerosLike(x), at, du ?? b.zerosLike(updates)], node.attributes)];
  },
});
export const ScatterElements = scatter('GatherElements');
export const ScatterND = scatter('GatherND');

export const GatherND: Rule = {
  infer: (node, b) => {
    const [x, at] = node.inputs.map((name) => b.type(name)) as [ReturnType<Builder['type']>, ReturnType<Builder['type']>];
    const batch = intOf(node, 'batch_dims', 0);
    const last = at.shape?.at(-1);
    if (!x.shape || !at.shape || typeof last !== 'number') return [{ type: x.type }];
    return [{ type: x.type, shape: [...broadcast(at.shape.slice(0, -1)), ...x.shape.slice(batch + last)] }];
  },
  vjp: (node, [d], b) => {
    const [x, at] = node.inputs as [Value, Value];
    const batch = intOf(node, 'batch_dims', 0);
    if (batch === 0) return [b.op('ScatterND', [b.zerosLike(x), at, d!], { reduction: 'add' })];
    // Leading axes shared by data and indices become part of the indices.
    const shape = b.shape(at);
    const leading = shape.slice(0, -1);
    const coordinates = Array.from({ length: batch }, (_, axis) => {
      const extents = b.staticShape(x).slice(0, batch);
      const range = b.constant(
        graphTensor(
          'int64',
          Array.from({ length: extents[axis]! }, (_, i) => i),
        ),
      );
      const column = b.reshape(
        range,
        [...leading, 1].map((_, i) => (i === axis ? extents[axis]! : 1)),
      );
      return b.expand(column, [...leading, 1]);
    });
    return [b.op('ScatterND', [b.zerosLike(x), b.concat([...coordinates, at], shape.length - 1), d!], { reduction: 'add' })];
  },
  jvp: (node, [d], b) => [d && b.op('GatherND', [d, node.inputs[1]!], node.attributes)],
};
