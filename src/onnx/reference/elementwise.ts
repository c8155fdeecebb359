// Functions of one element at a time: activations, elementary functions, rounding, tests.
import { sizeOf } from '../../core/tensor.js';
import { acos, acosh, asin, asinh, atan, atanh, cos, cosh, erf, exp, log, log1p, sin, sinh, tan, tanh } from '../../kernels/scalar.js';
import { floatOf, intOf, type Node, stringOf } from '../graph.js';
import { arrayLike, fail, floats, type Kernel, type Kernels, like, need, numbers, ofType, roundEven, type Value } from './value.js';

type Function1 = (x: number) => number;

/** A float operator from its scalar function. */
const float =
  (f: Function1): Kernel =>
  (inputs, node) => {
    const x = need(inputs, 0, node);
    return [floats(Float64Array.from(numbers(x), f), x.shape)];
  };

/** A float operator whose scalar function depends on attributes. */
const withAttributes =
  (make: (node: Node) => Function1): Kernel =>
  (inputs, node, context) =>
    float(make(node))(inputs, node, context);

/** An operator that keeps the element type, integers included. */
const typed =
  (f: Function1): Kernel =>
  (inputs, node) => {
    const x = need(inputs, 0, node);
    return [ofType(x.type, Array.from(numbers(x), f), x.shape)];
  };

/** An operator with a bool result. */
const test =
  (make: (node: Node) => (x: number) => boolean): Kernel =>
  (inputs, node) => {
    const x = need(inputs, 0, node);
    const f = make(node);
    return [{ type: 'bool', data: Uint8Array.from(numbers(x), (e) => (f(e) ? 1 : 0)), shape: x.shape }];
  };

const sigmoid: Function1 = (x) => 1 / (1 + exp(-x));
const softplus: Function1 = (x) => Math.max(x, 0) + log1p(exp(-Math.abs(x)));
const gelu: Function1 = (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const geluTanh: Function1 = (x) => 0.5 * x * (1 + tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));

function clip(inputs: readonly (Value | undefined)[], node: Node, opset: number): Value {
  const x = need(inputs, 0, node);
  const bound = (i: number, name: string, otherwise: number): number => {
    if (opset < 11) return floatOf(node, name, otherwise);
    const value = inputs[i];
    return value && sizeOf(value.shape) > 0 ? numbers(value)[0]! : otherwise;
  };
  const low = bound(1, 'min', -Infinity);
  const high = bound(2, 'max', Infinity);
  // NaN passes through; min above max gives max everywhere (the specification's order).
  const f: Function1 = (e) => Math.min(Math.max(e, low), high);
  return ofType(x.type, Array.from(numbers(x), f), x.shape);
}

function prelu(inputs: readonly (Value | undefined)[], node: Node): Value {
  const x = need(inputs, 0, node);
  const slope = need(inputs, 1, node);
  const data = arrayLike(x, x.data.length);
  const X = numbers(x);
  const S = numbers(slope);
  // Unidirectional broadcasting: trailing axes of the slope against those of x.
  const lead = x.shape.length - slope.shape.length;
  if (lead < 0) throw fail(node, `expected a slope of at most ${x.shape.length} axes, got ${slope.shape.length}`);
  const extent = slope.shape.map((e, axis) => (e === x.shape[axis + lead] || e === 1 ? e : -1));
  if (extent.includes(-1)) throw fail(node, `expected a slope that broadcasts to [${x.shape}], got [${slope.shape}]`);
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let at = 0;
    for (let axis = x.shape.length - 1, step = 1; axis >= lead; axis--) {
      const k = rest % x.shape[axis]!;
      rest = (rest - k) / x.shape[axis]!;
      if (extent[axis - lead] !== 1) at += k * step;
      step *= extent[axis - lead]!;
    }
    data[i] = X[i]! < 0 ? X[i]! * S[at]! : X[i]!;
  }
  return like(x, data, x.shape);
}

export const elementwise: Kernels = {
  Identity: (inputs, node) => [need(inputs, 0, node)],
  Relu: typed((x) => Math.max(x, 0)),
  Abs: typed(Math.abs),
  Neg: typed((x) => -x),
  Sign: typed((x) => (x > 0 ? 1 : x < 0 ? -1 : x)),
  Ceil: float(Math.ceil),
  Floor: float(Math.floor),
  Round: float(roundEven),
  Sqrt: float(Math.sqrt),
  Reciprocal: float((x) => 1 / x),
  Exp: float(exp),
  Log: float(log),
  Erf: float(erf),
  Sin: float(sin),
  Cos: float(cos),
  Tan: float(tan),
  Asin: float(asin),
  Acos: float(acos),
  Atan: float(atan),
  Sinh: float(sinh),
  Cosh: float(cosh),
  Tanh: float(tanh),
  Asinh: float(asinh),
  Acosh: float(acosh),
  Atanh: float(atanh),
  Sigmoid: float(sigmoid),
  Softplus: float(softplus),
  Softsign: float((x) => x / (1 + Math.abs(x))),
  Mish: float((x) => x * tanh(softplus(x))),
  HardSwish: float((x) => x * Math.max(0, Math.min(1, x / 6 + 0.5))),
  Gelu: withAttributes((node) => (stringOf(node, 'approximate', 'none') === 'tanh' ? geluTanh : gelu)),
  Swish: withAttributes((node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => x * sigmoid(alpha * x);
  }),
  LeakyRelu: withAttributes((node) => {
    const alpha = floatOf(node, 'alpha', 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  }),
  ThresholdedRelu: withAttributes((node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => (x > alpha ? x : 0);
  }),
  Elu: withAttributes((node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => (x < 0 ? alpha * (exp(x) - 1) : x);
  }),
  Celu: withAttributes((node) => {
    const alpha = floatOf(node, 'alpha', 1);
    return (x) => Math.max(0, x) + Math.min(0, alpha * (exp(x / alpha) - 1));
  }),
  Selu: withAttributes((node) => {
    const alpha = floatOf(node, 'alpha', 1.6732631921768188); // float32 values, as the specification prints them
    const gamma = floatOf(node, 'gamma', 1.0507010221481323);
    return (x) => gamma * (x > 0 ? x : alpha * (exp(x) - 1));
  }),
  HardSigmoid: withAttributes((node) => {
    const alpha = floatOf(node, 'alpha', 0.2);
    const beta = floatOf(node, 'beta', 0.5);
    return (x) => Math.max(0, Math.min(1, alpha * x + beta));
  }),
  Shrink: withAttributes((node) => {
    const bias = floatOf(node, 'bias', 0);
    const lambda = floatOf(node, 'lambd', 0.5);
    return (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
  }),
  PRelu: (inputs, node) => [prelu(inputs, node)],
  Clip: (inputs, node, { opset }) => [clip(inputs, node, opset)],
  Not: test(() => (x) => x === 0),
  IsNaN: test(() => (x) => Number.isNaN(x)),
  IsInf: test((node) => {
    const up = intOf(node, 'detect_positive', 1) !== 0;
    const down = intOf(node, 'detect_negative', 1) !== 0;
    return (x) => (up && x === Infinity) || (down && x === -Infinity);
  }),
  Dropout: (inputs, node, { outputs }) => {
    const x = need(inputs, 0, node);
    if (inputs[2] && Number(inputs[2].data[0]) !== 0) throw fail(node, 'expected inference, got training_mode = true');
    return outputs > 1 ? [x, { type: 'bool', data: new Uint8Array(x.data.length).fill(1), shape: x.shape }] : [x];
  },
};
