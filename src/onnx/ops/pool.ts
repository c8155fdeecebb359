// Pooling: the largest or the mean element under a window.
import { type Builder, floatTensor, type Value, type ValueType } from '../builder.js';
import { product, sameShape } from '../dims.js';
import { type Dim, intOf, type Node } from '../graph.js';
import { fromLargest, poolingOf, toLargest } from './pool-slides.js';
import { type Rule, restAxes } from './rule.js';
import { explicitPads, padSpatial, slid, taps, type Window, windowOfPool } from './window.js';

const infer = (node: Node, b: Builder): ValueType[] => {
  const { type, shape } = b.type(node.inputs[0]!);
  const pooled = shape && [...shape.slice(0, 2), ...slid(shape.slice(2), windowOfPool(node), intOf(node, 'ceil_mode', 0) === 1)];
  return [{ type, shape: pooled }];
};

const expand: Rule['expand'] = (node, b) => {
  const attributes = explicitPads(node, b, windowOfPool(node).kernel) ?? node.attributes;
  const { ceil_mode, ...rest } = attributes;
  const down = ceil_mode !== undefined && !roundsUp({ ...node, attributes }, b);
  if (attributes === node.attributes && !down) return undefined;
  return b.emit(node.op, node.inputs, down ? rest : attributes, node.outputs.length);
};

/** Whether rounding extents up makes them larger: shape inference outside counts windows that start in the padding behind, which are left out. */
function roundsUp(node: Node, b: Builder): boolean {
  const spatial = b.type(node.inputs[0]!).shape?.slice(2);
  const window = windowOfPool(node);
  return intOf(node, 'ceil_mode', 0) === 1 && !(spatial && sameShape(slid(spatial, window, true), slid(spatial, window)));
}

/** Where each maximum came from, as places in the flattened input. */
function sources(node: Node, b: Builder): Value {
  const { storage_order, ...byRows } = node.attributes;
  const known = (intOf(node, 'storage_order', 0) === 0 && node.outputs[1]) || b.emit('MaxPool', node.inputs, byRows, 2)[1]!;
  return b.reshape(known, [product(b.shape(known))]);
}

export const MaxPool: Rule = {
  // Places of the maxima are the second output.
  infer: (node, b) => [...infer(node, b), ...infer(node, b).map(({ shape }): ValueType => ({ type: 'int64', shape }))],
  expand,
  vjp: (node, [d], b) => {
    const shape = b.shape(node.inputs[0]!);
    const pooling = poolingOf(node, b);
    if (pooling) return [toLargest(node.inputs[0]!, d!, pooling, b)];
    const size = product(shape);
    const flat = b.reshape(d!, [product(b.shape(d!))]);
    const zeros = b.expand(b.scalar(d!, 0), [size]);
    return [b.reshape(b.op('ScatterElements', [zeros, sources(node, b), flat], { axis: 0, reduction: 'add' }), shape)];
  },
  jvp: (node, [d], b) => {
    if (d === undefined) return [undefined];
    const pooling = poolingOf(node, b);
    if (pooling) return [fromLargest(node.inputs[0]!, d, pooling, b)];
    const flat = b.reshape(d, [product(b.shape(d))]);
    return [b.reshape(b.op('GatherElements', [flat, sources(node, b)], { axis: 0 }), b.shape(node.outputs[0]!))];
  },
};

/** How many elements each window of an AveragePool divides by: [1, 1, …out], or one number when all are alike. */
function divisors(node: Node, window: Window, spatial: readonly number[], out: readonly number[]): number | Float64Array {
  const { kernel, strides, dilations, pads } = window;
  const rank = kernel.length;
  const padded = intOf(node, 'count_include_pad', 0) === 1;
  const along = out.map((extent, i) =>
    Array.from({ length: extent }, (_, at) => {
      const start = at * strides[i]! - pads[i]!;
      const [low, high] = padded ? [-pads[i]!, spatial[i]! + pads[i + rank]!] : [0, spatial[i]!];
      return Array.from({ length: kernel[i]! }, (_, t) => start + t * dilations[i]!).filter((p) => p >= low && p < high).length;
    }),
  );
  const counts = along.reduce<number[]>((all, axis) => all.flatMap((c) => axis.map((n) => c * n)), [1]);
  return counts.every((c) => c === counts[0]) ? (counts[0] ?? 1) : Float64Array.from(counts);
}

export const AveragePool: Rule = {
  infer,
  expand,
  vjp: (node, [d], b) => {
    const [x] = node.inputs as [Value];
    const shape = b.shape(x);
    const spatial = b.staticShape(x, 2);
    const out = b.staticShape(d!, 2);
    const window = windowOfPool(node);
    const counts = divisors(node, window, spatial, out);
    const share =
      typeof counts === 'number' ? b.scale(d!, 1 / counts) : b.div(d!, b.constant(floatTensor(b.elementType(d!), counts, [1, 1, ...out])));
    return [spreadOver(share, shape, spatial, window, b)];
  },
  jvp: (node, [d], b) => [d && b.op('AveragePool', [d], node.attributes)],
};

/** Every value goes to all elements of its window. */
function spreadOver(share: Value, shape: readonly Dim[], spatial: readonly number[], window: Window, b: Builder): Value {
  const { kernel, strides, dilations, pads } = window;
  const rank = kernel.length;
  const out = b.staticShape(share, 2);
  const tiles = kernel.every((k, i) => k === strides[i] && dilations[i] === 1 && k * out[i]! === spatial[i]! + pads[i]! + pads[i + rank]!);
  if (tiles) {
    // Windows that tile the input: repeat each value over its tile, then crop the padding.
    const apart = b.unsqueeze(
      share,
      kernel.map((_, i) => 2 * i + 3),
    );
    const head = shape.slice(0, 2);
    const wide = b.expand(apart, [...head, ...kernel.flatMap((k, i) => [out[i]!, k])]);
    const whole = b.reshape(wide, [...head, ...kernel.map((k, i) => k * out[i]!)]);
    return padSpatial(
      whole,
      pads.map((p) => -p),
      b,
    );
  }
  const reach = kernel.map((k, i) => dilations[i]! * (k - 1) + 1);
  const full = kernel.map((_, i) => strides[i]! * (out[i]! - 1) + reach[i]!);
  const ones = b.constant(floatTensor(b.elementType(share), new Float64Array(taps(kernel).length).fill(1), [1, 1, ...kernel]));
  const planes = b.reshape(share, [product(shape.slice(0, 2)), 1, ...out]);
  const spread = b.op('ConvTranspose', [planes, ones], { kernel_shape: kernel, strides, dilations });
  // Windows may end before the padded input does, or (rounding up) beyond it.
  const fitted = padSpatial(spread, [...pads.slice(0, rank).map((p) => -p), ...full.map((f, i) => spatial[i]! + pads[i]! - f)], b);
  return b.reshape(fitted, shape);
}

/** The mean over all spatial axes. */
export const GlobalAveragePool: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    return [{ type, shape: shape?.map((extent, axis) => (axis < 2 ? extent : 1)) }];
  },
  vjp: (node, [d], b) => {
    const [x] = node.inputs as [Value];
    return [b.expand(b.shareOf(d!, x, restAxes(b.rank(x))), b.shape(x))];
  },
  jvp: (_, [d], b) => [d && b.op('GlobalAveragePool', [d])],
};
