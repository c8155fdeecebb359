// Convolution in 1 to 3 dimensions with groups, strides, dilations and pads.
import type { Builder, Value } from '../builder.js';
import { product } from '../dims.js';
import { type Dim, intOf, type Node } from '../graph.js';
import { otherAxes, type Rule } from './rule.js';
import { explicitPads, padSpatial, slid, taps, underTap, type Window, windowOf } from './window.js';

const windowOfConv = (node: Node, b: Builder): Window => windowOf(node, b.staticShape(node.inputs[1]!, 2));

/** W [O, C/g, …] as the kernel of the transposed map at stride 1: [C, O/g, …], reversed in space. */
function turned(W: Value, groups: number, b: Builder): Value {
  const [O, I, ...kernel] = b.staticShape(W) as [number, number, ...number[]];
  const space = kernel.map((_, i) => i + 2);
  const reversed = b.flip(W, space);
  if (groups === 1) return b.transpose(reversed, [1, 0, ...space]);
  const apart = b.reshape(reversed, [groups, O / groups, I, ...kernel]);
  return b.reshape(b.transpose(apart, [0, 2, 1, ...space.map((axis) => axis + 1)]), [groups * I, O / groups, ...kernel]);
}

/** Cotangent of the input. */
function inputCotangent(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  const groups = intOf(node, 'group', 1);
  const window = windowOfConv(node, b);
  const { kernel, strides, dilations, pads } = window;
  const rank = kernel.length;
  const reach = kernel.map((k, i) => dilations[i]! * (k - 1));
  const shared = { ...(groups > 1 && { group: groups }), kernel_shape: kernel, dilations };
  if (strides.every((s) => s === 1)) {
    // At stride 1 it is a convolution with the turned kernel: as fast as the forward pass where the weights are constants.
    const back = [...reach.map((r, i) => r - pads[i]!), ...reach.map((r, i) => r - pads[i + rank]!)];
    if (back.every((p) => p >= 0)) return b.op('Conv', [d, turned(W, groups, b)], { ...shared, strides, pads: back });
  }
  // What the last window did not reach is filled up behind.
  const spatial = b.staticShape(x, 2);
  const out = b.staticShape(d, 2);
  const rest = spatial.map((extent, i) => extent - (strides[i]! * (out[i]! - 1) + reach[i]! + 1 - pads[i]! - pads[i + rank]!));
  return b.op('ConvTranspose', [d, W], { ...shared, strides, pads, ...(rest.some((r) => r !== 0) && { output_padding: rest }) });
}

/**
 * Cotangent of the weights: one matrix product per kernel tap, on copies with the channel axis last. Of the forms that ONNX Runtime
 * runs well this is the fastest with computed operands.
 */
function weightCotangent(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  const groups = intOf(node, 'group', 1);
  const window = windowOfConv(node, b);
  const [O, I] = b.staticShape(W) as [number, number];
  const out = b.staticShape(d, 2);
  const rank = window.kernel.length;
  const space = Array.from({ length: rank }, (_, i) => i);
  const padded = padSpatial(x, window.pads, b);
  const places = product([b.shape(d)[0]!, ...out]);
  const last = b.transpose(padded, [0, ...space.map((i) => i + 2), 1]);
  const rows = rowsOf(d, b, places, O);
  const parts = taps(window.kernel).map((tap) => {
    const under = b.reshape(
      underTap(
        last,
        tap,
        window,
        out,
        space.map((i) => i + 1),
        b,
      ),
      [places, groups * I],
    );
    const part = groups === 1 ? b.op('Gemm', [rows, under], { transA: 1 }) : grouped(rows, under, groups, O, I, places, b);
    return b.unsqueeze(part, [2]);
  });
  return b.reshape(b.concat(parts, 2), [O, I, ...window.kernel]);
}

/** d [n, O, …] as [places, O]. */
function rowsOf(d: Value, b: Builder, places: Dim, O: number): Value {
  const rank = b.rank(d);
  return b.reshape(b.transpose(d, [0, ...otherAxes(rank, 0, 1), 1]), [places, O]);
}

/** The product within each group: [places, O]ᵀ·[places, g·I] block by block, as [O, I]. */
function grouped(rows: Value, under: Value, groups: number, O: number, I: number, places: Dim, b: Builder): Value {
  if (I === 1 && groups === O) return b.unsqueeze(b.reduceSum(b.mul(rows, under), [0]), [1]);
  const left = b.transpose(b.reshape(rows, [places, groups, O / groups]), [1, 2, 0]);
  const right = b.transpose(b.reshape(under, [places, groups, I]), [1, 0, 2]);
  return b.reshape(b.matmul(left, right), [O, I]);
}

export const Conv: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    if (!shape) return [{ type }];
    return [{ type, shape: [shape[0]!, b.shape(node.inputs[1]!)[0]!, ...slid(shape.slice(2), windowOfConv(node, b))] }];
  },
  vjp: (node, [d], b, needs) => [
    needs[0] ? inputCotangent(node, d!, b) : undefined,
    needs[1] ? weightCotangent(node, d!, b) : undefined,
    needs[2] ? b.reduceSum(d!, otherAxes(b.rank(d!), 1)) : undefined,
  ],
  jvp: (node, [dx, dW, dB], b) => {
    const [x, W] = node.inputs as [Value, Value];
    const along = dx && b.op('Conv', [dx, W], node.attributes);
    const across = dW && b.op('Conv', [x, dW, ...(dB ? [dB] : [])], node.attributes);
    const alone = dB && !dW ? perChannel(dB, b.rank(x), b) : undefined;
    const sum = b.sum(along, across, alone);
    return [sum && b.expand(sum, b.shape(node.outputs[0]!))];
  },
  expand: (node, b) => {
    const attributes = explicitPads(node, b, b.staticShape(node.inputs[1]!, 2));
    return attributes && b.emit('Conv', node.inputs, attributes);
  },
};

/** A value per channel, [C], against [n, C, …]. */
export function perChannel(value: Value, rank: number, b: Builder): Value {
  return b.unsqueeze(
    value,
    Array.from({ length: rank - 2 }, (_, i) => i + 1),
  );
}

/**
 * Cotangent of the weights for each sample, [n, O, C/g, …]: the elements under every tap side by side, then one matrix product per
 * sample (and group).
 */
export function sampleWeightCotangents(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  const groups = intOf(node, 'group', 1);
  const window = windowOfConv(node, b);
  const [O, I] = b.staticShape(W) as [number, number];
  const out = b.staticShape(d, 2);
  const n = b.shape(d)[0]!;
  const places = product(out) as number;
  const padded = padSpatial(x, window.pads, b);
  const all = taps(window.kernel);
  const axes = out.map((_, i) => i + 2);
  const under = all.map((tap) => b.reshape(underTap(padded, tap, window, out, axes, b), [n, groups * I, 1, places]));
  const columns = b.reshape(b.concat(under, 2), [n, groups, I * all.length, places]);
  const rows = b.reshape(d, [n, groups, O / groups, places]);
  const squeeze = (v: Value): Value => (groups === 1 ? b.reshape(v, [n, ...b.shape(v).slice(2)]) : v);
  const right = squeeze(columns);
  const turnedRight = b.transpose(right, [
    ...otherAxes(b.rank(right), b.rank(right) - 1, b.rank(right) - 2),
    b.rank(right) - 1,
    b.rank(right) - 2,
  ]);
  return b.reshape(b.matmul(squeeze(rows), turnedRight), [n, O, I, ...window.kernel]);
}
