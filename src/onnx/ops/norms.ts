// Reductions that are compositions of others, running sums, and roots that have a derivative at 0.
import type { Builder, Value } from '../builder.js';
import { floatOf, intOf, type Node } from '../graph.js';
import { reducedAxes, restored } from './reduce.js';
import { axisOf, likeFirst, otherAxes, type Rule } from './rule.js';

/** s^(1/p) for s ≥ 0, with derivative 0 (not infinite) at 0: the zero vector then has the zero subgradient, as PyTorch has it. */
export function safeRoot(b: Builder, s: Value, p: number): Value {
  if (p === 1) return s;
  const zero = b.scalar(s, 0);
  const positive = b.op('Greater', [s, zero]);
  const inside = b.op('Where', [positive, s, b.scalar(s, 1)]);
  const root = p === 2 ? b.op('Sqrt', [inside]) : b.op('Pow', [inside, b.scalar(s, 1 / p)]);
  return b.op('Where', [positive, root, zero]);
}

/** |x|^p */
export function power(b: Builder, x: Value, p: number): Value {
  if (p === 2) return b.mul(x, x);
  const size = b.op('Abs', [x]);
  return p === 1 ? size : b.op('Pow', [size, b.scalar(x, p)]);
}

const reduceSum = (node: Node, b: Builder, x: Value): Value => {
  const axes = reducedAxes(node, b);
  return axes.length ? b.reduceSum(x, axes, intOf(node, 'keepdims', 1) === 1) : x;
};

/** A reduction written as a function of the sum of some function; over no axes (`noop_with_empty_axes`) the functions still apply, as in ONNX Runtime. */
const composed = (write: (b: Builder, x: Value, sum: (y: Value) => Value) => Value): Rule => ({
  infer: likeFirst,
  expand: (node, b) => {
    const [x] = node.inputs as [Value];
    return [write(b, x, (y) => reduceSum(node, b, y))];
  },
});

export const ReduceL1 = composed((b, x, sum) => sum(b.op('Abs', [x])));
export const ReduceL2 = composed((b, x, sum) => safeRoot(b, sum(b.mul(x, x)), 2));
export const ReduceSumSquare = composed((b, x, sum) => sum(b.mul(x, x)));
export const ReduceLogSum = composed((b, x, sum) => b.op('Log', [sum(x)]));

/** log Σ eˣ; its slope is the softmax. */
export const ReduceLogSumExp: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    if (!shape) return [{ type }];
    const axes = reducedAxes(node, b);
    const keep = intOf(node, 'keepdims', 1) === 1;
    return [{ type, shape: shape.flatMap((extent, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [extent])) }];
  },
  expand: (node, b) => {
    const { axes, ...rest } = node.attributes;
    if (axes?.type === 'ints') return [b.op('ReduceLogSumExp', [node.inputs[0]!, b.ints(axes.value)], rest)];
    return reducedAxes(node, b).length ? undefined : [node.inputs[0]!];
  },
  vjp: (node, [d], b) => [b.mul(restored(d!, node, b), weights(node, b))],
  jvp: (node, [d], b) => [d && reduceSum(node, b, b.mul(d, weights(node, b)))],
};

const weights = (node: Node, b: Builder): Value => b.op('Exp', [b.sub(node.inputs[0]!, restored(node.outputs[0]!, node, b))]);

/** A product over axes, as halves multiplied with halves: exact at zeros, in every derivative. */
export const ReduceProd: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const axes = reducedAxes(node, b);
    const product = axes.reduce((x, axis) => productAlong(b, x, axis), node.inputs[0]!);
    return [intOf(node, 'keepdims', 1) === 1 ? product : b.squeeze(product, axes)];
  },
};

function productAlong(b: Builder, x: Value, axis: number): Value {
  const extent = b.staticShape(x, axis)[0]!;
  if (extent <= 1)
    return extent === 1
      ? x
      : b.expand(
          b.scalar(x, 1),
          b.shape(x).map((e, i) => (i === axis ? 1 : e)),
        );
  const half = Math.floor(extent / 2);
  const part = (from: number, to: number): Value => b.slice(x, [axis], [from], [to]);
  const paired = productAlong(b, b.mul(part(0, half), part(half, 2 * half)), axis);
  return extent % 2 ? b.mul(paired, part(2 * half, extent)) : paired;
}

/** A running sum: its transpose runs the other way. */
export const CumSum: Rule = {
  infer: likeFirst,
  vjp: (node, [d], b) => [b.op('CumSum', [d!, node.inputs[1]!], { ...node.attributes, reverse: 1 - intOf(node, 'reverse', 0) })],
  jvp: (node, [d], b) => [d && b.op('CumSum', [d, node.inputs[1]!], node.attributes)],
};

/** x / ‖x‖ along an axis. */
export const LpNormalization: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x] = node.inputs as [Value];
    const p = intOf(node, 'p', 2);
    const norm = safeRoot(b, b.reduceSum(power(b, x, p), [axisOf(node, b, -1)], true), p);
    const zero = b.scalar(norm, 0);
    // A zero vector stays zero.
    return [b.div(x, b.op('Where', [b.op('Equal', [norm, zero]), b.scalar(norm, 1), norm]))];
  },
};

/** Local response normalisation: x / (bias + α/size · Σ x² over neighbouring channels)^β. */
export const LRN: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x] = node.inputs as [Value];
    const size = intOf(node, 'size', 1);
    const channels = b.staticShape(x, 1)[0]!;
    const before = Math.floor((size - 1) / 2);
    const pads = new Array<number>(2 * b.rank(x)).fill(0);
    pads[1] = before;
    pads[1 + b.rank(x)] = size - 1 - before;
    const padded = b.op('Pad', [b.mul(x, x), b.ints(pads)]);
    const parts = Array.from({ length: size }, (_, k) => b.slice(padded, [1], [k], [k + channels]));
    const sum = b.scale(b.sum(...parts)!, floatOf(node, 'alpha', 1e-4) / size);
    const scale = b.op('Pow', [b.add(sum, b.scalar(x, floatOf(node, 'bias', 1))), b.scalar(x, floatOf(node, 'beta', 0.75))]);
    return [b.div(x, scale)];
  },
};

/** x without its mean over axes, divided by √(variance + ε); also the mean and the inverse deviation. */
export function normalized(b: Builder, x: Value, axes: readonly number[], epsilon: number) {
  const mean = b.op('ReduceMean', [x, b.ints(axes)]);
  const centred = b.sub(x, mean);
  const variance = b.op('ReduceMean', [b.mul(centred, centred), b.ints(axes)]);
  const inverse = b.op('Reciprocal', [b.op('Sqrt', [b.add(variance, b.scalar(x, epsilon))])]);
  return { value: b.mul(centred, inverse), mean, inverse };
}

/** x / √(mean of squares + ε), and the inverse root. */
export function rootMeanSquare(b: Builder, x: Value, axes: readonly number[], epsilon: number) {
  const square = b.op('ReduceMean', [b.mul(x, x), b.ints(axes)]);
  const inverse = b.op('Reciprocal', [b.op('Sqrt', [b.add(square, b.scalar(x, epsilon))])]);
  return { value: b.mul(x, inverse), inverse };
}

/** (x − mean)/(deviation + 1e-9) over axes [0, 2, 3] by default. */
export const MeanVarianceNormalization: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x] = node.inputs as [Value];
    const rank = b.rank(x);
    const given = node.attributes.axes?.type === 'ints' ? node.attributes.axes.value : [0, 2, 3];
    const axes = otherAxes(rank, ...otherAxes(rank, ...given.map((axis) => (axis < 0 ? axis + rank : axis))));
    const centred = b.sub(x, b.op('ReduceMean', [x, b.ints(axes)]));
    const variance = b.op('ReduceMean', [b.mul(centred, centred), b.ints(axes)]);
    return [b.div(centred, b.add(b.op('Sqrt', [variance]), b.scalar(x, 1e-9)))];
  },
};
