// Conv and ConvTranspose over one to three spatial axes.
import { sizeOf } from '../../core/tensor.js';
import { intOf, intsOf, type Node, stringOf } from '../graph.js';
import { fail, type Kernels, need, numbers, ofType, type Value } from './value.js';

/** Where a window moves along one axis. */
export interface Window {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
  readonly end: number;
}

const identity: Window = { input: 1, output: 1, kernel: 1, stride: 1, dilation: 1, begin: 0, end: 0 };

/** Kernel extents, strides, dilations and declared pads of a node, checked against the number of spatial axes. */
export function windowAttributes(node: Node, spatial: readonly number[], kernel: readonly number[]) {
  const rank = spatial.length;
  const read = (name: string, length: number, otherwise: number): readonly number[] => {
    const given = intsOf(node, name) ?? new Array<number>(length).fill(otherwise);
    if (given.length !== length) throw fail(node, `expected ${length} ${name}, got ${given.length}`);
    return given;
  };
  if (kernel.length !== rank) throw fail(node, `expected a kernel of ${rank} axes, got [${kernel}]`);
  return {
    strides: read('strides', rank, 1),
    dilations: read('dilations', rank, 1),
    pads: read('pads', 2 * rank, 0),
    auto: stringOf(node, 'auto_pad', 'NOTSET'),
  };
}

/** The windows of a convolution or pooling: pads by attribute or by `auto_pad`, extents by floor or ceil. */
export function windowsOf(node: Node, spatial: readonly number[], kernel: readonly number[], ceil = false): Window[] {
  const { strides, dilations, pads, auto } = windowAttributes(node, spatial, kernel);
  return spatial.map((input, axis) => {
    const [stride, dilation, size] = [strides[axis]!, dilations[axis]!, kernel[axis]!];
    const reach = (size - 1) * dilation + 1;
    let [begin, end] = [pads[axis]!, pads[axis + spatial.length]!];
    if (auto === 'VALID') begin = end = 0;
    else if (auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
      const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + reach - input);
      begin = auto === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
      end = total - begin;
    }
    const steps = (input + begin + end - reach) / stride;
    let output = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A window that starts in the padding at the end is left out.
    if (ceil && (output - 1) * stride >= input + begin) output--;
    if (output < 0 || (input > 0 && input + begin + end < reach && !ceil)) {
      throw fail(node, `expected a kernel reach of at most ${input + begin + end} on spatial axis ${axis}, got ${reach}`);
    }
    return { input, output, kernel: size, stride, dilation, begin, end };
  });
}

/** Three windows: absent axes in front have extent 1. */
const threeOf = (windows: readonly Window[], node: Node): [Window, Window, Window] => {
  if (windows.length > 3 || windows.length === 0) throw fail(node, `expected 1 to 3 spatial axes, got ${windows.length}`);
  return [...new Array<Window>(3 - windows.length).fill(identity), ...windows] as [Window, Window, Window];
};

/**
 * Visits every (small row, large row, tap) of a window's motion: `small` has the extents `output`, `large` the extents `input`;
 * element j of the run is small[s + j] and large[l + j·stride].
 */
function alongRows(
  windows: [Window, Window, Window],
  visit: (small: number, large: number, tap: number, run: number, stride: number) => void,
): void {
  const [d, h, w] = windows;
  for (let kd = 0; kd < d.kernel; kd++) {
    for (let kh = 0; kh < h.kernel; kh++) {
      for (let kw = 0; kw < w.kernel; kw++) {
        const tap = (kd * h.kernel + kh) * w.kernel + kw;
        const shift = kw * w.dilation - w.begin;
        const first = Math.max(0, Math.ceil(-shift / w.stride));
        const last = Math.min(w.output - 1, Math.floor((w.input - 1 - shift) / w.stride));
        if (last < first) continue;
        for (let od = 0; od < d.output; od++) {
          const id = od * d.stride + kd * d.dilation - d.begin;
          if (id < 0 || id >= d.input) continue;
          for (let oh = 0; oh < h.output; oh++) {
            const ih = oh * h.stride + kh * h.dilation - h.begin;
            if (ih < 0 || ih >= h.input) continue;
            visit(
              (od * h.output + oh) * w.output + first,
              (id * h.input + ih) * w.input + first * w.stride + shift,
              tap,
              last - first + 1,
              w.stride,
            );
          }
        }
      }
    }
  }
}

function addBias(out: Float64Array, bias: Value | undefined, channels: number, inner: number): void {
  if (!bias) return;
  const b = numbers(bias);
  for (let i = 0; i < out.length; i++) out[i]! += b[Math.floor(i / inner) % channels]!;
}

function conv(inputs: readonly (Value | undefined)[], node: Node): Value {
  const [x, w] = [need(inputs, 0, node), need(inputs, 1, node)];
  const spatial = x.shape.slice(2);
  const group = intOf(node, 'group', 1);
  const [n, channels] = x.shape as [number, number];
  const [filters, depth] = w.shape as [number, number];
  if (channels !== depth * group || filters % group)
    throw fail(node, `expected ${depth * group} channels in ${group} groups, got ${channels}`);
  const windows = threeOf(windowsOf(node, spatial, w.shape.slice(2)), node);
  const [large, small, taps] = [sizeOf(spatial), sizeOf(windows.map((v) => v.output)), sizeOf(w.shape.slice(2))];
  const [X, W] = [numbers(x), numbers(w)];
  const out = new Float64Array(n * filters * small);
  alongRows(windows, (s, l, tap, run, stride) => {
    for (let i = 0; i < n; i++) {
      for (let f = 0; f < filters; f++) {
        const first = Math.floor(f / (filters / group)) * depth;
        for (let c = 0; c < depth; c++) {
          const weight = W[(f * depth + c) * taps + tap]!;
          let [o, k] = [(i * filters + f) * small + s, (i * channels + first + c) * large + l];
          for (let j = 0; j < run; j++, o++, k += stride) out[o]! += weight * X[k]!;
        }
      }
    }
  });
  addBias(out, inputs[2], filters, small);
  return ofType(x.type, out, [n, filters, ...windows.slice(3 - spatial.length).map((v) => v.output)]);
}

/** The windows of the convolution whose adjoint a ConvTranspose is: its `output` is our input, its `input` our output. */
function transposedWindows(node: Node, spatial: readonly number[], kernel: readonly number[]): Window[] {
  const { strides, dilations, pads, auto } = windowAttributes(node, spatial, kernel);
  const extra = intsOf(node, 'output_padding') ?? spatial.map(() => 0);
  const wanted = intsOf(node, 'output_shape');
  return spatial.map((input, axis) => {
    const [stride, dilation, size] = [strides[axis]!, dilations[axis]!, kernel[axis]!];
    const full = stride * (input - 1) + extra[axis]! + (size - 1) * dilation + 1;
    let [begin, end] = [pads[axis]!, pads[axis + spatial.length]!];
    const same = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
    if (auto === 'VALID') begin = end = 0;
    const output = wanted ? wanted.at(axis - spatial.length)! : same ? Math.min(input * stride, full) : full - begin - end;
    if (wanted || same) {
      const total = Math.max(0, full - output);
      begin = auto === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
      end = total - begin;
    }
    return { input: output, output: input, kernel: size, stride, dilation, begin, end };
  });
}

function convTranspose(inputs: readonly (Value | undefined)[], node: Node): Value {
  const [x, w] = [need(inputs, 0, node), need(inputs, 1, node)];
  const spatial = x.shape.slice(2);
  const group = intOf(node, 'group', 1);
  const [n, channels] = x.shape as [number, number];
  const [filters, depth] = w.shape as [number, number];
  if (channels !== filters || channels % group) throw fail(node, `expected ${filters} channels in ${group} groups, got ${channels}`);
  const windows = threeOf(transposedWindows(node, spatial, w.shape.slice(2)), node);
  const outputs = windows.slice(3 - spatial.length).map((v) => v.input);
  const [large, small, taps] = [sizeOf(outputs), sizeOf(spatial), sizeOf(w.shape.slice(2))];
  const [X, W] = [numbers(x), numbers(w)];
  const total = depth * group;
  const out = new Float64Array(n * total * large);
  alongRows(windows, (s, l, tap, run, stride) => {
    for (let i = 0; i < n; i++) {
      for (let f = 0; f < channels; f++) {
        const first = Math.floor(f / (channels / group)) * depth;
        for (let c = 0; c < depth; c++) {
          const weight = W[(f * depth + c) * taps + tap]!;
          let [o, k] = [(i * total + first + c) * large + l, (i * channels + f) * small + s];
          for (let j = 0; j < run; j++, o += stride, k++) out[o]! += weight * X[k]!;
        }
      }
    }
  });
  addBias(out, inputs[2], total, large);
  return ofType(x.type, out, [n, total, ...outputs]);
}

export const convolutions: Kernels = {
  Conv: (inputs, node) => [conv(inputs, node)],
  ConvTranspose: (inputs, node) => [convTranspose(inputs, node)],
};
