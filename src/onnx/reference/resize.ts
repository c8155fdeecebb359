// Resize and its older form Upsample: one pass per axis, each output position a short weighted sum of inputs.
import { floatOf, intsOf, type Node, stringOf } from '../graph.js';
import { type AxisPlan, type Taps, tapsOf } from '../interpolation.js';
import { around, axisOf, fail, floats, type Kernel, type Kernels, like, list, need, numbers, take, type Value } from './value.js';

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
