// QuantizeLinear and DequantizeLinear with straight-through derivatives: rounding counts as the identity inside the range of the
// quantised type and as a constant outside it (Jacob et al. 2017, arXiv:1712.05877, §3; Bengio et al. 2013, arXiv:1308.3432).
import type { Builder, Value, ValueType } from '../builder.js';
import { type ElementType, elementTypes, intOf, type Node } from '../graph.js';
import { fail } from '../reference/value.js';
import { axisOf, type Rule } from './rule.js';

const ranges: Partial<Record<ElementType, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

function quantisedType(node: Node, b: Builder): ElementType {
  if (node.inputs[2]) return b.elementType(node.inputs[2]);
  const code = intOf(node, 'output_dtype', 0);
  return code ? elementTypes[code]! : 'uint8';
}

/** A scale or zero point against x: one number, or one per index of an axis. */
function along(node: Node, b: Builder, value: Value): Value {
  if (b.rank(value) === 0 || (b.rank(value) === 1 && b.shape(value)[0] === 1)) return b.reshape(value, []);
  if (b.rank(value) !== 1) throw fail(node, 'expected one scale in all or one per index of an axis, got blocks');
  const axis = axisOf(node, b, 1);
  const rank = b.rank(node.inputs[0]!);
  return b.reshape(
    value,
    Array.from({ length: rank }, (_, i) => (i === axis ? b.shape(value)[0]! : 1)),
  );
}

/** 1 where x/scale + zero is inside the range, else 0. */
function inside(node: Node, b: Builder): Value {
  const [x, scale, zero] = node.inputs as [Value, Value, Value?];
  const range = ranges[quantisedType(node, b)];
  if (!range) throw fail(node, `expected a quantised type of 8 or 16 bits, got ${quantisedType(node, b)}`);
  const ratio = b.div(x, along(node, b, scale));
  const q = zero ? b.add(ratio, along(node, b, b.cast(zero, b.elementType(x)))) : ratio;
  const [low, high] = range.map((bound) => b.scalar(x, bound)) as [Value, Value];
  return b.cast(b.op('And', [b.op('GreaterOrEqual', [q, low]), b.op('LessOrEqual', [q, high])]), b.elementType(x));
}

/** Derivatives flow through the integers as if they were floats: dq = dx·[inside]/scale. Scales are constants here. */
export const QuantizeLinear: Rule = {
  straightThrough: true,
  infer: (node, b): ValueType[] => [{ type: quantisedType(node, b), shape: b.type(node.inputs[0]!).shape }],
  vjp: (node, [d], b) => [b.mul(d!, b.div(inside(node, b), along(node, b, node.inputs[1]!)))],
  jvp: (node, [d], b) => [d && b.mul(d, b.div(inside(node, b), along(node, b, node.inputs[1]!)))],
};

/** Straight through as QuantizeLinear; its range is that of the data, so that nothing lies outside. Scale and zero point count as constants. */
export const DynamicQuantizeLinear: Rule = {
  straightThrough: true,
  infer: (node, b): ValueType[] => {
    const { type, shape } = b.type(node.inputs[0]!);
    return [
      { type: 'uint8', shape },
      { type, shape: [] },
      { type: 'uint8', shape: [] },
    ];
  },
  vjp: (node, [d], b) => [d && b.div(d, node.outputs[1]!)],
  jvp: (node, [d], b) => [d && b.div(d, node.outputs[1]!)],
};

/** (q − zero)·scale: linear in q and in the scale. */
export const DequantizeLinear: Rule = {
  infer: (node, b): ValueType[] => [{ type: b.elementType(node.inputs[1]!), shape: b.type(node.inputs[0]!).shape }],
  vjp: (node, [d], b, needs) => {
    const scale = along(node, b, node.inputs[1]!);
    const shape = b.shape(scale);
    return [
      needs[0] ? b.mul(d!, scale) : undefined,
      needs[1] ? b.reshape(b.unbroadcast(b.mul(d!, steps(node, b)), shape), b.shape(node.inputs[1]!)) : undefined,
    ];
  },
  jvp: (node, [dq, ds], b) => [b.sum(dq && b.mul(dq, along(node, b, node.inputs[1]!)), ds && b.mul(steps(node, b), along(node, b, ds)))],
};

/** q − zero as floats. */
function steps(node: Node, b: Builder): Value {
  const type = b.elementType(node.inputs[1]!);
  const q = b.cast(node.inputs[0]!, type);
  return node.inputs[2] ? b.sub(q, along(node, b, b.cast(node.inputs[2], type))) : q;
}
