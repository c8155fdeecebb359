// Activations: those ONNX Runtime fuses keep their node and have a slope, the others are written out.
import type { Builder, Value } from '../builder.js';
import { floatOf, type Node, stringOf } from '../graph.js';
import { likeFirst, type Rule, unary } from './rule.js';

/** `inside` where x < 0, else a number. */
const belowZero = (b: Builder, x: Value, inside: Value, otherwise: number): Value =>
  b.op('Where', [b.op('Less', [x, b.scalar(x, 0)]), inside, b.scalar(x, otherwise)]);

export const LeakyRelu = unary((b, x, _y, node) => belowZero(b, x, b.scalar(x, floatOf(node, 'alpha', 0.01)), 1));
/** α·(eˣ − 1) below 0: the slope is y + α. */
export const Elu = unary((b, x, y, node) => belowZero(b, x, b.add(y, b.scalar(y, floatOf(node, 'alpha', 1))), 1));
/** α·(e^(x/α) − 1) below 0: the slope is y/α + 1. */
export const Celu = unary((b, x, y, node) => belowZero(b, x, b.add(b.scale(y, 1 / floatOf(node, 'alpha', 1)), b.scalar(y, 1)), 1));
/** γ·α·(eˣ − 1) below 0: the slope is y + γ·α. */
export const Selu = unary((b, x, y, node) => {
  const gamma = floatOf(node, 'gamma', 1.0507010221481323);
  return belowZero(b, x, b.add(y, b.scalar(y, gamma * floatOf(node, 'alpha', 1.6732631921768188))), gamma);
});
export const Softplus = unary((b, x) => b.op('Sigmoid', [x]));
/** (1 + |x|)⁻² */
export const Softsign = unary((b, x) => {
  const inverse = b.op('Reciprocal', [b.add(b.op('Abs', [x]), b.scalar(x, 1))]);
  return b.mul(inverse, inverse);
});
/** α strictly between the bounds, 0 at them and beyond. */
export const HardSigmoid = unary((b, _x, y, node) => {
  const inside = b.op('And', [b.op('Greater', [y, b.scalar(y, 0)]), b.op('Less', [y, b.scalar(y, 1)])]);
  return b.scale(b.cast(inside, b.elementType(y)), floatOf(node, 'alpha', 0.2));
});
export const ThresholdedRelu = unary((b, x, _y, node) =>
  b.cast(b.op('Greater', [x, b.scalar(x, floatOf(node, 'alpha', 1))]), b.elementType(x)),
);
export const Shrink = unary((b, x, _y, node) =>
  b.cast(b.op('Greater', [b.op('Abs', [x]), b.scalar(x, floatOf(node, 'lambd', 0.5))]), b.elementType(x)),
);

/** An operator that is always written out. */
const written = (expand: (b: Builder, node: Node) => Value): Rule => ({ infer: likeFirst, expand: (node, b) => [expand(b, node)] });

/** x·(1 + erf(x/√2))/2 */
export function gelu(b: Builder, x: Value): Value {
  const half = b.scale(x, 0.5);
  return b.mul(half, b.add(b.op('Erf', [b.scale(x, Math.SQRT1_2)]), b.scalar(x, 1)));
}

/** x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2 */
export function geluTanh(b: Builder, x: Value): Value {
  const cubic = b.add(x, b.scale(b.mul(b.mul(x, x), x), 0.044715));
  return b.mul(b.scale(x, 0.5), b.add(b.op('Tanh', [b.scale(cubic, Math.sqrt(2 / Math.PI))]), b.scalar(x, 1)));
}

/** x·sigmoid(α·x) */
export const swish = (b: Builder, x: Value, alpha: number): Value => b.mul(x, b.op('Sigmoid', [alpha === 1 ? x : b.scale(x, alpha)]));

export const Gelu = written((b, node) =>
  stringOf(node, 'approximate', 'none') === 'tanh' ? geluTanh(b, node.inputs[0]!) : gelu(b, node.inputs[0]!),
);
export const Mish = written((b, { inputs: [x] }) => b.mul(x!, b.op('Tanh', [b.op('Softplus', [x!])])));
export const Swish = written((b, node) => swish(b, node.inputs[0]!, floatOf(node, 'alpha', 1)));
export const HardSwish = written((b, { inputs: [x] }) => {
  const gate = b.op('HardSigmoid', [x!], { alpha: { type: 'float', value: 1 / 6 }, beta: { type: 'float', value: 0.5 } });
  return b.mul(x!, gate);
});
/** relu(x) − slope·relu(−x) */
export const PRelu = written((b, { inputs: [x, slope] }) => b.sub(b.op('Relu', [x!]), b.mul(slope!, b.op('Relu', [b.neg(x!)]))));
