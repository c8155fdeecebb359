// A float32 model in double precision, for the reference evaluator: the same numbers, wider types.
import { type Attribute, type GraphTensor, graphTensor, type Model, type Node } from '../../src/onnx/graph.js';

const wide = (tensor: GraphTensor): GraphTensor =>
  tensor.type === 'float32' ? graphTensor('float64', Array.from(tensor.data, meant), tensor.shape) : tensor;

/** The number an exporter rounded to float32: the root of an integer, or the shortest decimal that rounds to it; exact numbers stay. */
function meant(value: number | bigint): number {
  const x = Number(value);
  for (const exact of [Math.sqrt(Math.round(x * x)), Math.SQRT1_2, Math.sqrt(2 / Math.PI)]) if (Math.fround(exact) === x) return exact;
  for (let digits = 1; digits <= 7; digits++) if (Math.fround(Number(x.toPrecision(digits))) === x) return Number(x.toPrecision(digits));
  return x;
}

const exactly = (tensor: GraphTensor): GraphTensor =>
  tensor.type === 'float32' ? graphTensor('float64', Array.from(tensor.data, Number), tensor.shape) : tensor;

function wideAttributes({ op, attributes }: Node): Node['attributes'] {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]): [string, Attribute] => {
      if (attribute.type === 'tensor') return [name, { type: 'tensor', value: wide(attribute.value) }];
      if (op === 'Cast' && name === 'to' && attribute.type === 'int' && attribute.value === 1) return [name, { type: 'int', value: 11 }];
      return [name, attribute];
    }),
  );
}

/** The model with every float32 tensor, input and output as float64; constants inside nodes as the number that was meant. */
export function inDouble(model: Model): Model {
  const graph = model.graph.clone();
  graph.initializers = new Map(Array.from(graph.initializers, ([name, tensor]) => [name, exactly(tensor)]));
  for (const list of ['inputs', 'outputs'] as const) {
    graph[list] = graph[list].map((info) => (info.type === 'float32' ? { ...info, type: 'float64' } : info));
  }
  graph.values = new Map();
  graph.nodes = graph.nodes.map((node) => ({ ...node, attributes: wideAttributes(node) }));
  return { ...model, graph };
}
