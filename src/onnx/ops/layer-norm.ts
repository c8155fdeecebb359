// Layer, group, instance and root-mean-square normalisation, written out.
import type { Builder, Value } from '../builder.js';
import { product } from '../dims.js';
import { floatOf, intOf, type Node } from '../graph.js';
import { perChannel } from './conv.js';
import { normalized, rootMeanSquare } from './norms.js';
import { axisOf, likeFirst, otherAxes, type Rule, restAxes } from './rule.js';

const epsilonOf = (node: Node): number => floatOf(node, 'epsilon', 1e-5);

/** value·scale + bias, where given. */
function affine(b: Builder, value: Value, scale: Value | undefined, bias: Value | undefined): Value {
  const scaled = scale ? b.mul(value, scale) : value;
  return bias ? b.add(scaled, bias) : scaled;
}

/** The axes from one on. */
const from = (b: Builder, x: Value, axis: number): number[] => otherAxes(b.rank(x), ...Array.from({ length: axis }, (_, i) => i));

export const LayerNormalization: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, scale, bias] = node.inputs as [Value, Value?, Value?];
    const { value, mean, inverse } = normalized(b, x, from(b, x, axisOf(node, b, -1)), epsilonOf(node));
    return [affine(b, value, scale, bias), mean, inverse];
  },
};

/** Its bias-free relative; ONNX Runtime writes it as SimplifiedLayerNormalization. */
export const RMSNormalization: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, scale] = node.inputs as [Value, Value?];
    const { value, inverse } = rootMeanSquare(b, x, from(b, x, axisOf(node, b, -1)), epsilonOf(node));
    return [affine(b, value, scale, undefined), inverse];
  },
};
export const SimplifiedLayerNormalization = RMSNormalization;

export const InstanceNormalization: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, scale, bias] = node.inputs as [Value, Value, Value];
    const rank = b.rank(x);
    const { value } = normalized(b, x, restAxes(rank), epsilonOf(node));
    return [affine(b, value, perChannel(scale, rank, b), perChannel(bias, rank, b))];
  },
};

export const GroupNormalization: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x, scale, bias] = node.inputs as [Value, Value, Value];
    const shape = b.shape(x);
    const groups = intOf(node, 'num_groups', 1);
    const channels = shape[1] as number;
    const rows = b.reshape(x, [shape[0]!, groups, product([channels / groups, ...shape.slice(2)])]);
    const { value } = normalized(b, rows, [2], epsilonOf(node));
    // One scale per group up to operator set 20, one per channel since.
    if (b.shape(scale)[0] === groups && groups !== channels) {
      return [b.reshape(affine(b, value, b.unsqueeze(scale, [1]), b.unsqueeze(bias, [1])), shape)];
    }
    const rank = shape.length;
    return [affine(b, b.reshape(value, shape), perChannel(scale, rank, b), perChannel(bias, rank, b))];
  },
};
