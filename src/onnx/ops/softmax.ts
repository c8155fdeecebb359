// Softmax, LogSoftmax and Hardmax over one axis; before opset 13 over everything from an axis on.
import type { Builder, Value } from '../builder.js';
import { product } from '../dims.js';
import type { Node } from '../graph.js';
import { axisOf, likeFirst, type Rule } from './rule.js';

const sum = (x: Value, node: Node, b: Builder): Value => b.reduceSum(x, [axisOf(node, b, -1)], true);

/** The old meaning: the input as a matrix [before axis, from axis on]. */
const expand: Rule['expand'] = (node, b, opset) => {
  if (opset >= 13) return undefined;
  const [x] = node.inputs as [Value];
  const shape = b.shape(x);
  const axis = axisOf(node, b, 1);
  if (axis === shape.length - 1) return [b.op(node.op, [x], { axis: -1 })];
  const matrix = b.reshape(x, [product(shape.slice(0, axis)), product(shape.slice(axis))]);
  return [b.reshape(b.op(node.op, [matrix], { axis: -1 }), shape)];
};

/** J = diag(y) − y yᵀ is its own transpose. */
const softmax = (node: Node, d: Value, b: Builder): Value => {
  const [y] = node.outputs as [Value];
  const weighted = b.mul(d, y);
  return b.sub(weighted, b.mul(y, sum(weighted, node, b)));
};

export const Softmax: Rule = {
  infer: likeFirst,
  expand,
  vjp: (node, [d], b) => [softmax(node, d!, b)],
  jvp: (node, [d], b) => [d && softmax(node, d, b)],
};

export const LogSoftmax: Rule = {
  infer: likeFirst,
  expand,
  vjp: (node, [d], b) => [b.sub(d!, b.mul(b.op('Exp', [node.outputs[0]!]), sum(d!, node, b)))],
  jvp: (node, [d], b) => [d && b.sub(d, sum(b.mul(b.op('Exp', [node.outputs[0]!]), d), node, b))],
};

/** 1 at the first largest element: no derivative. */
export const Hardmax: Rule = { infer: likeFirst, expand, zero: true };
