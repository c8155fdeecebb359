// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss, written out: mean over the weights of samples that count.
import { GraphError } from '../../core/errors.js';
import type { Builder, Value } from '../builder.js';
import { graphTensor, intOf, type Node, stringOf, where } from '../graph.js';
import { likeFirst, type Rule } from './rule.js';

/** −w[y]·logp[y] over the class axis 1, reduced as the node says. */
function likelihood(b: Builder, node: Node, logp: Value): Value {
  const [, labels, weights] = node.inputs as [Value, Value, Value?];
  const type = b.elementType(labels);
  const number = (n: number): Value => b.constant(graphTensor(type, [n], []));
  const ignored = node.attributes.ignore_index ? intOf(node, 'ignore_index', 0) : undefined;
  const counts = ignored === undefined ? undefined : b.op('Not', [b.op('Equal', [labels, number(ignored)])]);
  const safe = counts ? b.op('Where', [counts, labels, number(0)]) : labels;
  const picked = b.squeeze(b.op('GatherElements', [logp, b.unsqueeze(safe, [1])], { axis: 1 }), [1]);
  const own = weights ? b.op('Gather', [weights, safe], { axis: 0 }) : undefined;
  const mask = counts && b.cast(counts, b.elementType(logp));
  const weight = own && mask ? b.mul(own, mask) : (own ?? mask);
  const losses = b.neg(weight ? b.mul(picked, weight) : picked);
  const reduction = stringOf(node, 'reduction', 'mean');
  if (reduction === 'none') return losses;
  const axes = b.shape(losses).map((_, axis) => axis);
  const total = b.reduceSum(losses, axes);
  if (reduction === 'sum') return total;
  if (reduction !== 'mean')
    throw new GraphError(`${where(node).node}: expected reduction none, mean or sum, got ${reduction}`, where(node));
  return b.div(total, weight ? b.reduceSum(weight, axes) : b.count(losses, axes, losses));
}

export const NegativeLogLikelihoodLoss: Rule = { infer: likeFirst, expand: (node, b) => [likelihood(b, node, node.inputs[0]!)] };

export const SoftmaxCrossEntropyLoss: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const logp = b.op('LogSoftmax', [node.inputs[0]!], { axis: 1 });
    return [likelihood(b, node, logp), logp];
  },
};
