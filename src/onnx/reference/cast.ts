// Constants, conversions between element types, quantisation.
import { GraphError } from '../../core/errors.js';
import { sizeOf } from '../../core/tensor.js';
import { type ElementType, elementTypes, type GraphTensor, intOf, type Node } from '../graph.js';
import { toBrain, toHalf, widen } from '../tensor-proto.js';
import {
  axisOf,
  fail,
  floats,
  heldType,
  type Kernel,
  type Kernels,
  list,
  longs,
  need,
  numbers,
  ofType,
  roundEven,
  take,
  type Value,
} from './value.js';

/** A value of another held type: towards zero into integers, non-zero into true. */
function convert(x: Value, type: ElementType, node: Node): Value {
  if (x.type === type) return x;
  if (type === 'string' || x.type === 'string') throw fail(node, 'expected numeric types, got string');
  const from = numbers(x);
  if (type === 'bool') return { type, data: Uint8Array.from(from as ArrayLike<number>, (e) => (e !== 0 ? 1 : 0)), shape: x.shape };
  return ofType(type, type === 'float64' ? from : Array.from(from as ArrayLike<number>, Math.trunc), x.shape);
}

/** Floats as a narrow type holds them, ties to even; float32 keeps the evaluator's double precision. */
function rounded(x: Value, type: ElementType | undefined): Value {
  if (type !== 'float16' && type !== 'bfloat16') return x;
  const narrow = type === 'float16' ? toHalf : toBrain;
  const data = Uint16Array.from(x.data as Float64Array, (e) => narrow(Math.fround(e)));
  return floats(Float64Array.from(widen({ type, data, shape: x.shape }).data as Float32Array), x.shape);
}

function constant(node: Node): Value {
  const [attribute] = Object.values(node.attributes);
  if (attribute?.type === 'tensor') return held(attribute.value);
  if (attribute?.type === 'float') return floats(Float64Array.of(attribute.value), []);
  if (attribute?.type === 'floats') return floats(Float64Array.from(attribute.value), [attribute.value.length]);
  if (attribute?.type === 'int') return longs([attribute.value], []);
  if (attribute?.type === 'ints') return longs(attribute.value);
  throw fail(node, `expected a tensor, floats or ints as value, got ${attribute?.type}`);
}

/** A tensor of a graph as the evaluator holds it: floats widened to float64. @throws {GraphError} for types without numbers */
export function held(tensor: GraphTensor): Value {
  const { type, data, shape } = tensor;
  if (type === 'float64' || /^(u?int(8|16|32|64)|bool)$/.test(type)) return { type, data, shape };
  if (type === 'float32') return floats(Float64Array.from(data as Float32Array), shape);
  if (type === 'float16' || type === 'bfloat16') return floats(Float64Array.from(widen(tensor).data as Float32Array), shape);
  throw new GraphError(`element type: expected floats, integers or bool, got ${type}`);
}

/** For every element of x, which scale and zero point apply: one in all, one per index of an axis, or one per block of an axis. */
function scaleIndex(x: Value, scale: Value, node: Node): (i: number) => number {
  if (sizeOf(scale.shape) === 1) return () => 0;
  const axis = axisOf(node, intOf(node, 'axis', 1), x.shape.length);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const extent = x.shape[axis]!;
  if (scale.shape.length <= 1) return (i) => Math.floor(i / inner) % extent;
  const block = intOf(node, 'block_size', 0) || extent;
  const blocks = scale.shape[axis]!;
  return (i) => {
    const row = Math.floor(i / inner);
    return (Math.floor(row / extent) * blocks + Math.floor((row % extent) / block)) * inner + (i % inner);
  };
}

const limits: Partial<Record<ElementType, [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

const quantize: Kernel = (inputs, node) => {
  const [x, scale, zero] = [need(inputs, 0, node), need(inputs, 1, node), inputs[2]];
  const type = zero?.type ?? (intOf(node, 'output_dtype', 0) ? heldType(intOf(node, 'output_dtype', 0)) : 'uint8');
  const range = limits[type];
  if (!range) throw fail(node, `expected a quantised type of 8 or 16 bits, got ${type}`);
  const [X, S, Z, at] = [numbers(x), numbers(scale), zero && numbers(zero), scaleIndex(x, scale, node)];
  const q = Float64Array.from(X as ArrayLike<number>, (e, i) =>
    Math.min(range[1], Math.max(range[0], roundEven(e / S[at(i)]!) + (Z ? Z[at(i)]! : 0))),
  );
  return [ofType(type, q, x.shape)];
};

const dequantize: Kernel = (inputs, node) => {
  const [x, scale, zero] = [need(inputs, 0, node), need(inputs, 1, node), inputs[2]];
  const [X, S, Z, at] = [numbers(x), numbers(scale), zero && numbers(zero), scaleIndex(x, scale, node)];
  return [
    floats(
      Float64Array.from(X as ArrayLike<number>, (q, i) => (q - (Z ? Z[at(i)]! : 0)) * S[at(i)]!),
      x.shape,
    ),
  ];
};

/** One scale and zero point for the whole tensor, from its range with 0 in it. */
const dynamicQuantize: Kernel = (inputs, node) => {
  const x = need(inputs, 0, node);
  const X = numbers(x);
  let [low, high] = [0, 0];
  for (let i = 0; i < X.length; i++) [low, high] = [Math.min(low, X[i]!), Math.max(high, X[i]!)];
  const scale = (high - low) / 255;
  const zero = Math.min(255, Math.max(0, roundEven(scale === 0 ? 0 : -low / scale)));
  const y = Float64Array.from(X as ArrayLike<number>, (e) => Math.min(255, Math.max(0, roundEven(e / scale) + zero)));
  return [ofType('uint8', y, x.shape), floats(Float64Array.of(scale), []), ofType('uint8', [zero], [])];
};

export const conversions: Kernels = {
  Constant: (_, node) => [constant(node)],
  ConstantOfShape: (inputs, node) => {
    const shape = list(need(inputs, 0, node));
    const value = node.attributes.value?.type === 'tensor' ? held(node.attributes.value.value) : floats(Float64Array.of(0), [1]);
    return [take(value, new Int32Array(sizeOf(shape)), shape)];
  },
  Cast: (inputs, node) => {
    const to = intOf(node, 'to', 1);
    return [rounded(convert(need(inputs, 0, node), heldType(to), node), elementTypes[to])];
  },
  CastLike: (inputs, node) => [convert(need(inputs, 0, node), need(inputs, 1, node).type, node)],
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
};
