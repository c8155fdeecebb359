// Half-precision models compute in float32 here (ONNX Runtime's CPU has few half kernels) and are written back in half.
import type { Attribute, ElementType, Graph, GraphTensor, Model, ValueInfo } from './graph.js';
import { elementCode } from './graph.js';
import { toHalf, widen } from './tensor-proto.js';

const half = (type: ElementType): boolean => type === 'float16' || type === 'bfloat16';

/** True when a graph holds half-precision parameters or inputs. */
export function isHalf({ initializers, inputs }: Graph): boolean {
  return inputs.some(({ type }) => half(type)) || [...initializers.values()].some(({ type }) => half(type));
}

/** The same model with every half-precision tensor and type in float32. */
export function widened(model: Model): Model {
  const graph = model.graph.clone();
  const wide = (info: ValueInfo): ValueInfo => (half(info.type) ? { ...info, type: 'float32' } : info);
  graph.inputs = graph.inputs.map(wide);
  graph.outputs = graph.outputs.map(wide);
  for (const [name, info] of graph.values) graph.values.set(name, wide(info));
  for (const [name, tensor] of graph.initializers) if (half(tensor.type)) graph.initializers.set(name, widen(tensor));
  for (const node of graph.nodes)
    node.attributes = Object.fromEntries(Object.entries(node.attributes).map(([name, a]) => [name, wideAttribute(node.op, name, a)]));
  return { ...model, graph };
}

function wideAttribute(op: string, name: string, attribute: Attribute): Attribute {
  if (attribute.type === 'tensor' && half(attribute.value.type)) return { ...attribute, value: widen(attribute.value) };
  const target = (op === 'Cast' && name === 'to') || (name === 'dtype' && attribute.type === 'int');
  const code = attribute.type === 'int' && (attribute.value === elementCode('float16') || attribute.value === elementCode('bfloat16'));
  return target && code ? { type: 'int', value: elementCode('float32') } : attribute;
}

/** Numbers in the element type of the file. */
export function narrowed(values: ArrayLike<number>, like: GraphTensor): GraphTensor {
  const { type, shape } = like;
  if (type === 'float16') return { type, shape, data: Uint16Array.from(values, toHalf) };
  if (type === 'bfloat16') return { type, shape, data: brain(Float32Array.from(values)) };
  return { type, shape, data: type === 'float64' ? Float64Array.from(values) : Float32Array.from(values) };
}

/** The upper half of each float32, rounded to nearest even. */
function brain(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer);
  return Uint16Array.from(bits, (b) => (b + 0x7fff + ((b >>> 16) & 1)) >>> 16);
}
