import { sizeOf } from '../../core/tensor.js';
import type { Builder, Value } from '../builder.js';
import { isStatic, minus, plus, times } from '../dims.js';
import { intOf, intsOf, type Node, stringOf } from '../graph.js';
import { convolve, lowered, perChannel, sampleKernels, smallImage } from './conv.js';
import { byPhases, turned } from './conv-phases.js';
import { besideTaps, columnsUnder, convByTaps, fewRows, paddedLast, rowsOf, rowsUnder, spreadAtOnce, spreadByTaps } from './conv-taps.js';
import { otherAxes, type Rule } from './rule.js';
import { padSpatial, taps, type Window, windowOf } from './window.js';

const windowOfNode = (node: Node, b: Builder): Window => windowOf(node, b.staticShape(node.inputs[1]!, 2));

/** Images of at most this many places are written by a product with a matrix of zeros and ones. */
const spreadImage = 16;

/** The transpose of a convolution: y[s·i + d·t − pad] += x[i]·W[t], W [C, O/g, …]. */
export const ConvTranspose: Rule = {
  infer: (node, b) => {
    const { type, shape } = b.type(node.inputs[0]!);
    if (!shape) return [{ type }];
    const { kernel, strides, dilations, pads } = windowOfNode(node, b);
    const extra = intsOf(node, 'output_padding') ?? kernel.map(() => 0);
    const spatial = shape.slice(2).map((extent, i) => {
      const rest = dilations[i]! * (kernel[i]! - 1) + 1 + extra[i]! - pads[i]! - pads[i + kernel.length]!;
      return plus(times(minus(extent, 1), strides[i]!), rest);
    });
    const channels = times(b.shape(node.inputs[1]!)[1]!, intOf(node, 'group', 1));
    return [{ type, shape: [shape[0]!, channels, ...spatial] }];
  },
  vjp: (node, [d], b, needs) => {
    const window = windowOfNode(node, b);
    const groups = intOf(node, 'group', 1);
    return [
      needs[0] ? convolve(d!, node.inputs[1]!, undefined, window, groups, b) : undefined,
      needs[1] ? weightCotangent(node, d!, b) : undefined,
      needs[2] ? b.reduceSum(d!, otherAxes(b.rank(d!), 1)) : undefined,
    ];
  },
  jvp: (node, [dx, dW, dB], b) => {
    const [x, W] = node.inputs as [Value, Value];
    const along = dx && b.op('ConvTranspose', [dx, W], node.attributes);
    const across = dW && b.op('ConvTranspose', [x, dW, ...(dB ? [dB] : [])], node.attributes);
    const alone = dB && !dW ? perChannel(dB, b.rank(x), b) : undefined;
    const sum = b.sum(along, across, alone);
    return [sum && b.expand(sum, b.shape(node.outputs[0]!))];
  },
  lower: (node, b) => {
    const [x, W, bias] = node.inputs as [Value, Value, Value | undefined];
    const groups = intOf(node, 'group', 1);
    const window = windowOfNode(node, b);
    const { kernel, strides, dilations, pads } = window;
    const [C, O] = b.staticShape(W) as [number, number];
    const out = b.shape(node.outputs[0]!).slice(2);
    const inner = b.shape(x).slice(2);
    const reach = kernel.map((k, i) => dilations[i]! * (k - 1));
    const back = [...reach.map((r, i) => r - pads[i]!), ...reach.map((r, i) => r - pads[i + kernel.length]!)];
    const plain = strides.every((s) => s === 1) && !intsOf(node, 'output_padding') && back.every((p) => p >= 0);
    if (!b.isFixed(W) && groups === 1 && C >= 8 && O >= 8 && !bias && isStatic(out) && isStatic(inner) && sizeOf(inner) <= smallImage) {
      const tiny = sizeOf(out) <= spreadImage && sizeOf(kernel) > 1;
      if (fewRows(b.shape(x)[0]!, sizeOf(inner), C)) return [(tiny ? spreadAtOnce : spreadByTaps)(x, W, window, out, b)];
      if (plain) return [convByTaps(x, W, undefined, { ...window, pads: back }, out, true, b)];
      if (tiny) return [spreadAtOnce(x, W, window, out, b)];
    }
    // Computed kernels: fewer channels to write than to read are written faster from products than convolved.
    if (plain && !b.isFixed(W) && O < C && groups === 1) return undefined;
    if (plain) return [lowered(x, turned(W, groups, b), bias, { ...window, pads: back }, groups, b)];
    if (bias || !isStatic(out) || !isStatic(inner) || dilations.some((e) => e !== 1)) return undefined;
    if (!b.isFixed(W) && groups === 1) {
      return kernel.every((k) => k === 1) && C >= 8 && O >= 8 ? [spreadByTaps(x, W, window, out, b)] : undefined;
    }
    if (!b.isFixed(W) && sizeOf(inner) > smallImage) return undefined;
    const phases = byPhases(x, W, window, groups, out, b);
    return phases === undefined ? undefined : [phases];
  },
  expand: (node, b) => {
    const mode = stringOf(node, 'auto_pad', 'NOTSET');
    const { auto_pad, output_shape, ...rest } = node.attributes;
    if (output_shape?.type !== 'ints' && mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') {
      return auto_pad || output_shape ? b.emit('ConvTranspose', node.inputs, rest) : undefined;
    }
    const { kernel, strides, dilations } = windowOfNode(node, b);
    const extra = intsOf(node, 'output_padding') ?? kernel.map(() => 0);
    const wanted = output_shape?.type === 'ints' ? output_shape.value.slice(-kernel.length) : undefined;
    const pads = new Array<number>(2 * kernel.length).fill(0);
    const beyond = pads.slice();
    b.staticShape(node.inputs[0]!, 2).forEach((extent, i) => {
      const full = strides[i]! * (extent - 1) + extra[i]! + dilations[i]! * (kernel[i]! - 1) + 1;
      // As ONNX Runtime has it: SAME never widens the map; an output_shape that is wider is filled up behind.
      const total = Math.max(0, full - (wanted?.[i] ?? extent * strides[i]!));
      const small = Math.floor(total / 2);
      pads[i] = mode === 'SAME_UPPER' ? small : total - small;
      pads[i + kernel.length] = total - pads[i]!;
      beyond[i + kernel.length] = Math.max(0, (wanted?.[i] ?? 0) - full);
    });
    if (beyond.some((p) => p > 0)) {
      const [x, W, bias] = node.inputs as [Value, Value, Value | undefined];
      const wide = padSpatial(b.op('ConvTranspose', [x, W], { ...rest, pads }), beyond, b);
      return [bias ? b.add(wide, perChannel(bias, b.rank(x), b)) : wide];
    }
    return b.emit('ConvTranspose', node.inputs, { ...rest, pads });
  },
};

/** Per tap: every x times the cotangent it was sent to. */
function weightCotangent(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  const groups = intOf(node, 'group', 1);
  const window = windowOfNode(node, b);
  const [C, O] = b.staticShape(W) as [number, number];
  const inner = b.staticShape(x, 2);
  const padded = paddedLast(d, window.pads, b);
  const rows = rowsOf(x, b);
  const places = b.shape(rows)[0]!;
  if (groups === 1 && fewRows(b.shape(x)[0]!, sizeOf(inner), C)) {
    return b.reshape(b.op('Gemm', [rows, columnsUnder(padded, window, inner, b)], { transA: 1 }), [C, O, ...window.kernel]);
  }
  const parts = taps(window.kernel).map((tap) => {
    const reached = rowsUnder(padded, tap, window, inner, b);
    if (groups === 1) return b.op('Gemm', [rows, reached], { transA: 1 });
    const left = b.transpose(b.reshape(rows, [places, groups, C / groups]), [1, 2, 0]);
    const right = b.transpose(b.reshape(reached, [places, groups, O]), [1, 0, 2]);
    return b.reshape(b.matmul(left, right), [C, O]);
  });
  return besideTaps(parts, window.kernel, b);
}

/** Cotangent of the weights for each sample, [n, C, O/g, …]: every x times the cotangent it was sent to. */
export function sampleTransposedCotangents(node: Node, d: Value, b: Builder): Value {
  const [x, W] = node.inputs as [Value, Value];
  return sampleKernels(x, d, windowOfNode(node, b), intOf(node, 'group', 1), b.staticShape(W), b);
}
