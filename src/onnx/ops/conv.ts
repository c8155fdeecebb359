// Convolution in 1 to 3 dimensions with groups, strides, dilations and pads.

import { sizeOf } from '../../core/tensor.js';
import type { Builder, Value } from '../builder.js';
import { isStatic, product } from '../dims.js';
import { type Dim, intOf, type Node } from '../graph.js';
import { besideTaps, convByTaps, paddedLast, rowsOf, rowsUnder } from './conv-taps.js';
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

/** Images of at most this many places are faster convolved tap by tap when the weights are computed. */
const smallImage = 36;

/** The convolution of x with W. */
export function convolve(x: Value, W: Value, bias: Value | undefined, window: Window, groups: number, b: Builder): Value {
  const { kernel, strides, dilations, pads } = window;
  return b.op('Conv', [x, W, ...(bias ? [bias] : [])], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads,
    ...(groups > 1 && { group: groups }),
  });
}

/** Cotangent of the input. */
function inputCotangent(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  const groups = intOf(node, 'group', 1);
  const window = windowOfConv(node, b);
  const { kernel, strides, dilations, pads } = window;
  const rank = kernel.length;
  const reach = kernel.map((k, i) => dilations[i]! * (k - 1));
  if (strides.every((s) => s === 1)) {
    // At stride 1 it is a convolution with the turned kernel: as fast as the forward pass where the weights are constants.
    const back = [...reach.map((r, i) => r - pads[i]!), ...reach.map((r, i) => r - pads[i + rank]!)];
    const spread = { ...window, pads: back };
    if (back.every((p) => p >= 0)) return convolve(d, turned(W, groups, b), undefined, spread, groups, b);
  }
  const spatial = b.staticShape(x, 2);
  const out = b.staticShape(d, 2);
  const byPhase = dilations.every((e) => e === 1) ? phases(d, W, window, groups, spatial, b) : undefined;
  if (byPhase) return byPhase;
  // What the last window did not reach is filled up behind.
  const rest = spatial.map((extent, i) => extent - (strides[i]! * (out[i]! - 1) + reach[i]! + 1 - pads[i]! - pads[i + rank]!));
  const attributes = { ...(groups > 1 && { group: groups }), kernel_shape: kernel, dilations, strides, pads };
  return b.op('ConvTranspose', [d, W], { ...attributes, ...(rest.some((r) => r !== 0) && { output_padding: rest }) });
}

/**
 * The input's cotangent at stride s as one convolution at stride 1 with a set of channels per phase r: the element at s·q + r gets
 * Σ_j W[r + pad − s·j]·d[q + j]. The phases are then woven into the image. Undefined when the windows leave part of d unread.
 */
function phases(
  d: Value,
  W: Value,
  { kernel, strides, pads }: Window,
  groups: number,
  spatial: readonly number[],
  b: Builder,
): Value | undefined {
  const [O, I] = b.staticShape(W) as [number, number];
  const out = b.staticShape(d, 2);
  const first = kernel.map((k, i) => Math.ceil((pads[i]! - (k - 1)) / strides[i]!));
  const last = kernel.map((_, i) => Math.floor((strides[i]! - 1 + pads[i]!) / strides[i]!));
  const count = spatial.map((extent, i) => Math.ceil(extent / strides[i]!));
  const width = kernel.map((_, i) => last[i]! - first[i]! + 1);
  const around = [...first.map((j) => -j), ...count.map((q, i) => q - 1 + last[i]! - (out[i]! - 1))];
  if (around.some((p) => p < 0) || width.some((w) => w < 1)) return undefined;

  // The taps of every phase side by side; a zero plane stands in where a phase has none.
  let weights = b.op('Pad', [W, b.ints([0, 0, ...kernel.map(() => 0), 0, 0, ...kernel.map(() => 1)])]);
  kernel.forEach((k, i) => {
    const places: number[] = [];
    for (let r = 0; r < strides[i]!; r++) {
      for (let j = first[i]!; j <= last[i]!; j++) {
        const tap = r + pads[i]! - strides[i]! * j;
        places.push(tap >= 0 && tap < k ? tap : k);
      }
    }
    weights = b.op('Gather', [weights, b.ints(places)], { axis: i + 2 });
  });
  const apart = b.reshape(weights, [groups, O / groups, I, ...strides.flatMap((s, i) => [s, width[i]!])]);
  const phaseAxes = strides.map((_, i) => 3 + 2 * i);
  const kernels = b.transpose(apart, [0, 2, ...phaseAxes, 1, ...phaseAxes.map((axis) => axis + 1)]);
  const channels = groups * I * sizeOf(strides);
  const stacked = b.reshape(kernels, [channels, O / groups, ...width]);
  const ones = strides.map(() => 1);
  const y = convolve(d, stacked, undefined, { kernel: width, strides: ones, dilations: ones, pads: around }, groups, b);

  const n = b.shape(d)[0]!;
  const whole = weave(y, [n, groups * I, ...count], strides, b);
  return padSpatial(whole, [...ones.map(() => 0), ...spatial.map((extent, i) => extent - count[i]! * strides[i]!)], b);
}

/** [n, C·s…, …q] with phases as channels, as the image [n, C, …s·q]. */
function weave(y: Value, [n, channels, ...count]: readonly Dim[], strides: readonly number[], b: Builder): Value {
  const rank = strides.length;
  if (rank === 2 && strides[0] === strides[1]) return b.op('DepthToSpace', [y], { blocksize: strides[0]!, mode: 'CRD' });
  const split = b.reshape(y, [n!, channels!, ...strides, ...count]);
  const woven = b.transpose(split, [0, 1, ...strides.flatMap((_, i) => [2 + rank + i, 2 + i])]);
  return b.reshape(woven, [n!, channels!, ...count.map((q, i) => (q as number) * strides[i]!)]);
}

/** Cotangent of the weights: one matrix product per kernel tap. */
function weightCotangent(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  const groups = intOf(node, 'group', 1);
  const window = windowOfConv(node, b);
  const [O, I] = b.staticShape(W) as [number, number];
  const out = b.staticShape(d, 2);
  const padded = paddedLast(x, window.pads, b);
  const rows = rowsOf(d, b);
  const places = b.shape(rows)[0]!;
  const parts = taps(window.kernel).map((tap) => {
    const under = rowsUnder(padded, tap, window, out, b);
    return groups === 1 ? b.op('Gemm', [rows, under], { transA: 1 }) : grouped(rows, under, groups, O, I, places, b);
  });
  return besideTaps(parts, window.kernel, b);
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
    const window = windowOfConv(node, b);
    const groups = intOf(node, 'group', 1);
    const along = dx && convolve(dx, W, undefined, window, groups, b);
    const across = dW && convolve(x, dW, dB, window, groups, b);
    const alone = dB && !dW ? perChannel(dB, b.rank(x), b) : undefined;
    const sum = b.sum(along, across, alone);
    return [sum && b.expand(sum, b.shape(node.outputs[0]!))];
  },
  lower: (node, b) => {
    const [x, W, bias] = node.inputs as [Value, Value, Value | undefined];
    const [O, C] = b.staticShape(W) as [number, number];
    const window = windowOfConv(node, b);
    const out = slid(b.shape(x).slice(2), window);
    const small = isStatic(out) && sizeOf(out) <= smallImage;
    if (b.isFixed(W) || !small || intOf(node, 'group', 1) > 1 || O < 8 || C < 8) return undefined;
    return [convByTaps(x, W, bias, window, out, b)];
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
