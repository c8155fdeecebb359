// BatchNormalization with running statistics: y = (x − mean)·scale/√(var + ε) + bias, per channel.
import { GraphError } from '../../core/errors.js';
import type { Builder, Value } from '../builder.js';
import { floatOf, intOf, type Node, where } from '../graph.js';
import { perChannel } from './conv.js';
import { likeFirst, otherAxes, type Rule } from './rule.js';

interface Parts {
  scale: Value;
  /** 1/√(var + ε) [C] */
  inverse: Value;
  /** (x − mean)/√(var + ε) */
  normal: () => Value;
  wide(value: Value): Value;
}

function partsOf(node: Node, b: Builder): Parts {
  const [x, scale, , mean, variance] = node.inputs as [Value, Value, Value, Value, Value];
  const wide = (value: Value): Value => perChannel(value, b.rank(x), b);
  const deviation = b.op('Sqrt', [b.add(variance, b.scalar(variance, floatOf(node, 'epsilon', 1e-5)))]);
  const inverse = b.op('Reciprocal', [deviation]);
  return { scale, inverse, wide, normal: () => b.mul(b.sub(x, wide(mean)), wide(inverse)) };
}

export const BatchNormalization: Rule = {
  infer: likeFirst,
  vjp: (node, [d], b, needs) => {
    const { scale, inverse, normal, wide } = partsOf(node, b);
    const axes = otherAxes(b.rank(d!), 1);
    const slope = b.mul(scale, inverse);
    const total = needs[2] || needs[3] ? b.reduceSum(d!, axes) : undefined;
    const moved = needs[1] || needs[4] ? b.reduceSum(b.mul(d!, normal()), axes) : undefined;
    return [
      needs[0] ? b.mul(d!, wide(slope)) : undefined,
      needs[1] ? moved : undefined,
      needs[2] ? total : undefined,
      needs[3] ? b.neg(b.mul(total!, slope)) : undefined,
      // d/dvar = −½·scale/(var + ε)^{3/2}·(x − mean)
      needs[4] ? b.scale(b.mul(moved!, b.mul(slope, inverse)), -0.5) : undefined,
    ];
  },
  jvp: (node, [dx, dScale, dBias, dMean, dVariance], b) => {
    const { scale, inverse, normal, wide } = partsOf(node, b);
    const slope = b.mul(scale, inverse);
    const gain = b.sum(dScale, dVariance && b.scale(b.mul(dVariance, b.mul(slope, inverse)), -0.5));
    const shift = b.sum(dBias, dMean && b.neg(b.mul(dMean, slope)));
    const sum = b.sum(dx && b.mul(dx, wide(slope)), gain && b.mul(normal(), wide(gain)), shift && wide(shift));
    return [sum && b.expand(sum, b.shape(node.outputs[0]!))];
  },
  expand: (node, b) => {
    if (intOf(node, 'training_mode', 0)) {
      throw new GraphError(`${where(node).node}: expected BatchNormalization with running statistics, got training_mode 1`, where(node));
    }
    const { momentum, spatial, training_mode, ...rest } = node.attributes;
    return momentum || spatial || training_mode || node.outputs.length > 1 ? b.emit('BatchNormalization', node.inputs, rest) : undefined;
  },
};
