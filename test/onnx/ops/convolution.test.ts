import { Graph, graphTensor, modelOf } from '../../../src/onnx/graph.js';
import { evaluateModel } from '../../../src/onnx/reference/index.js';
import { constant, each, normal, type OperatorCase, operatorFamily } from '../../helpers/operator-cases.js';

const conv = (x: number[], w: number[], attributes: OperatorCase['attributes'] = {}, bias = true): OperatorCase => ({
  op: 'Conv',
  inputs: [normal(...x), normal(...w), ...(bias ? [normal(w[0]!)] : [])],
  attributes,
});

operatorFamily(
  'convolution',
  [
    conv([2, 3, 7], [4, 3, 3]),
    conv([2, 3, 5, 7], [4, 3, 3, 2], {}, false),
    conv([2, 3, 5, 7], [4, 3, 1, 1]),
    conv([1, 2, 4, 5, 3], [3, 2, 2, 3, 2], { strides: [1, 2, 1], pads: [1, 0, 1, 0, 2, 0] }),
    conv([2, 4, 6, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
    conv([2, 4, 6, 5], [4, 1, 3, 3], { group: 4, pads: [1, 0, 2, 1], strides: [2, 1] }),
    conv([2, 3, 6, 5], [6, 1, 3, 3], { group: 3, dilations: [2, 1] }),
    conv([1, 2, 9, 8], [3, 2, 3, 3], { strides: [2, 3], dilations: [2, 1], pads: [2, 1, 1, 0] }),
    conv([1, 2, 9, 8], [3, 2, 3, 3], { strides: [3, 2] }),
    ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].map((auto_pad) => conv([1, 2, 6, 7], [3, 2, 4, 3], { auto_pad, strides: [2, 2] })),
    ...['SAME_UPPER', 'SAME_LOWER'].map((auto_pad) => conv([1, 2, 6], [3, 2, 2], { auto_pad, strides: [1] })),
    conv([1, 2, 3, 3], [3, 2, 3, 3]),
    conv([1, 1, 5, 5], [1, 1, 1, 1], { strides: [2, 2] }),
    { op: 'Conv', inputs: [normal(2, 3, 5, 5), constant(normal(4, 3, 3, 3)), constant(normal(4))], attributes: { pads: [1, 1, 1, 1] } },
  ],
  0,
);

// Eight channels and more: computed kernels on small images go by products, in forms that depend on how many rows there are.
operatorFamily('convolution of many channels with computed kernels', [
  conv([2, 8, 3, 3], [8, 8, 3, 3], { pads: [1, 1, 1, 1] }, false),
  conv([1, 8, 2, 2], [8, 8, 3, 3], { pads: [1, 1, 1, 1] }, false),
  conv([1, 8, 4, 4], [8, 8, 2, 2], { strides: [2, 2] }, false),
  conv([2, 8, 4, 4], [8, 8, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }, false),
  conv([1, 8, 5, 5], [32, 8, 3, 3], { pads: [1, 1, 1, 1] }, false),
]);

const transposed = (x: number[], w: number[], attributes: OperatorCase['attributes'] = {}): OperatorCase => ({
  op: 'ConvTranspose',
  inputs: [normal(...x), normal(...w), normal(w[1]! * ((attributes.group as number) ?? 1))],
  attributes,
});

operatorFamily(
  'transposed convolution',
  [
    transposed([2, 3, 5], [3, 4, 3]),
    transposed([2, 3, 3, 4], [3, 4, 3, 2], { strides: [2, 3] }),
    transposed([2, 3, 3, 4], [3, 2, 2, 2], { strides: [2, 2] }),
    transposed([1, 4, 3, 4], [4, 2, 3, 3], { group: 2, pads: [1, 0, 1, 2] }),
    transposed([1, 2, 3, 4], [2, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 0] }),
    transposed([1, 2, 3, 4], [2, 3, 3, 3], { dilations: [2, 1], strides: [1, 2] }),
    transposed([1, 2, 2, 3, 2], [2, 2, 2, 2, 3], { strides: [2, 1, 2] }),
    transposed([1, 2, 3, 4], [2, 3, 3, 3], { strides: [2, 2], output_shape: [7, 8] }),
    transposed([1, 2, 3, 4], [2, 3, 3, 3], { strides: [2, 2], output_shape: [6, 8], auto_pad: 'SAME_UPPER' }),
    transposed([1, 2, 3, 4], [2, 3, 3, 3], { strides: [2, 2], auto_pad: 'SAME_UPPER' }),
    transposed([1, 2, 3, 4], [2, 3, 3, 3], { strides: [2, 2], auto_pad: 'SAME_LOWER' }),
    transposed([1, 2, 3, 4], [2, 3, 3, 3], { auto_pad: 'VALID' }),
    // A kernel that does not reach over its stride: no wider map under SAME, and an output_shape that is filled up behind.
    transposed([2, 3, 6, 5], [3, 2, 1, 1], { strides: [2, 1], auto_pad: 'SAME_UPPER' }),
    transposed([1, 2, 3, 4], [2, 3, 1, 2], { strides: [3, 2], output_shape: [9, 8] }),
  ],
  0,
);

operatorFamily(
  'convolution kernels with attributes in full',
  each(conv([1, 2, 5, 5], [2, 2, 3, 3]), { kernel_shape: [3, 3], strides: [1, 1], pads: [0, 0, 0, 0] }),
);

test('a transposed convolution whose pads leave nothing is refused by the name of its node', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: [1, 1, 1] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: undefined }];
  graph.initializers.set('w', graphTensor('float64', [1], [1, 1, 1]));
  const attributes = { pads: { type: 'ints' as const, value: [2, 1] } };
  graph.nodes = [{ op: 'ConvTranspose', domain: '', name: 'up', inputs: ['x', 'w'], outputs: ['y'], attributes }];
  const x = { data: new Float64Array(1), shape: [1, 1, 1] };
  expect(() => evaluateModel(modelOf(graph), { x })).toThrow(
    /ConvTranspose 'up': expected shapes that leave a result, got \[1,1,1\] and \[1,1,1\]/,
  );
});
