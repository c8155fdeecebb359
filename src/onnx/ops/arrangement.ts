// Tile, Trilu, ReverseSequence, OneHot, TopK, and tensors whose elements do not move.
import type { Builder, Value, ValueType } from '../builder.js';
import { times } from '../dims.js';
import { elementCode, elementTypes, intOf, type Node } from '../graph.js';
import { axisOf, constantRule, fromFront, likeFirst, type Rule } from './rule.js';

/** Linear in its first input and its own transpose. */
const ownTranspose: Rule = {
  infer: likeFirst,
  vjp: (node, [d], b) => [b.op(node.op, [d!, ...node.inputs.slice(1)], node.attributes)],
  jvp: (node, [d], b) => [d && b.op(node.op, [d, ...node.inputs.slice(1)], node.attributes)],
};
export const Trilu = ownTranspose;
export const ReverseSequence = ownTranspose;

export const Tile: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    const repeats = b.extentsOf(node.inputs[1]!);
    return [{ type, shape: shape?.map((extent, axis) => (repeats ? times(extent, repeats[axis]!) : `(${node.outputs[0]}.${axis})`)) }];
  },
  simplify: (node, b) => (b.extentsOf(node.inputs[1]!)?.every((r) => r === 1) ? [node.inputs[0]!] : undefined),
  vjp: (node, [d], b) => {
    const shape = b.shape(node.inputs[0]!);
    const repeats = b.extentsOf(node.inputs[1]!) ?? b.integersOf(node.inputs[1]!, node);
    // Each axis as (repeat, element): summed over the repeats.
    const apart = b.reshape(
      d!,
      shape.flatMap((extent, axis) => [repeats[axis]!, extent]),
    );
    return [
      b.reduceSum(
        apart,
        shape.map((_, axis) => 2 * axis),
      ),
    ];
  },
  jvp: (node, [d], b) => [d && b.op('Tile', [d, node.inputs[1]!])],
};

/** The k largest: cotangents go back to where they came from. */
export const TopK: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    const k = b.extentsOf(node.inputs[1]!)?.[0] ?? `(${node.outputs[0]}.k)`;
    const axis = axisOf(node, b, -1);
    const kept = shape?.map((extent, i) => (i === axis ? k : extent));
    return [
      { type, shape: kept },
      { type: 'int64', shape: kept },
    ];
  },
  expand: (node, b) => {
    const { k, ...rest } = node.attributes;
    return k?.type === 'int' ? b.emit('TopK', [node.inputs[0]!, b.ints([k.value])], rest, 2) : undefined;
  },
  vjp: (node, [d], b) => [
    d && b.op('ScatterElements', [b.zerosLike(node.inputs[0]!), places(node, b), d], { axis: axisOf(node, b, -1), reduction: 'add' }),
  ],
  jvp: (node, [d], b) => [d && b.op('GatherElements', [d, places(node, b)], { axis: axisOf(node, b, -1) }), undefined],
};

const places = (node: Node, b: Builder): Value => node.outputs[1] || b.emit('TopK', node.inputs, node.attributes, 2)[1]!;

/** off + hot·(on − off), where hot has a 1 at each index: moves with its two values. */
export const OneHot: Rule = {
  infer: (node, b): ValueType[] => {
    const { shape } = b.type(node.inputs[0]!);
    const depth = b.extentsOf(node.inputs[1]!)?.[0] ?? `(${node.outputs[0]}.depth)`;
    const axis = shape && fromFront(intOf(node, 'axis', -1), shape.length + 1);
    return [{ type: b.elementType(node.inputs[2]!), shape: shape && [...shape.slice(0, axis), depth, ...shape.slice(axis)] }];
  },
  vjp: (node, [d], b) => {
    const on = b.mul(d!, hot(node, b));
    const all = b.shape(d!).map((_, axis) => axis);
    const sum = b.reduceSum(on, all);
    return [
      undefined,
      undefined,
      b.concat(
        [b.sub(b.reduceSum(d!, all), sum), sum].map((s) => b.unsqueeze(s, [0])),
        0,
      ),
    ];
  },
  jvp: (node, [, , d], b) => {
    if (d === undefined) return [undefined];
    const part = (i: number): Value => b.squeeze(b.slice(d, [0], [i], [i + 1]), [0]);
    const mask = hot(node, b);
    return [b.add(b.mul(mask, part(1)), b.mul(b.sub(b.scalar(mask, 1), mask), part(0)))];
  },
};

function hot(node: Node, b: Builder): Value {
  const values = b.concat(
    [b.scalar(node.inputs[2]!, 0), b.scalar(node.inputs[2]!, 1)].map((v) => b.unsqueeze(v, [0])),
    0,
  );
  return b.op('OneHot', [node.inputs[0]!, node.inputs[1]!, values], node.attributes);
}

/** Picks along an axis (or of the flattened input) where a constant condition is true. */
export const Compress: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const kept = b.integersOf(node.inputs[1]!, node).flatMap((on, i) => (on ? [i] : []));
    const [x] = node.inputs as [Value];
    const axis = node.attributes.axis?.type === 'int' ? axisOf(node, b, 0) : undefined;
    const source = axis === undefined ? b.reshape(x, [b.shape(x).reduce(times, 1)]) : x;
    return [b.op('Gather', [source, b.ints(kept)], { axis: axis ?? 0 })];
  },
};

export const NonZero = constantRule((node, b): ValueType[] => [
  { type: 'int64', shape: [b.rank(node.inputs[0]!), `(${node.outputs[0]}.1)`] },
]);
export const EyeLike = constantRule((node, b): ValueType[] => {
  const { type, shape } = b.type(node.inputs[0]!);
  return [{ type: node.attributes.dtype ? elementTypes[intOf(node, 'dtype', 1)]! : type, shape }];
});
/** Boxes kept by overlap: indices, without a derivative. */
export const NonMaxSuppression = constantRule((node): ValueType[] => [{ type: 'int64', shape: [`(${node.outputs[0]}.0)`, 3] }]);

export const CastLike: Rule = {
  infer: likeFirst,
  expand: (node, b) => [b.op('Cast', [node.inputs[0]!], { to: elementCode(b.elementType(node.inputs[1]!)) })],
};
/** The name ScatterElements had before operator set 11. */
export const Scatter: Rule = { infer: likeFirst, expand: (node, b) => [b.op('ScatterElements', node.inputs, node.attributes)] };
