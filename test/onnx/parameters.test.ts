import { Graph, type GraphTensor, type Node } from '../../src/onnx/graph.js';
import { findParameters } from '../../src/onnx/parameters.js';

const float = (...shape: number[]): GraphTensor => ({ type: 'float32', data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape });

function graphOf(nodes: [op: string, inputs: string[], output: string][], initializers: Record<string, GraphTensor>): Graph {
  const graph = new Graph();
  graph.nodes = nodes.map(
    ([op, inputs, output]): Node => ({ op, domain: '', name: `${op}.${output}`, inputs, outputs: [output], attributes: {} }),
  );
  graph.initializers = new Map(Object.entries(initializers));
  return graph;
}

test('weights, biases, scales are found with their node and role; running statistics and constants are not', () => {
  const graph = graphOf(
    [
      ['Conv', ['x', 'w', 'b'], 'c'],
      ['BatchNormalization', ['c', 'gamma', 'beta', 'mean', 'var'], 'n'],
      ['Transpose', ['m'], 'mt'],
      ['MatMul', ['n', 'mt'], 'p'],
      ['Mul', ['p', 'half'], 'h'],
      ['Mul', ['h', 'table'], 't'],
      ['Add', ['t', 'shift'], 'y'],
      ['Gemm', ['y', 'unused'], 'z'],
    ],
    {
      w: float(4, 1, 3, 3),
      b: float(4),
      gamma: float(4),
      beta: float(4),
      mean: float(4),
      var: float(4),
      m: float(6, 5),
      half: float(),
      table: float(5),
      shift: float(5),
      unused: float(5, 5),
    },
  );
  expect(findParameters(graph, 'y')).toEqual([
    { name: 'w', node: 'Conv.c', opType: 'Conv', role: 'weight', shape: [4, 1, 3, 3], offset: 0 },
    { name: 'b', node: 'Conv.c', opType: 'Conv', role: 'bias', shape: [4], offset: 36 },
    { name: 'gamma', node: 'BatchNormalization.n', opType: 'BatchNormalization', role: 'scale', shape: [4], offset: 40 },
    { name: 'beta', node: 'BatchNormalization.n', opType: 'BatchNormalization', role: 'bias', shape: [4], offset: 44 },
    { name: 'm', node: 'MatMul.p', opType: 'MatMul', role: 'weight', shape: [6, 5], offset: 48 },
    { name: 'table', node: 'Mul.t', opType: 'Mul', role: 'scale', shape: [5], offset: 78 },
    { name: 'shift', node: 'Add.y', opType: 'Add', role: 'bias', shape: [5], offset: 83 },
  ]);
});

test('a tied weight is one parameter, called by its first user that makes it one', () => {
  const graph = graphOf(
    [
      ['Gather', ['e', 'ids'], 'h'],
      ['Transpose', ['e'], 'et'],
      ['MatMul', ['h', 'et'], 'y'],
    ],
    { e: float(7, 3) },
  );
  expect(findParameters(graph, 'y').map(({ name, opType, role }) => ({ name, opType, role }))).toEqual([
    { name: 'e', opType: 'Gather', role: 'weight' },
  ]);
});

test('wrt takes all float initializers or a list, and refuses names that are none', () => {
  const ids: GraphTensor = { type: 'int64', data: new BigInt64Array(2), shape: [2] };
  const graph = graphOf(
    [
      ['Gemm', ['x', 'w'], 'g'],
      ['Mul', ['g', 's'], 'y'],
      ['Neg', ['dead'], 'd'],
    ],
    { w: float(2, 2), s: float(), ids, dead: float(3) },
  );
  expect(findParameters(graph, 'y', 'all').map(({ name }) => name)).toEqual(['w', 's']);
  expect(findParameters(graph, 'y', ['s'])).toEqual([{ name: 's', node: 'Mul.y', opType: 'Mul', role: 'other', shape: [], offset: 0 }]);
  expect(() => findParameters(graph, 'y', ['ids'])).toThrow(/wrt: expected names of float initializers, got 'ids'/);
  expect(() => findParameters(graph, 'y', ['dead'])).toThrow(/wrt: expected initializers that 'y' is computed from, got 'dead'/);
});
