// DepthToSpace and SpaceToDepth: channels woven into the image and back.
import { GraphError } from '../../core/errors.js';
import type { Builder, Value } from '../builder.js';
import { over, times } from '../dims.js';
import { type Dim, intOf, type Node, stringOf, where } from '../graph.js';
import type { Rule } from './rule.js';

/** An extent divided by a block. @throws {GraphError} naming the node where it is no multiple, or not known to be one */
function blocks(extent: Dim, size: number, node: Node): Dim {
  const count = over(extent, size);
  if (count !== undefined) return count;
  const { node: name, op } = where(node);
  throw new GraphError(`${op} '${name}': expected an extent known to be a multiple of ${size}, got ${extent}`, where(node));
}

/** Axes of [n, C·s², h, w] split as the mode says, and the order that makes them [n, C, h, s, w, s]. */
function parts(node: Node, shape: readonly Dim[]): { split: Dim[]; order: number[] } {
  const s = intOf(node, 'blocksize', 1);
  const [n, deep, h, w] = shape as [Dim, Dim, Dim, Dim];
  const C = blocks(deep, s * s, node);
  return stringOf(node, 'mode', 'DCR') === 'CRD'
    ? { split: [n, C, s, s, h, w], order: [0, 1, 4, 2, 5, 3] }
    : { split: [n, s, s, C, h, w], order: [0, 3, 4, 1, 5, 2] };
}

/** [n, C, h·s, w·s] as [n, C·s², h, w] in the order of the mode. */
function unweave(d: Value, node: Node, shape: readonly Dim[], b: Builder): Value {
  const { split, order } = parts(node, shape);
  const apart = b.reshape(
    d,
    order.map((axis) => split[axis]!),
  );
  return b.reshape(
    b.transpose(
      apart,
      order.map((_, axis) => order.indexOf(axis)),
    ),
    shape,
  );
}

export const DepthToSpace: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    const s = intOf(node, 'blocksize', 1);
    return [{ type, shape: shape && [shape[0]!, blocks(shape[1]!, s * s, node), times(shape[2]!, s), times(shape[3]!, s)] }];
  },
  vjp: (node, [d], b) => [unweave(d!, node, b.shape(node.inputs[0]!), b)],
  jvp: (node, [d], b) => [d && b.op('DepthToSpace', [d], node.attributes)],
};

export const SpaceToDepth: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    const s = intOf(node, 'blocksize', 1);
    return [{ type, shape: shape && [shape[0]!, times(shape[1]!, s * s), blocks(shape[2]!, s, node), blocks(shape[3]!, s, node)] }];
  },
  vjp: (node, [d], b) => [b.op('DepthToSpace', [d!], node.attributes)],
  jvp: (node, [d], b) => [d && b.op('SpaceToDepth', [d], node.attributes)],
};
