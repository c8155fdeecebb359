// Small models for tests, as graphs in memory.
import { Random } from '../../src/core/random.js';
import { sizeOf } from '../../src/core/tensor.js';
import { type Attribute, type ElementType, Graph, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { toHalf } from '../../src/onnx/tensor-proto.js';

/** Adds a node with one output to a graph. */
export function node(
  graph: Graph,
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, Attribute> = {},
  domain = '',
): string {
  graph.nodes.push({ op, domain, name: `${op}_${output}`, inputs, outputs: [output], attributes });
  return output;
}

/** Adds a normal random initializer. */
export function weight(graph: Graph, random: Random, name: string, shape: number[], type: ElementType = 'float64', scale = 0.6): string {
  const values = random.fill(new Float64Array(sizeOf(shape))).map((v) => scale * v);
  graph.initializers.set(name, graphTensor(type, type === 'float16' ? Array.from(values, toHalf) : values, shape));
  return name;
}

/** x [N, 3] → Gemm, Tanh, Gemm → logits [N, 4], in float64 unless told. */
export function mlp(type: ElementType = 'float64', seed = 1): Model {
  const graph = new Graph();
  const random = new Random(seed);
  graph.inputs = [{ name: 'x', type, shape: ['N', 3] }];
  graph.outputs = [{ name: 'logits', type, shape: ['N', 4] }];
  const transposed: Record<string, Attribute> = { transB: { type: 'int', value: 1 } };
  node(graph, 'Gemm', ['x', weight(graph, random, 'w1', [5, 3], type), weight(graph, random, 'b1', [5], type)], 'h', transposed);
  node(graph, 'Tanh', ['h'], 't');
  node(graph, 'Gemm', ['t', weight(graph, random, 'w2', [4, 5], type), weight(graph, random, 'b2', [4], type)], 'logits', transposed);
  return modelOf(graph);
}

/** Two inputs, a [N, 3] and b [N, 2]: logits = tanh(a·u + b·v)·w. */
export function twoInputs(type: ElementType = 'float64'): Model {
  const graph = new Graph();
  const random = new Random(5);
  graph.inputs = [
    { name: 'a', type, shape: ['N', 3] },
    { name: 'b', type, shape: ['N', 2] },
  ];
  graph.outputs = [{ name: 'logits', type, shape: ['N', 3] }];
  node(graph, 'MatMul', ['a', weight(graph, random, 'u', [3, 4], type)], 'au');
  node(graph, 'MatMul', ['b', weight(graph, random, 'v', [2, 4], type)], 'bv');
  node(graph, 'Add', ['au', 'bv'], 's');
  node(graph, 'Tanh', ['s'], 't');
  node(graph, 'MatMul', ['t', weight(graph, random, 'w', [4, 3], type)], 'logits');
  return modelOf(graph);
}

/** x [N, 1, 8, 8] → Conv, Relu, MaxPool, strided Conv, Relu, global mean, Gemm → logits [N, 3]. */
export function convolutional(type: ElementType = 'float64'): Model {
  const graph = new Graph();
  const random = new Random(3);
  const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
  graph.inputs = [{ name: 'x', type, shape: ['N', 1, 8, 8] }];
  graph.outputs = [{ name: 'logits', type, shape: ['N', 3] }];
  const pads = ints(1, 1, 1, 1);
  const first = [weight(graph, random, 'k1', [4, 1, 3, 3], type), weight(graph, random, 'c1', [4], type)];
  const second = [weight(graph, random, 'k2', [6, 4, 3, 3], type), weight(graph, random, 'c2', [6], type)];
  node(graph, 'Conv', ['x', ...first], 'h', { kernel_shape: ints(3, 3), pads });
  node(graph, 'Relu', ['h'], 'r');
  node(graph, 'MaxPool', ['r'], 'p', { kernel_shape: ints(2, 2), strides: ints(2, 2) });
  node(graph, 'Conv', ['p', ...second], 's', { kernel_shape: ints(3, 3), strides: ints(2, 2), pads });
  node(graph, 'Relu', ['s'], 't');
  node(graph, 'GlobalAveragePool', ['t'], 'm');
  node(graph, 'Flatten', ['m'], 'f');
  const head = [weight(graph, random, 'w', [3, 6], type), weight(graph, random, 'b', [3], type)];
  node(graph, 'Gemm', ['f', ...head], 'logits', { transB: { type: 'int', value: 1 } });
  return modelOf(graph);
}
