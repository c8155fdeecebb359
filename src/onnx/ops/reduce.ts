// Sums, means and extremes over axes.
import type { Builder, Value } from '../builder.js';
import { type Dim, intOf, intsOf, type Node } from '../graph.js';
import { fromFront, type Rule } from './rule.js';

/** The axes a Reduce node works on, counted from the front, ascending. */
export function reducedAxes(node: Node, b: Builder): number[] {
  const rank = b.rank(node.inputs[0]!);
  const named = node.inputs[1] ? b.integersOf(node.inputs[1], node) : (intsOf(node, 'axes') ?? []);
  if (named.length) return named.map((axis) => fromFront(axis, rank)).sort((p, q) => p - q);
  return intOf(node, 'noop_with_empty_axes', 0) ? [] : Array.from({ length: rank }, (_, axis) => axis);
}

function infer(node: Node, b: Builder): ReturnType<Rule['infer']> {
  const { type, shape } = b.type(node.inputs[0]!);
  const keep = intOf(node, 'keepdims', 1) === 1;
  if (!shape) return [{ type }];
  const axes = reducedAxes(node, b);
  const dims: Dim[] = [];
  shape.forEach((extent, axis) => {
    if (!axes.includes(axis)) dims.push(extent);
    else if (keep) dims.push(1);
  });
  return [{ type, shape: dims }];
}

/** Nothing to reduce: the value itself, or without its axes of extent 1. */
function simplify(node: Node, b: Builder): Value[] | undefined {
  const shape = b.type(node.inputs[0]!).shape;
  if (!shape) return undefined;
  const axes = reducedAxes(node, b);
  if (!axes.every((axis) => shape[axis] === 1)) return undefined;
  return [intOf(node, 'keepdims', 1) === 1 ? node.inputs[0]! : b.squeeze(node.inputs[0]!, axes)];
}

/** Axes as an attribute become an input; `lower` writes them back where the operator set asks for it. */
const expand: Rule['expand'] = (node, b) => {
  const { axes, ...rest } = node.attributes;
  return axes?.type === 'ints' ? [b.op(node.op, [node.inputs[0]!, b.ints(axes.value)], rest)] : undefined;
};

/** A value of the reduced shape, with the reduced axes back as extents of 1. */
export function restored(value: Value, node: Node, b: Builder): Value {
  return intOf(node, 'keepdims', 1) === 1 ? value : b.unsqueeze(value, reducedAxes(node, b));
}

export const ReduceSum: Rule = {
  infer,
  simplify,
  expand,
  vjp: (node, [d], b) => [b.expand(restored(d!, node, b), b.shape(node.inputs[0]!))],
  jvp: (node, [d], b) => [d && b.op('ReduceSum', [d, ...node.inputs.slice(1)], node.attributes)],
};

export const ReduceMean: Rule = {
  infer,
  simplify,
  expand,
  vjp: (node, [d], b) => {
    const share = b.shareOf(d!, node.inputs[0]!, reducedAxes(node, b));
    return [b.expand(restored(share, node, b), b.shape(node.inputs[0]!))];
  },
  jvp: (node, [d], b) => [d && b.op('ReduceMean', [d, ...node.inputs.slice(1)], node.attributes)],
};

/** The elements that are the extreme, each with an equal share of the derivative where several are. */
function shares(node: Node, b: Builder): Value {
  const [x] = node.inputs as [Value];
  const mask = b.cast(b.op('Equal', [x, restored(node.outputs[0]!, node, b)]), b.elementType(x));
  return b.div(mask, b.reduceSum(mask, reducedAxes(node, b), true));
}

const extreme: Rule = {
  infer,
  simplify,
  expand,
  vjp: (node, [d], b) => [b.mul(restored(d!, node, b), shares(node, b))],
  jvp: (node, [d], b) => [d && b.reduceSum(b.mul(d, shares(node, b)), reducedAxes(node, b), intOf(node, 'keepdims', 1) === 1)],
};
export const ReduceMax = extreme;
export const ReduceMin = extreme;
export const ArgMax: Rule = {
  infer: (node, b) => {
    const { shape } = b.type(node.inputs[0]!);
    const axis = shape && fromFront(intOf(node, 'axis', 0), shape.length);
    const keep = intOf(node, 'keepdims', 1) === 1;
    return [{ type: 'int64', shape: shape?.flatMap((extent, i) => (i === axis ? (keep ? [1] : []) : [extent])) }];
  },
  zero: true,
};
export const ArgMin = ArgMax;
