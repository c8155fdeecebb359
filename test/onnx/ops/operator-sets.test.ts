// One form per operator is emitted whatever the operator set of the model: the oldest sets, whose attributes became inputs later.
import { Graph, modelOf } from '../../../src/onnx/graph.js';
import { hvpModel } from '../../../src/onnx/index.js';
import { evaluateModel } from '../../../src/onnx/reference/index.js';
import {
  distinct,
  float,
  given,
  ints,
  normal,
  type OperatorCase,
  operatorFamily,
  positive,
  strings,
} from '../../helpers/operator-cases.js';

const old = (cases: OperatorCase[], opset: number): OperatorCase[] => cases.map((c) => ({ ...c, opset }));

operatorFamily(
  'operator set 9',
  old(
    [
      { op: 'TopK', inputs: [distinct(3, 5)], attributes: { k: 2, axis: 1 }, outputs: 2 },
      { op: 'Dropout', inputs: [normal(2, 3)], attributes: { ratio: float(0.3) } },
      { op: 'Gemm', inputs: [normal(2, 3), normal(4, 3), normal(4)], attributes: { transB: 1 } },
      {
        op: 'Conv',
        inputs: [normal(1, 2, 5, 5), normal(3, 2, 3, 3), normal(3)],
        attributes: { kernel_shape: [3, 3], auto_pad: 'SAME_LOWER' },
      },
      { op: 'MaxPool', inputs: [distinct(1, 2, 5, 5)], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
      { op: 'AveragePool', inputs: [normal(1, 2, 5, 5)], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
      { op: 'ReduceMean', inputs: [normal(2, 3, 4)], attributes: { axes: [1, 2], keepdims: 0 } },
      { op: 'ReduceL2', inputs: [normal(2, 3, 4)], attributes: { axes: [2] } },
      { op: 'Squeeze', inputs: [normal(2, 1, 3)], attributes: { axes: [1] } },
      { op: 'Unsqueeze', inputs: [normal(2, 3)], attributes: { axes: [0, 2] } },
      { op: 'Split', inputs: [normal(5, 2)], attributes: { axis: 0, split: [2, 3] }, outputs: 2, of: [0, 1] },
      { op: 'Slice', inputs: [normal(4, 5)], attributes: { starts: [1, -2], ends: [3, 100], axes: [0, 1] } },
      { op: 'Pad', inputs: [normal(2, 3)], attributes: { pads: [0, 1, 1, 0], mode: 'reflect' } },
      { op: 'Clip', inputs: [distinct(7)], attributes: { min: float(-0.2) } },
      { op: 'Upsample', inputs: [normal(1, 1, 2, 3), given('float32', [1, 1, 2, 2])], attributes: { mode: 'linear' } },
      {
        op: 'BatchNormalization',
        inputs: [normal(2, 3, 4), normal(3), normal(3), normal(3), positive(3)],
        attributes: { momentum: float(0.9) },
      },
      { op: 'Softmax', inputs: [normal(2, 3, 4)] },
      { op: 'OneHot', inputs: [given('int64', [1, 0, 2], [3], false), ints([3], []), normal(2)] },
      { op: 'Scatter', inputs: [normal(3, 3), given('int64', [2, 0, 1], [1, 3], false), normal(1, 3)] },
      {
        op: 'LSTM',
        inputs: [normal(3, 2, 2), normal(1, 8, 2), normal(1, 8, 2)],
        attributes: { hidden_size: 2, activations: strings('Sigmoid', 'Tanh', 'Tanh') },
      },
    ],
    9,
  ),
);

operatorFamily('operator sets 11 and 12', [
  ...old(
    [
      { op: 'Softmax', inputs: [normal(2, 3, 4)], attributes: { axis: 2 } },
      { op: 'LogSoftmax', inputs: [normal(2, 3, 4)] },
      { op: 'Clip', inputs: [distinct(7), given('float32', [-0.2], [])] },
      { op: 'Pad', inputs: [normal(2, 3), ints([1, 0, 0, 2]), given('float32', [0.5], [])] },
      { op: 'ReduceSum', inputs: [normal(2, 3, 4)], attributes: { axes: [-1] } },
      { op: 'Resize', inputs: [normal(1, 1, 2, 3), given('float32', []), given('float32', [1, 1, 2, 2])], attributes: { mode: 'linear' } },
      { op: 'TopK', inputs: [distinct(3, 5), ints([2])], attributes: { largest: 0 }, outputs: 2 },
      { op: 'CumSum', inputs: [normal(3, 2), ints([0], [])] },
    ],
    11,
  ),
  ...old(
    [
      { op: 'Dropout', inputs: [normal(2, 3), given('float32', [0.4], [])] },
      { op: 'Einsum', inputs: [normal(2, 3), normal(3, 2)], attributes: { equation: 'ij,jk->ik' } },
      { op: 'Hardmax', inputs: [distinct(2, 2, 3)], zero: true },
      { op: 'GatherND', inputs: [normal(2, 3, 2), ints([1, 2], [2, 1])], attributes: { batch_dims: 1 } },
    ],
    12,
  ),
]);

test('Hardmax keeps its old meaning, one largest element from an axis on, in models written in newer sets', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: [2, 2, 2] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: [1] }];
  const axes = { type: 'ints' as const, value: [0, 1, 2] };
  graph.nodes = [
    { op: 'Hardmax', domain: '', name: '', inputs: ['x'], outputs: ['h'], attributes: {} },
    { op: 'Mul', domain: '', name: '', inputs: ['x', 'x'], outputs: ['q'], attributes: {} },
    { op: 'Mul', domain: '', name: '', inputs: ['h', 'q'], outputs: ['m'], attributes: {} },
    { op: 'ReduceSum', domain: '', name: '', inputs: ['m'], outputs: ['y'], attributes: { axes } },
  ];
  const x = { data: Float64Array.of(1, 2, 3, 4, 8, 7, 6, 5), shape: [2, 2, 2] };
  const tangent = { data: new Float64Array(8).fill(1), shape: [2, 2, 2] };
  const { 'hvp.x': product } = evaluateModel(hvpModel(modelOf(graph, 9), { wrt: 'inputs' }), {
    x,
    'tangent.x': tangent,
    cotangent: { data: Float64Array.of(1), shape: [1, 1, 1] },
  });
  expect(Array.from(product!.data as Float64Array)).toEqual([0, 0, 0, 2, 2, 0, 0, 0]);
});
