import { Graph, graphTensor, modelOf } from '../../../src/onnx/graph.js';
import { encodeModel, vjpModel } from '../../../src/onnx/index.js';
import { evaluateModel } from '../../../src/onnx/reference/index.js';
import {
  away,
  distinct,
  each,
  float,
  given,
  ints,
  normal,
  type OperatorCase,
  operatorFamily,
  positive,
} from '../../helpers/operator-cases.js';
import { runModel } from '../../helpers/ort.js';

const windows = (op: string): OperatorCase[] => [
  ...each(
    { op, inputs: [distinct(2, 2, 7)] },
    { kernel_shape: [3] },
    { kernel_shape: [2], strides: [2] },
    { kernel_shape: [3], pads: [1, 1] },
  ),
  ...each(
    { op, inputs: [distinct(1, 2, 6, 7)] },
    { kernel_shape: [2, 2], strides: [2, 2] },
    { kernel_shape: [2, 3], strides: [2, 3] },
    { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
    { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
    { kernel_shape: [3, 3], strides: [2, 3], pads: [1, 1, 1, 1], ceil_mode: 1 },
    { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' },
    { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_LOWER' },
    { kernel_shape: [3, 2], auto_pad: 'VALID' },
  ),
  ...each(
    { op, inputs: [distinct(1, 1, 3, 4, 5)] },
    { kernel_shape: [2, 2, 2] },
    { kernel_shape: [2, 3, 2], strides: [1, 2, 2], pads: [0, 1, 0, 0, 1, 1] },
  ),
];

operatorFamily(
  'MaxPool',
  [
    ...windows('MaxPool'),
    ...each(
      { op: 'MaxPool', inputs: [distinct(1, 2, 7, 8)] },
      { kernel_shape: [2, 3], dilations: [2, 2] },
      { kernel_shape: [3, 3], dilations: [2, 1], strides: [2, 2], pads: [2, 1, 2, 1] },
    ),
    { op: 'MaxPool', inputs: [distinct(2, 2, 6, 5)], attributes: { kernel_shape: [2, 2], strides: [2, 2] }, outputs: 2 },
    // Longer than what is compared axis by axis: by indices.
    { op: 'MaxPool', inputs: [distinct(2, 2, 9)], attributes: { kernel_shape: [6], strides: [2], pads: [2, 1] } },
    // Places counted by columns.
    { op: 'MaxPool', inputs: [distinct(1, 2, 4, 5)], attributes: { kernel_shape: [6, 2], pads: [2, 0, 2, 0], storage_order: 1 } },
    { op: 'MaxPool', inputs: [distinct(2, 2, 4, 5)], attributes: { kernel_shape: [2, 2], storage_order: 1 }, outputs: 2 },
    // Places that no window reads.
    { op: 'MaxPool', inputs: [distinct(1, 2, 8, 7)], attributes: { kernel_shape: [2, 1], strides: [3, 2] } },
    // Windows of pairs that tile the image.
    { op: 'MaxPool', inputs: [distinct(2, 3, 6)], attributes: { kernel_shape: [2], strides: [2] } },
    { op: 'MaxPool', inputs: [distinct(2, 3, 4, 5)], attributes: { kernel_shape: [2, 1], strides: [2, 1] } },
    { op: 'MaxPool', inputs: [distinct(1, 2, 4, 2, 6)], attributes: { kernel_shape: [2, 2, 2], strides: [2, 2, 2] } },
  ],
  0,
);

operatorFamily(
  'AveragePool',
  [
    ...windows('AveragePool'),
    ...each(
      { op: 'AveragePool', inputs: [normal(1, 2, 6, 7)] },
      { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], count_include_pad: 1 },
      { kernel_shape: [3, 3], strides: [2, 3], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 },
    ),
    ...each(
      { op: 'AveragePool', opset: 19, inputs: [normal(1, 2, 7, 8)] },
      { kernel_shape: [2, 3], dilations: [2, 2] },
      { kernel_shape: [2, 2], dilations: [2, 1], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 },
    ),
  ],
  0,
);

operatorFamily(
  'global pooling',
  [
    ...['GlobalAveragePool', 'GlobalMaxPool'].flatMap((op): OperatorCase[] => [
      { op, inputs: [distinct(2, 3, 5)] },
      { op, inputs: [distinct(2, 3, 4, 5)] },
      { op, inputs: [distinct(1, 2, 3, 2, 2)] },
    ]),
    ...each({ op: 'GlobalLpPool', opset: 21, inputs: [away(2, 3, 4, 5)] }, {}, { p: 1 }, { p: 3 }),
  ],
  0,
);

operatorFamily(
  'LpPool',
  [
    ...windows('LpPool').filter(({ attributes }) => !attributes?.ceil_mode && attributes?.auto_pad !== 'SAME_LOWER'),
    ...each(
      { op: 'LpPool', inputs: [positive(1, 2, 6, 7)] },
      { kernel_shape: [2, 2], p: 1 },
      { kernel_shape: [3, 2], p: 3, strides: [2, 1], pads: [1, 1, 1, 0] },
      { kernel_shape: [2, 2], dilations: [2, 1] },
    ),
  ],
  0,
);

operatorFamily('elements put back in their places', [
  {
    op: 'MaxUnpool',
    inputs: [normal(1, 1, 2, 2), ints([5, 7, 13, 15], [1, 1, 2, 2])],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  },
  {
    op: 'MaxUnpool',
    inputs: [normal(1, 2, 2), ints([1, 3, 7, 9], [1, 2, 2]), ints([1, 2, 5])],
    attributes: { kernel_shape: [2], strides: [2] },
  },
  { op: 'Col2Im', inputs: [normal(2, 8, 6), ints([3, 4]), ints([2, 2])] },
  { op: 'Col2Im', inputs: [normal(1, 12, 4), ints([5, 6]), ints([3, 2])], attributes: { strides: [2, 3], pads: [1, 0, 0, 1] } },
  { op: 'Col2Im', inputs: [normal(1, 3, 5), ints([9]), ints([3])], attributes: { dilations: [2] } },
]);

const regions = given('float32', [0.5, 0.7, 5.2, 4.1, 2.1, 1.3, 4.4, 6.9, -0.9, 3.2, 3.3, 7.4], [3, 4], false);
const aligned = { output_height: 2, output_width: 3, sampling_ratio: 2 };
operatorFamily('RoiAlign', [
  { op: 'RoiAlign', inputs: [normal(2, 3, 7, 6), regions, ints([0, 1, 1])], attributes: aligned },
  {
    op: 'RoiAlign',
    opset: 16,
    batch: 0,
    inputs: [normal(2, 3, 7, 6), regions, ints([1, 0, 1])],
    attributes: { ...aligned, sampling_ratio: 1, spatial_scale: float(0.8), coordinate_transformation_mode: 'output_half_pixel' },
  },
  { op: 'RoiAlign', opset: 16, inputs: [normal(2, 3, 7, 6), regions, ints([0, 1, 1])], attributes: { ...aligned, mode: 'max' } },
  {
    op: 'RoiAlign',
    inputs: [normal(2, 2, 7, 6), regions, ints([1, 0, 1])],
    attributes: {
      ...aligned,
      mode: 'max',
      sampling_ratio: 1,
      spatial_scale: float(0.8),
      coordinate_transformation_mode: 'output_half_pixel',
    },
  },
  { op: 'RoiAlign', opset: 10, inputs: [normal(1, 2, 7, 6), regions, ints([0, 0, 0])], attributes: aligned },
]);

test('extents rounded up are written rounded down where that is the same, since shape inference counts windows in the padding', async () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: [1, 1, 3, 5] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: undefined }];
  const ints = (...value: number[]) => ({ type: 'ints' as const, value });
  const attributes = {
    kernel_shape: ints(2, 1),
    strides: ints(1, 3),
    pads: ints(1, 0, 1, 0),
    ceil_mode: { type: 'int' as const, value: 1 },
  };
  graph.nodes = [
    { op: 'AveragePool', domain: '', name: 'pool', inputs: ['x'], outputs: ['p'], attributes },
    { op: 'Exp', domain: '', name: 'exp', inputs: ['p'], outputs: ['y'], attributes: {} },
  ];
  const x = graphTensor('float32', new Float32Array(15).fill(0), [1, 1, 3, 5]);
  const cotangent = graphTensor('float32', new Float32Array(8).fill(1), [1, 1, 4, 2]);
  const { 'grad.x': grad } = await runModel(encodeModel(vjpModel(modelOf(graph, 19), { wrt: 'inputs' })), { x, cotangent });
  expect(Array.from(grad!.data as Float32Array)).toEqual([1.5, 0, 0, 1.5, 0, 1, 0, 0, 1, 0, 1.5, 0, 0, 1.5, 0]);
});

test('a pooled constant is a constant', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: [1, 1, 1] }];
  graph.initializers.set('c', graphTensor('float64', [1, 2, 6], [1, 1, 3]));
  graph.outputs = [{ name: 'y', type: 'float64', shape: undefined }];
  const attributes = { kernel_shape: { type: 'ints' as const, value: [2] } };
  graph.nodes = [
    { op: 'AveragePool', domain: '', name: 'pool', inputs: ['c'], outputs: ['p'], attributes },
    { op: 'Mul', domain: '', name: 'times', inputs: ['x', 'p'], outputs: ['y'], attributes: {} },
  ];
  const written = vjpModel(modelOf(graph), { wrt: 'inputs' });
  expect(written.graph.nodes.map(({ op }) => op)).not.toContain('AveragePool');
  const point = { x: { data: Float64Array.of(3), shape: [1, 1, 1] }, cotangent: { data: Float64Array.of(1, 10), shape: [1, 1, 2] } };
  expect(Array.from(evaluateModel(written, point)['grad.x']!.data as Float64Array)).toEqual([41.5]);
});

test('of equal elements under a window of MaxPool the first in rows takes the whole cotangent', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: [1, 1, 2, 4] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: [1, 1, 1, 2] }];
  const ints = (...value: number[]) => ({ type: 'ints' as const, value });
  const attributes = { kernel_shape: ints(2, 2), strides: ints(2, 2) };
  graph.nodes = [{ op: 'MaxPool', domain: '', name: 'pool', inputs: ['x'], outputs: ['y'], attributes }];
  const point = {
    x: { data: Float64Array.of(1, 1, 0, 3, 1, 1, 3, 3), shape: [1, 1, 2, 4] },
    cotangent: { data: Float64Array.of(5, 7), shape: [1, 1, 1, 2] },
  };
  const { 'grad.x': grad } = evaluateModel(vjpModel(modelOf(graph), { wrt: 'inputs' }), point);
  expect(Array.from(grad!.data as Float64Array)).toEqual([5, 0, 0, 7, 0, 0, 0, 0]);
});

test('of equal elements under overlapping windows the first in rows takes each cotangent', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: [1, 1, 3, 3] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: [1, 1, 2, 2] }];
  const ints = (...value: number[]) => ({ type: 'ints' as const, value });
  const attributes = { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(1, 1, 1, 1) };
  graph.nodes = [{ op: 'MaxPool', domain: '', name: 'pool', inputs: ['x'], outputs: ['y'], attributes }];
  const point = {
    x: { data: Float64Array.of(-1, -1, -2, -1, -1, -1, -1, -1, -1), shape: [1, 1, 3, 3] },
    cotangent: { data: Float64Array.of(2, 3, 5, 7), shape: [1, 1, 2, 2] },
  };
  const { 'grad.x': grad } = evaluateModel(vjpModel(modelOf(graph), { wrt: 'inputs' }), point);
  expect(Array.from(grad!.data as Float64Array)).toEqual([2, 3, 0, 5, 7, 0, 0, 0, 0]);
});
