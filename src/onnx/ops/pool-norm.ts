// Pooling by other operators: p-norms under a window, extremes and norms of whole maps.
import { floatTensor, type Value } from '../builder.js';
import { product } from '../dims.js';
import { intOf, intsOf, type Node } from '../graph.js';
import { power, safeRoot } from './norms.js';
import { likeFirst, type Rule, restAxes } from './rule.js';
import { explicitPads, slid, taps, windowOf } from './window.js';

const kernelOf = (node: Node): readonly number[] => intsOf(node, 'kernel_shape') ?? [];

/** (Σ |x|^p)^(1/p) under a window: the sum is a convolution with ones. */
export const LpPool: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x] = node.inputs as [Value];
    const kernel = kernelOf(node);
    const attributes = explicitPads(node, b, kernel) ?? node.attributes;
    const window = windowOf({ ...node, attributes }, kernel);
    const shape = b.shape(x);
    const spatial = b.staticShape(x, 2);
    const rank = kernel.length;
    const out = slid(spatial, window, intOf(node, 'ceil_mode', 0) === 1) as number[];
    // Rounding up: pads behind so that the last window fits.
    const reach = kernel.map((k, i) => (out[i]! - 1) * window.strides[i]! + window.dilations[i]! * (k - 1) + 1);
    const pads = [
      ...window.pads.slice(0, rank),
      ...reach.map((r, i) => Math.max(r - spatial[i]! - window.pads[i]!, window.pads[i + rank]!)),
    ];
    const p = intOf(node, 'p', 2);
    const ones = b.constant(floatTensor(b.elementType(x), new Float64Array(taps(kernel).length).fill(1), [1, 1, ...kernel]));
    const planes = b.reshape(power(b, x, p), [product(shape.slice(0, 2)), 1, ...spatial]);
    const sums = b.op('Conv', [planes, ones], { kernel_shape: kernel, strides: window.strides, dilations: window.dilations, pads });
    return [b.reshape(safeRoot(b, sums, p), [...shape.slice(0, 2), ...out])];
  },
};

export const GlobalMaxPool: Rule = {
  infer: likeFirst,
  expand: (node, b) => [b.op('ReduceMax', [node.inputs[0]!, b.ints(restAxes(b.rank(node.inputs[0]!)))])],
};

export const GlobalLpPool: Rule = {
  infer: likeFirst,
  expand: (node, b) => {
    const [x] = node.inputs as [Value];
    const p = intOf(node, 'p', 2);
    return [safeRoot(b, b.reduceSum(power(b, x, p), restAxes(b.rank(x)), true), p)];
  },
};
