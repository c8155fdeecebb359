import { Graph, graphTensor, modelOf, type Node } from '../../../src/onnx/graph.js';
import { vjpModel } from '../../../src/onnx/index.js';
import { evaluateModel } from '../../../src/onnx/reference/index.js';
import { constant, each, fixed, float, given, ints, normal, type OperatorCase, operatorFamily } from '../../helpers/operator-cases.js';

const i = (...values: number[]) => ints(values);

operatorFamily('shapes', [
  ...[[6, 4], [-1], [2, -1, 2], [0, 12], [0, 0, -1], [1, 24]].map(
    (shape): OperatorCase => ({ op: 'Reshape', inputs: [normal(2, 3, 4), i(...shape)] }),
  ),
  { op: 'Reshape', inputs: [normal(1), ints([], [0])] },
  ...each({ op: 'Flatten', inputs: [normal(2, 3, 4)] }, {}, { axis: 0 }, { axis: 2 }, { axis: -1 }, { axis: 3 }),
  { op: 'Squeeze', inputs: [normal(1, 3, 1, 2), i(0, -2)] },
  { op: 'Squeeze', inputs: [normal(1, 3, 1)] },
  { op: 'Squeeze', opset: 11, inputs: [normal(1, 3, 1)], attributes: { axes: [0] } },
  { op: 'Unsqueeze', inputs: [normal(3, 2), i(0, -1)] },
  { op: 'Unsqueeze', opset: 11, inputs: [normal(3, 2)], attributes: { axes: [1, 3] } },
  ...each({ op: 'Transpose', inputs: [normal(2, 3, 4)] }, {}, { perm: [1, 0, 2] }, { perm: [2, 0, 1] }),
  { op: 'Transpose', inputs: [normal(2, 1, 4, 1)], attributes: { perm: [1, 2, 3, 0] } },
  { op: 'Expand', inputs: [normal(3, 1), i(2, 1, 4)] },
  { op: 'Expand', inputs: [normal(3, 4), i(1)] },
  { op: 'Tile', inputs: [normal(2, 3), i(2, 3)] },
  { op: 'Tile', inputs: [normal(2, 3), i(1, 1)] },
  ...each({ op: 'Shape', inputs: [fixed(normal(2, 3, 4))], zero: true }, {}, { start: 1 }, { start: -2, end: -1 }),
  { op: 'Size', inputs: [fixed(normal(2, 3, 4))], zero: true },
]);

const parts = (...extents: number[]): OperatorCase['inputs'] => extents.map((extent) => normal(2, extent, 3));

operatorFamily('joins, cuts, borders', [
  { op: 'Concat', inputs: parts(1, 2, 3), attributes: { axis: 1 } },
  { op: 'Concat', inputs: parts(2, 2), attributes: { axis: -1 } },
  { op: 'Concat', inputs: parts(2), attributes: { axis: 0 } },
  { op: 'Split', inputs: [normal(2, 6), i(1, 3, 2)], attributes: { axis: 1 }, outputs: 3, of: [0, 1, 2] },
  { op: 'Split', inputs: [normal(4, 2)], attributes: { num_outputs: 2 }, outputs: 2, of: [1] },
  { op: 'Split', inputs: [normal(5, 2)], attributes: { num_outputs: 3 }, outputs: 3, of: [2] },
  { op: 'Split', opset: 11, inputs: [normal(5, 2)], attributes: { split: [2, 3] }, outputs: 2, of: [1] },
  { op: 'Split', opset: 13, inputs: [normal(4, 2)], outputs: 2, of: [0] },
  { op: 'Slice', inputs: [normal(4, 5), i(1, 0), i(3, 4)] },
  { op: 'Slice', inputs: [normal(4, 5), i(1), i(1000), i(-1)] },
  { op: 'Slice', inputs: [normal(4, 5), i(0), i(-1), i(1), i(2)] },
  { op: 'Slice', inputs: [normal(4, 5), i(-1), i(-1000), i(1), i(-1)] },
  { op: 'Slice', inputs: [normal(4, 7), i(5), i(0), i(1), i(-2)] },
  { op: 'Slice', inputs: [normal(4, 3), i(-9), i(-100), i(0), i(-1)], title: 'a start before the first element' },
  { op: 'Slice', inputs: [normal(4, 7), i(-3, 6), i(4, 1), i(0, 1), i(2, -3)] },
  { op: 'Slice', opset: 9, inputs: [normal(4, 5)], attributes: { starts: [1], ends: [-1], axes: [1] } },
  { op: 'Slice', batch: 1, inputs: [normal(2, 5, 3), i(0), i(1), i(1)] },
  { op: 'Slice', batch: 0, inputs: [normal(5, 3), i(1), i(2 ** 53), i(0)] },
  { op: 'Slice', batch: 0, inputs: [normal(5, 3), i(-1), i(-1000), i(0), i(-1)] },
  { op: 'Pad', inputs: [normal(2, 3), i(1, 0, 2, 1)] },
  { op: 'Pad', inputs: [normal(2, 3), i(1, 0, 2, 1), constant(normal())] },
  { op: 'Pad', inputs: [normal(3, 4), i(-1, 1, 0, -2)] },
  { op: 'Pad', inputs: [normal(2, 3), i(2, 1), given('float32', [0.5], []), i(-1)] },
  ...each({ op: 'Pad', inputs: [normal(3, 4), i(2, 1, 1, 3)] }, { mode: 'reflect' }, { mode: 'edge' }),
  { op: 'Pad', opset: 19, inputs: [normal(3, 4), i(2, 1, 1, 3)], attributes: { mode: 'wrap' } },
  { op: 'Pad', opset: 10, inputs: [normal(2, 3)], attributes: { pads: [1, 0, 2, 1], value: float(0.5) } },
]);

operatorFamily('rearrangements', [
  ...each({ op: 'DepthToSpace', inputs: [normal(2, 8, 2, 3)], attributes: { blocksize: 2 } }, {}, { mode: 'CRD' }),
  { op: 'SpaceToDepth', inputs: [normal(2, 3, 4, 6)], attributes: { blocksize: 2 } },
  ...each({ op: 'Trilu', inputs: [normal(2, 3, 4)] }, {}, { upper: 0 }),
  ...[1, -1].map((k): OperatorCase => ({ op: 'Trilu', inputs: [normal(4, 3), given('int64', [k], [])], attributes: { upper: 0 } })),
  { op: 'ReverseSequence', inputs: [normal(4, 3, 2), i(4, 2, 1)] },
  { op: 'ReverseSequence', inputs: [normal(3, 4), i(4, 2, 1)], attributes: { batch_axis: 0, time_axis: 1 } },
  { op: 'Compress', inputs: [normal(3, 4), given('bool', [1, 0, 1])], attributes: { axis: 0 } },
  { op: 'Compress', inputs: [normal(3, 2), given('bool', [0, 1, 1, 0, 1])] },
]);

test.each([
  ['DepthToSpace', [1, 2, 4, 4], { blocksize: 2 }, /DepthToSpace 'moved'.*multiple.* of 4, got 2/],
  ['SpaceToDepth', [1, 2, 4, 5], { blocksize: 2 }, /SpaceToDepth 'moved'.*multiple.* of 2, got/],
  ['SpaceToDepth', [1, 2, 'H', 4], { blocksize: 2 }, /SpaceToDepth 'moved'.*multiple of 2, got H/],
  ['Reshape', [1, 3], {}, /Reshape 'moved': expected a shape of 3 elements, got \[2/],
] as const)('%s of [%s] is refused with the name of the node', (op, shape, attributes, message) => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape }];
  if (op === 'Reshape') graph.initializers.set('to', graphTensor('int64', [2, -1]));
  graph.outputs = [{ name: 'y', type: 'float64', shape: undefined }];
  const values = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { type: 'int' as const, value }]));
  graph.nodes = [{ op, domain: '', name: 'moved', inputs: op === 'Reshape' ? ['x', 'to'] : ['x'], outputs: ['y'], attributes: values }];
  const model = modelOf(graph);
  expect(() => vjpModel(model, { wrt: 'inputs' })).toThrow(message);
  if (shape.some((extent) => typeof extent === 'string')) return;
  const x = { data: new Float64Array((shape as readonly number[]).reduce((p, q) => p * q, 1)), shape: shape as readonly number[] };
  expect(() => evaluateModel(model, { x })).toThrow(op === 'DepthToSpace' ? /'moved'.*multiples of 4, got 2/ : message);
});

test.each([
  ['Slice', [1, -1], /Slice 'moved': expected a known extent on axis 0 of x to slice, got N/],
  ['Pad', [1, 1], /Pad 'moved': expected a known extent on axis 0 of x to pad, got N/],
] as const)('%s of an open extent that has to be known is refused with the name of the node', (op, [first, second], message) => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N'] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: undefined }];
  graph.initializers.set('a', graphTensor('int64', op === 'Pad' ? [first, second] : [-3]));
  graph.initializers.set('b', graphTensor('int64', [second]));
  const attributes: Node['attributes'] = op === 'Pad' ? { mode: { type: 'string', value: 'reflect' } } : {};
  graph.nodes = [{ op, domain: '', name: 'moved', inputs: op === 'Pad' ? ['x', 'a'] : ['x', 'a', 'b'], outputs: ['y'], attributes }];
  expect(() => vjpModel(modelOf(graph), { wrt: 'inputs' })).toThrow(message);
});
