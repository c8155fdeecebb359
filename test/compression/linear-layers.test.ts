// Layers as matrices: rows of inputs times the matrix are the layer's outputs, for every way a layer can be written.
import { inputRows, linearLayers, matrixOf, weightsOf } from '../../src/compression/linear-layers.js';
import { Random } from '../../src/core/random.js';
import { type Attribute, Graph, modelOf } from '../../src/onnx/graph.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { node, weight } from '../helpers/models.js';

const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
const int = (value: number): Attribute => ({ type: 'int', value });
const text = (value: string): Attribute => ({ type: 'string', value });

test.each([
  ['Conv', [2, 4, 5, 6], [6, 4, 3, 3], { kernel_shape: ints(3, 3), pads: ints(1, 0, 2, 1), strides: ints(2, 1) }],
  ['Conv', [2, 4, 7, 7], [6, 2, 2, 3], { kernel_shape: ints(2, 3), dilations: ints(2, 2), group: int(2) }],
  ['Conv', [3, 2, 9], [4, 2, 4], { kernel_shape: ints(4), auto_pad: text('SAME_UPPER'), strides: ints(2) }],
  ['Conv', [3, 2, 8], [4, 2, 4], { kernel_shape: ints(4), auto_pad: text('SAME_LOWER') }],
  ['Conv', [1, 2, 4, 4, 4], [3, 2, 2, 2, 2], { kernel_shape: ints(2, 2, 2), auto_pad: text('VALID') }],
  ['Conv', [2, 3, 5, 4], [4, 3, 3, 2], { pads: ints(1, 0, 1, 1) }], // kernel_shape may be left out
  ['Gemm', [5, 3], [4, 3], { transB: int(1) }],
  ['Gemm', [5, 3], [3, 4], {}],
  ['MatMul', [2, 5, 3], [3, 4], {}],
] as const)('%s of %j with %j, %j', (op, from, shape, attributes) => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: [...from] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: undefined }];
  node(graph, op, ['x', weight(graph, new Random(1), 'w', [...shape])], 'y', attributes as never);
  const x = {
    data: randomF64(
      from.reduce((a: number, b) => a * b, 1),
      2,
    ),
    shape: [...from],
  };
  const y = evaluateModel(modelOf(graph, 13), { x }).y!;
  const [layer] = linearLayers(graph);
  const { groups, rows, cols } = layer!;
  const spots = y.data.length / (rows * groups); // samples times places
  const places = op === 'Conv' ? y.shape.slice(2).reduce((a, b) => a * b, 1) : 1;
  for (let g = 0; g < groups; g++) {
    const W = matrixOf(layer!, weightsOf(graph, layer!), g).data;
    const X = inputRows(layer!, x, Infinity, g);
    expect(X.shape).toEqual([spots, cols]);
    const got: number[] = [];
    const want: number[] = [];
    for (let s = 0; s < spots; s++) {
      for (let r = 0; r < rows; r++) {
        let sum = 0;
        for (let c = 0; c < cols; c++) sum += W[r * cols + c]! * X.data[s * cols + c]!;
        got.push(sum);
        const [sample, place] = [Math.floor(s / places), s % places];
        want.push(Number(y.data[(sample * rows * groups + g * rows + r) * places + place]));
      }
    }
    expectClose(got, want, { rtol: 1e-10, atol: 1e-12 });
  }
  const some = inputRows(layer!, x, 3);
  expect(some.shape[0]).toBe(3);
  expect(Array.from(some.data.subarray(0, cols))).toEqual(Array.from(inputRows(layer!, x, Infinity).data.subarray(0, cols)));
});

test('products of two values, transposed inputs and half-precision constants are no such layers; shapes that do not fit are refused', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 3] }];
  node(graph, 'MatMul', ['x', 'x'], 'a');
  node(graph, 'Gemm', ['x', weight(graph, new Random(1), 'w', [3, 4])], 'b', { transA: int(1) });
  node(graph, 'MatMul', [weight(graph, new Random(1), 'v', [3, 3]), 'x'], 'c');
  expect(linearLayers(graph)).toEqual([]);
  node(graph, 'Gemm', ['x', 'w'], 'd');
  const [layer] = linearLayers(graph);
  expect(() => inputRows(layer!, { data: new Float64Array(8), shape: [2, 4] }, 5)).toThrow(
    /x: expected values of 3 columns, got shape \[2, 4\]/,
  );
});
