// Resize and its older form Upsample: one pass per axis, each output position a short weighted sum of inputs.
import { floatOf, intOf, intsOf, type Node, stringOf } from '../graph.js';
import {
  around,
  axisOf,
  fail,
  floats,
  type Kernel,
  type Kernels,
  like,
  list,
  need,
  numbers,
  roundEven,
  take,
  type Value,
} from './value.js';

/** The inputs of one output position along an axis. */
export type Taps = readonly (readonly [index: number, weight: number])[];

interface AxisPlan {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
  /** Start and end of the region of interest, as shares of the input (tf_crop_and_resize). */
  readonly roi: readonly [number, number];
}

/** The place in the input that an output position stands for. */
function source(node: Node, mode: string, { input, output, scale, roi }: AxisPlan, x: number): number {
  const length = scale * input; // not rounded: the specification's length_resized, but where its text says otherwise
  switch (mode) {
    case 'half_pixel':
      return (x + 0.5) / scale - 0.5;
    case 'half_pixel_symmetric':
      return (input / 2) * (1 - output / length) + (x + 0.5) / scale - 0.5;
    case 'pytorch_half_pixel':
      return output > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case 'align_corners':
      return output === 1 ? 0 : (x * (input - 1)) / (output - 1);
    case 'asymmetric':
      return x / scale;
    case 'tf_half_pixel_for_nn':
      return (x + 0.5) / scale;
    case 'tf_crop_and_resize':
      return output > 1
        ? roi[0] * (input - 1) + (x * (roi[1] - roi[0]) * (input - 1)) / (output - 1)
        : 0.5 * (roi[0] + roi[1]) * (input - 1);
  }
  throw fail(node, `expected a known coordinate_transformation_mode, got '${mode}'`);
}

function nearest(x: number, mode: string): number {
  if (mode === 'floor') return Math.floor(x);
  if (mode === 'ceil') return Math.ceil(x);
  const half = x - Math.floor(x) === 0.5;
  if (mode === 'round_prefer_ceil') return half ? Math.ceil(x) : Math.round(x);
  return half ? Math.floor(x) : roundEven(x);
}

/** The kernel of linear or cubic interpolation at a distance (Keys 1981 with coefficient a). */
function filter(mode: string, a: number): { reach: number; weight: (t: number) => number } {
  if (mode === 'linear') return { reach: 1, weight: (t) => Math.max(0, 1 - Math.abs(t)) };
  return {
    reach: 2,
    weight: (signed) => {
      const t = Math.abs(signed);
      if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
      return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
    },
  };
}

/** The taps of every output position along an axis; an undefined entry is a position outside the input (tf_crop_and_resize). */
function tapsOf(node: Node, plan: AxisPlan): (Taps | undefined)[] {
  const mode = stringOf(node, 'mode', 'nearest');
  const transform = stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const rounding = stringOf(node, 'nearest_mode', 'round_prefer_floor');
  const antialias = intOf(node, 'antialias', 0) !== 0 && plan.scale < 1;
  const exclude = intOf(node, 'exclude_outside', 0) !== 0 || antialias;
  const { reach, weight } = filter(mode, floatOf(node, 'cubic_coeff_a', -0.75));
  const stretch = antialias ? plan.scale : 1; // the kernel widens by 1/scale when it shrinks
  const { input, output } = plan;
  const inside = (index: number): number => Math.min(input - 1, Math.max(0, index));
  return Array.from({ length: output }, (_, x) => {
    const at = source(node, transform, plan, x);
    if (transform === 'tf_crop_and_resize' && (at < 0 || at > input - 1)) return undefined;
    if (mode === 'nearest') return [[inside(nearest(at, rounding)), 1]];
    // Linear interpolation looks at places inside the input only; cubic looks beyond and repeats the border.
    const place = mode === 'linear' && !antialias ? Math.min(input - 1, Math.max(0, at)) : at;
    const taps: [number, number][] = [];
    let total = 0;
    for (let k = Math.floor(place - reach / stretch); k <= Math.ceil(place + reach / stretch); k++) {
      const w = weight((k - place) * stretch);
      if (w === 0 || (exclude && (k < 0 || k >= input))) continue;
      taps.push([inside(k), w]);
      total += w;
    }
    return exclude ? taps.map(([k, w]) => [k, w / total] as const) : taps;
  });
}

/** Applies taps along one axis. */
function along(x: Value, axis: number, taps: readonly (Taps | undefined)[], outside: number): Value {
  const { outer, extent, inner } = around(x.shape, axis);
  const shape = x.shape.map((e, k) => (k === axis ? taps.length : e));
  const X = numbers(x);
  const data = new Float64Array(outer * taps.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [row, list] of taps.entries()) {
      for (let i = 0; i < inner; i++) {
        let sum = list ? 0 : outside;
        for (const [k, w] of list ?? []) sum += w * X[(o * extent + k) * inner + i]!;
        data[(o * taps.length + row) * inner + i] = sum;
      }
    }
  }
  return floats(data, shape);
}

/** Extents and scales of every axis from the node's inputs. */
function plans(inputs: readonly (Value | undefined)[], node: Node, opset: number): AxisPlan[] {
  const x = need(inputs, 0, node);
  const rank = x.shape.length;
  const old = opset < 11;
  const axes = (intsOf(node, 'axes') ?? [...x.shape.keys()]).map((axis) => axisOf(node, axis, rank));
  const given = inputs[old ? 1 : 2];
  const scales = given?.data.length ? list(given) : undefined;
  const sizes = !old && inputs[3]?.data.length ? list(inputs[3]) : undefined;
  const roi = !old && inputs[1]?.data.length ? list(inputs[1]) : undefined;
  if (!scales === !sizes) throw fail(node, 'expected scales or sizes, got both or neither');
  const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
  const ratios = sizes?.map((size, k) => size / x.shape[axes[k]!]!);
  const common = ratios && policy !== 'stretch' ? (policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)) : undefined;
  return x.shape.map((input, axis) => {
    const k = axes.indexOf(axis);
    if (k < 0) return { input, output: input, scale: 1, roi: [0, 1] };
    const scale = scales?.[k] ?? common ?? ratios![k]!;
    const output = scales ? Math.floor(input * scale) : common === undefined ? sizes![k]! : Math.round(input * common);
    return { input, output, scale, roi: roi ? [roi[k]!, roi[k + axes.length]!] : [0, 1] };
  });
}

const resize: Kernel = (inputs, node, { opset }) => {
  const x = need(inputs, 0, node);
  // Before operator set 11 there was one way only: asymmetric, floor.
  const attributes = opset < 11 ? { ...oldWay, ...node.attributes } : node.attributes;
  const told = { ...node, attributes };
  const outside = floatOf(told, 'extrapolation_value', 0);
  let y = x;
  for (const [axis, plan] of plans(inputs, told, opset).entries()) {
    const crop = stringOf(told, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
    if (plan.input === plan.output && plan.scale === 1 && !crop) continue;
    const taps = tapsOf(told, plan);
    if (stringOf(told, 'mode', 'nearest') === 'nearest' && !taps.includes(undefined)) y = nearestAlong(y, axis, taps as Taps[]);
    else y = along(y, axis, taps, outside);
  }
  return [y.type === x.type ? y : like(x, Float64Array.from(numbers(y)), y.shape)];
};

/** Nearest neighbours keep the element type. */
function nearestAlong(x: Value, axis: number, taps: readonly Taps[]): Value {
  const { outer, extent, inner } = around(x.shape, axis);
  const at = new Int32Array(outer * taps.length * inner);
  let n = 0;
  for (let o = 0; o < outer; o++) for (const [tap] of taps) for (let i = 0; i < inner; i++) at[n++] = (o * extent + tap![0]) * inner + i;
  return take(
    x,
    at,
    x.shape.map((e, k) => (k === axis ? taps.length : e)),
  );
}

const oldWay = {
  coordinate_transformation_mode: { type: 'string', value: 'asymmetric' },
  nearest_mode: { type: 'string', value: 'floor' },
} as const;

export const resizing: Kernels = {
  Resize: resize,
  Upsample: (inputs, node, context) => resize(inputs, node, { ...context, opset: 10 }),
};
