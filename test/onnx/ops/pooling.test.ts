import { Graph, modelOf } from '../../../src/onnx/graph.js';
import { vjpModel } from '../../../src/onnx/index.js';
import { evaluateModel } from '../../../src/onnx/reference/index.js';
import { away, distinct, each, normal, type OperatorCase, operatorFamily, positive } from '../../helpers/operator-cases.js';

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
    // Windows of pairs that tile the image: found by comparisons.
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
