import { Graph, graphTensor, modelOf } from '../../../src/onnx/graph.js';
import { vjpModel } from '../../../src/onnx/index.js';
import { evaluateModel } from '../../../src/onnx/reference/index.js';
import { expectClose } from '../../helpers/close.js';
import { each, given, normal, type OperatorCase, operatorFamily, positive } from '../../helpers/operator-cases.js';

operatorFamily('quantisation', [
  ...(['uint8', 'int8'] as const).flatMap((type): OperatorCase[] => [
    { op: 'QuantizeLinear', inputs: [normal(3, 4), given('float32', [0.02], []), given(type, [3], [])], zero: true },
    { op: 'DequantizeLinear', inputs: [given(type, [0, 3, 77, 12], [2, 2], false), positive(), given(type, [3], [])] },
    {
      op: 'DequantizeLinear',
      inputs: [given(type, [0, 3, 77, 12], [2, 2], false), positive(2), given(type, [3, 1])],
      attributes: { axis: 0 },
    },
  ]),
  { op: 'QuantizeLinear', inputs: [given('float32', [0.5, 1.5, 2.5, -300, 300], [5], false), given('float32', [1], [])], zero: true },
  ...each(
    { op: 'QuantizeLinear', inputs: [normal(2, 3), given('float32', [0.1, 0.02, 0.3]), given('int8', [0, 1, 2])], zero: true },
    { axis: 1 },
    { axis: -1 },
  ),
  { op: 'DequantizeLinear', inputs: [given('int32', [5, -900], [2], false), positive()] },
  { op: 'DynamicQuantizeLinear', inputs: [normal(3, 4)], outputs: 3, zero: true },
]);

test('through QuantizeLinear and DequantizeLinear the derivative is 1 inside the range of the integers and 0 outside', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: [5] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: [5] }];
  graph.initializers.set('scale', graphTensor('float32', [0.5], []));
  graph.initializers.set('zero', graphTensor('int8', [10], []));
  graph.nodes = [
    { op: 'QuantizeLinear', domain: '', name: 'q', inputs: ['x', 'scale', 'zero'], outputs: ['q'], attributes: {} },
    { op: 'DequantizeLinear', domain: '', name: 'd', inputs: ['q', 'scale', 'zero'], outputs: ['y'], attributes: {} },
  ];
  const written = vjpModel(modelOf(graph), { of: 'y', wrt: ['x'] });
  const x = { data: Float64Array.of(0.3, -80, 57, 60, -1.26), shape: [5] };
  const out = evaluateModel(written, { x, cotangent: { data: Float64Array.of(1, 2, 3, 4, 5), shape: [5] } });
  expectClose(out.y!.data as Float64Array, [0.5, -69, 57, 58.5, -1.5], { atol: 1e-12 });
  expectClose(out['grad.x']!.data as Float64Array, [1, 0, 3, 0, 5], { atol: 1e-12 });
});

test('through DynamicQuantizeLinear and back the derivative is 1', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float32', shape: [4] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: [4] }];
  graph.nodes = [
    { op: 'DynamicQuantizeLinear', domain: '', name: 'q', inputs: ['x'], outputs: ['q', 's', 'z'], attributes: {} },
    { op: 'DequantizeLinear', domain: '', name: 'd', inputs: ['q', 's', 'z'], outputs: ['y'], attributes: {} },
  ];
  const written = vjpModel(modelOf(graph), { of: 'y', wrt: ['x'] });
  const x = { data: Float64Array.of(0.3, -2, 1.4, 0.9), shape: [4] };
  const out = evaluateModel(written, { x, cotangent: { data: Float64Array.of(1, 2, 3, 4), shape: [4] } });
  expectClose(out['grad.x']!.data as Float64Array, [1, 2, 3, 4], { rtol: 1e-12 });
});
