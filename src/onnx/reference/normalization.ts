// Normalisations and softmax.
import { square } from '../../core/square.js';
import { sizeOf } from '../../core/tensor.js';
import { exp, log, pow } from '../../kernels/scalar.js';
import { floatOf, intOf, intsOf } from '../graph.js';
import {
  around,
  axisOf,
  broadcastOffsets,
  type Elements,
  fail,
  floats,
  type Kernel,
  type Kernels,
  need,
  numbers,
  type Value,
} from './value.js';

/** Mean and inverse deviation of X[start … start + count). */
function moments(X: Elements, start: number, count: number, epsilon: number): { mean: number; inverse: number } {
  let mean = 0;
  for (let i = start; i < start + count; i++) mean += X[i]! / count;
  let variance = 0;
  for (let i = start; i < start + count; i++) variance += square(X[i]! - mean) / count;
  return { mean, inverse: 1 / Math.sqrt(variance + epsilon) };
}

const batchNormalization: Kernel = (inputs, node, { outputs }) => {
  const [x, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => numbers(need(inputs, i, node)));
  const { shape } = need(inputs, 0, node);
  if (intOf(node, 'training_mode', 0) || outputs > 1) throw fail(node, 'expected inference, got training_mode = 1');
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const channels = shape[1] ?? 1;
  const inner = sizeOf(shape.slice(2));
  const out = Float64Array.from(x!, (e, i) => {
    const c = Math.floor(i / inner) % channels;
    return ((e - mean![c]!) / Math.sqrt(variance![c]! + epsilon)) * scale![c]! + bias![c]!;
  });
  return [floats(out, shape)];
};

/** Normalises groups of `count` consecutive elements, then applies a scale and a shift that depend on the place. */
function groupwise(x: Value, count: number, epsilon: number, scale: (i: number) => number, shift: (i: number) => number): Value {
  const X = numbers(x);
  const out = new Float64Array(x.data.length);
  for (let start = 0; start < out.length; start += count) {
    const { mean, inverse } = moments(X, start, count, epsilon);
    for (let i = start; i < start + count; i++) out[i] = (X[i]! - mean) * inverse * scale(i) + shift(i);
  }
  return floats(out, x.shape);
}

const instanceNormalization: Kernel = (inputs, node) => {
  const [x, scale, bias] = [need(inputs, 0, node), numbers(need(inputs, 1, node)), numbers(need(inputs, 2, node))];
  const inner = sizeOf(x.shape.slice(2));
  const channel = (i: number): number => Math.floor(i / inner) % x.shape[1]!;
  return [
    groupwise(
      x,
      inner,
      floatOf(node, 'epsilon', 1e-5),
      (i) => scale[channel(i)]!,
      (i) => bias[channel(i)]!,
    ),
  ];
};

const groupNormalization: Kernel = (inputs, node) => {
  const [x, scale, bias] = [need(inputs, 0, node), numbers(need(inputs, 1, node)), numbers(need(inputs, 2, node))];
  const groups = intOf(node, 'num_groups', 1);
  const channels = x.shape[1]!;
  if (channels % groups) throw fail(node, `expected channels that ${groups} groups divide, got ${channels}`);
  const inner = sizeOf(x.shape.slice(2));
  // One scale per group up to operator set 20, one per channel since.
  const at = (i: number): number => Math.floor((Math.floor(i / inner) % channels) / (channels / scale.length));
  return [
    groupwise(
      x,
      (channels / groups) * inner,
      floatOf(node, 'epsilon', 1e-5),
      (i) => scale[at(i)]!,
      (i) => bias[at(i)]!,
    ),
  ];
};

const layerNormalization: Kernel = (inputs, node, { outputs }) => {
  const [x, scale, bias] = [need(inputs, 0, node), need(inputs, 1, node), inputs[2]];
  const axis = axisOf(node, intOf(node, 'axis', -1), x.shape.length);
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const rest = x.shape.slice(axis);
  const count = sizeOf(rest);
  const s = numbers(scale);
  const b = bias && numbers(bias);
  const si = broadcastOffsets(scale.shape, x.shape);
  const bi = bias && broadcastOffsets(bias.shape, x.shape);
  const y = groupwise(
    x,
    count,
    epsilon,
    (i) => s[si[i]!]!,
    (i) => (b && bi ? b[bi[i]!]! : 0),
  );
  if (outputs === 1) return [y];
  const shape = [...x.shape.slice(0, axis), ...rest.map(() => 1)];
  const all = Array.from({ length: sizeOf(shape) }, (_, g) => moments(numbers(x), g * count, count, epsilon));
  return [
    y,
    floats(
      Float64Array.from(all, (m) => m.mean),
      shape,
    ),
    floats(
      Float64Array.from(all, (m) => m.inverse),
      shape,
    ),
  ];
};

const rmsNormalization: Kernel = (inputs, node) => {
  const [x, scale] = [need(inputs, 0, node), need(inputs, 1, node)];
  const axis = axisOf(node, intOf(node, 'axis', -1), x.shape.length);
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const count = sizeOf(x.shape.slice(axis));
  const [X, s, at] = [numbers(x), numbers(scale), broadcastOffsets(scale.shape, x.shape)];
  const out = new Float64Array(x.data.length);
  for (let start = 0; start < out.length; start += count) {
    let squares = 0;
    for (let i = start; i < start + count; i++) squares += square(X[i]!) / count;
    for (let i = start; i < start + count; i++) out[i] = (X[i]! / Math.sqrt(squares + epsilon)) * s[at[i]!]!;
  }
  return [floats(out, x.shape)];
};

/** Local response normalisation across channels (Krizhevsky et al. 2012, §3.3). */
const lrn: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const [alpha, beta, bias, size] = [
    floatOf(node, 'alpha', 1e-4),
    floatOf(node, 'beta', 0.75),
    floatOf(node, 'bias', 1),
    intOf(node, 'size', 1),
  ];
  const { outer, extent, inner } = around(x.shape, 1);
  const X = numbers(x);
  const out = new Float64Array(x.data.length);
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < extent; c++) {
      const low = Math.max(0, c - Math.floor((size - 1) / 2));
      const high = Math.min(extent - 1, c + Math.ceil((size - 1) / 2));
      for (let i = 0; i < inner; i++) {
        let squares = 0;
        for (let k = low; k <= high; k++) squares += square(X[(o * extent + k) * inner + i]!);
        const at = (o * extent + c) * inner + i;
        out[at] = X[at]! / pow(bias + (alpha / size) * squares, beta);
      }
    }
  }
  return [floats(out, x.shape)];
};

/** Runs `line` over every line along an axis (lines of `extent` elements `inner` apart). */
function alongAxis(
  x: Value,
  axis: number,
  inside: number,
  line: (read: (k: number) => number, extent: number) => (k: number) => number,
): Value {
  const [outer, extent] = [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis)) / inside];
  const X = numbers(x);
  const out = new Float64Array(x.data.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inside; i++) {
      const at = (k: number): number => (o * extent + k) * inside + i;
      const value = line((k) => X[at(k)]!, extent);
      for (let k = 0; k < extent; k++) out[at(k)] = value(k);
    }
  }
  return floats(out, x.shape);
}

/** Softmax along one axis; before operator set 13 over all axes from `axis` on, taken together. */
const softmax =
  (finish: (x: number, top: number, sum: number) => number): Kernel =>
  (inputs, node, { opset }) => {
    const x = need(inputs, 0, node);
    const axis = axisOf(node, intOf(node, 'axis', opset < 13 ? 1 : -1), x.shape.length);
    return [
      alongAxis(x, axis, opset < 13 ? 1 : sizeOf(x.shape.slice(axis + 1)), (read, extent) => {
        let top = -Infinity;
        for (let k = 0; k < extent; k++) top = Math.max(top, read(k));
        let sum = 0;
        for (let k = 0; k < extent; k++) sum += exp(read(k) - top);
        return (k) => finish(read(k), top, sum);
      }),
    ];
  };

/** 1 at the first largest element along the axis, 0 elsewhere. */
const hardmax: Kernel = (inputs, node, { opset }) => {
  const x = need(inputs, 0, node);
  const axis = axisOf(node, intOf(node, 'axis', opset < 13 ? 1 : -1), x.shape.length);
  return [
    alongAxis(x, axis, opset < 13 ? 1 : sizeOf(x.shape.slice(axis + 1)), (read, extent) => {
      let best = 0;
      for (let k = 1; k < extent; k++) if (read(k) > read(best)) best = k;
      return (k) => (k === best ? 1 : 0);
    }),
  ];
};

const lpNormalization: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const axis = axisOf(node, intOf(node, 'axis', -1), x.shape.length);
  const p = intOf(node, 'p', 2);
  return [
    alongAxis(x, axis, sizeOf(x.shape.slice(axis + 1)), (read, extent) => {
      let norm = 0;
      for (let k = 0; k < extent; k++) norm += p === 1 ? Math.abs(read(k)) : square(read(k));
      if (p !== 1) norm = Math.sqrt(norm);
      return (k) => (norm === 0 ? 0 : read(k) / norm);
    }),
  ];
};

/** (x − mean) / deviation over the given axes, [0, 2, 3] by default; the constant 1e-9 is the specification's. */
const meanVarianceNormalization: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const axes = new Set((intsOf(node, 'axes') ?? [0, 2, 3]).map((axis) => axisOf(node, axis, x.shape.length)));
  const kept = x.shape.map((extent, axis) => (axes.has(axis) ? 1 : extent));
  const group = broadcastOffsets(kept, x.shape);
  const X = numbers(x);
  const [mean, squares] = [new Float64Array(sizeOf(kept)), new Float64Array(sizeOf(kept))];
  const count = x.data.length / mean.length;
  for (let i = 0; i < x.data.length; i++) mean[group[i]!]! += X[i]! / count;
  for (let i = 0; i < x.data.length; i++) squares[group[i]!]! += square(X[i]! - mean[group[i]!]!) / count;
  return [
    floats(
      Float64Array.from(X as ArrayLike<number>, (e, i) => (e - mean[group[i]!]!) / (Math.sqrt(squares[group[i]!]!) + 1e-9)),
      x.shape,
    ),
  ];
};

export const normalizations: Kernels = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  LRN: lrn,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  Softmax: softmax((x, top, sum) => exp(x - top) / sum),
  LogSoftmax: softmax((x, top, sum) => x - top - log(sum)),
  Hardmax: hardmax,
};
