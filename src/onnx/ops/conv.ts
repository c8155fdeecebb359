// Convolution in 1 to 3 dimensions with groups, strides, dilations and pads.

import { sizeOf } from '../../core/tensor.js';
import type { Builder, Value } from '../builder.js';
import { isStatic } from '../dims.js';
import { type Dim, intOf, type Node } from '../graph.js';
import { besideTaps, columnsUnder, convAtOnce, convByTaps, fewRows, paddedLast, rowsOf, rowsUnder } from './conv-taps.js';
import { otherAxes, type Rule } from './rule.js';
import { explicitPads, padSpatial, slid, taps, underTap, type Window, windowOf } from './window.js';

const windowOfConv = (node: Node, b: Builder): Window => windowOf(node, b.staticShape(node.inputs[1]!, 2));

/** Images of at most this many places are faster convolved tap by tap when the weights are computed. */
export const smallImage = 36;

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

/** Weights of this many numbers are read from memory again for every image that ONNX Runtime convolves: 1 MB, about a core's own cache. */
const heavyKernel = 2 ** 18;
/** Images of at most this many places are too small to pay for that; one product for the whole batch reads the weights once. */
const tinyImage = 9;

/** The convolution by products of rows where the weights are computed, or heavy, and the image is small; undefined elsewhere. */
function smallConvolution(x: Value, W: Value, bias: Value | undefined, window: Window, groups: number, b: Builder): Value | undefined {
  const shape = b.staticShape(W);
  const [O, C] = shape as [number, number];
  const out = slid(b.shape(x).slice(2), window);
  if (groups > 1 || O < 8 || C < 8 || !isStatic(out)) return undefined;
  if (b.isFixed(W)) return sizeOf(shape) >= heavyKernel && sizeOf(out) <= tinyImage ? convAtOnce(x, W, bias, window, out, b) : undefined;
  return sizeOf(out) <= smallImage ? convByTaps(x, W, bias, window, out, false, b) : undefined;
}

/** The convolution of x with W in the form that runs best, once derivatives are written. */
export function lowered(x: Value, W: Value, bias: Value | undefined, window: Window, groups: number, b: Builder): Value {
  return smallConvolution(x, W, bias, window, groups, b) ?? convolve(x, W, bias, window, groups, b);
}

/** Cotangent of the input: the transposed map; `ConvTranspose` finds the form that runs best. */
function inputCotangent(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  const groups = intOf(node, 'group', 1);
  const { kernel, strides, dilations, pads } = windowOfConv(node, b);
  const attributes = { ...(groups > 1 && { group: groups }), kernel_shape: kernel, dilations, strides, pads };
  if (strides.every((s) => s === 1)) return b.op('ConvTranspose', [d, W], attributes);
  const rank = kernel.length;
  const out = b.staticShape(d, 2);
  // What the last window did not reach is filled up behind.
  const rest = b.staticShape(x, 2).map((extent, i) => {
    const reach = dilations[i]! * (kernel[i]! - 1) + 1;
    return extent - (strides[i]! * (out[i]! - 1) + reach - pads[i]! - pads[i + rank]!);
  });
  return b.op('ConvTranspose', [d, W], { ...attributes, ...(rest.some((r) => r !== 0) && { output_padding: rest }) });
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
  if (groups === 1 && fewRows(b.shape(d)[0]!, sizeOf(out), O)) {
    return b.reshape(b.op('Gemm', [rows, columnsUnder(padded, window, out, b)], { transA: 1 }), [O, I, ...window.kernel]);
  }
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
    const small = smallConvolution(x, W, bias, windowOfConv(node, b), intOf(node, 'group', 1), b);
    return small === undefined ? undefined : [small];
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

/** Cotangent of the weights for each sample, [n, O, C/g, …]. */
export function sampleWeightCotangents(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  return sampleKernels(d, x, windowOfConv(node, b), intOf(node, 'group', 1), b.staticShape(W), b);
}

/**
 * Products of rows [n, R, …out] with what each tap of a window sees of an image [n, I·g, …], sample by sample, as kernels [n, R, I, …]:
 * the elements under every tap side by side, then one matrix product per sample and group.
 */
export function sampleKernels(rows: Value, image: Value, window: Window, groups: number, kernel: readonly number[], b: Builder): Value {
  const [R, I] = kernel as [number, number];
  const out = b.staticShape(rows, 2);
  const n = b.shape(rows)[0]!;
  const places = sizeOf(out);
  const padded = padSpatial(image, window.pads, b);
  const all = taps(window.kernel);
  const axes = out.map((_, i) => i + 2);
  const under = all.map((tap) => b.reshape(underTap(padded, tap, window, out, axes, b), [n, groups * I, 1, places]));
  const head = groups === 1 ? [n] : [n, groups];
  const columns = b.reshape(b.concat(under, 2), [...head, I * all.length, places]);
  const left = b.reshape(rows, [...head, R / groups, places]);
  const last = head.length;
  const product = b.matmul(left, b.transpose(columns, [...head.map((_, axis) => axis), last + 1, last]));
  return b.reshape(product, [n, R, I, ...window.kernel]);
}
