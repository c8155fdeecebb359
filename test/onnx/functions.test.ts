import { Graph, type Model, modelOf, type Node } from '../../src/onnx/graph.js';
import { encodeModel, unsupportedOps, vjpModel } from '../../src/onnx/index.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { expectClose } from '../helpers/close.js';
import { runModel } from '../helpers/ort.js';

const node = (op: string, inputs: string[], outputs: string[], attributes: Node['attributes'] = {}, domain = ''): Node => ({
  op,
  domain,
  name: '',
  inputs,
  outputs,
  attributes,
});

/** y = leaky(leaky(x)·x) where leaky is a function of the model that calls a second one and hands its attribute on. */
function withFunctions(type: 'float32' | 'float64'): Model {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type, shape: [4] }];
  graph.outputs = [{ name: 'y', type, shape: [4] }];
  graph.nodes = [
    node('Bent', ['x'], ['a'], { slope: { type: 'float', value: 0.25 } }, 'own'),
    node('Mul', ['a', 'x'], ['b']),
    node('Bent', ['b'], ['y'], {}, 'own'),
  ];
  const model = modelOf(graph, 18);
  const opsets = new Map([
    ['', 18],
    ['own', 1],
  ]);
  model.opsets.set('own', 1);
  model.functions = [
    {
      name: 'Bent',
      domain: 'own',
      inputs: ['x'],
      outputs: ['b'],
      attributes: [],
      defaults: { slope: { type: 'float', value: 0.5 } },
      nodes: [node('Inner', ['x'], ['b'], { slope: { type: 'reference', value: 'slope', of: 1 } }, 'own')],
      opsets,
    },
    {
      name: 'Inner',
      domain: 'own',
      inputs: ['a'],
      outputs: ['y'],
      attributes: ['slope'],
      defaults: {},
      nodes: [node('LeakyRelu', ['a'], ['b'], { alpha: { type: 'reference', value: 'slope', of: 1 } }), node('Identity', ['b'], ['y'])],
      opsets,
    },
  ];
  return model;
}

const points = [-2, -0.5, 0.5, 3];
/** leaky with 0.25 of x is positive only for x > 0; its product with x is positive for both signs. */
const values = points.map((x) => (x > 0 ? x : 0.25 * x) * x);
const slopes = points.map((x) => 2 * (x > 0 ? x : 0.25 * x));

test('functions of a model are inlined: names of their own, attributes handed on, defaults where none is given', async () => {
  const model = withFunctions('float64');
  expect(unsupportedOps(model)).toEqual([]);
  const x = { data: Float64Array.from(points), shape: [4] };
  expectClose(evaluateModel(model, { x }).y!.data as Float64Array, values, { rtol: 1e-15 });
  const written = vjpModel(model, { of: 'y', wrt: ['x'] });
  expect(written.functions).toEqual([]);
  const cotangent = { data: Float64Array.of(1, 1, 1, 1), shape: [4] };
  expectClose(evaluateModel(written, { x, cotangent })['grad.x']!.data as Float64Array, slopes, { rtol: 1e-15 });
});

test('ONNX Runtime computes the same from the functions and from the graph written without them', async () => {
  const model = withFunctions('float32');
  const x = { type: 'float32' as const, data: Float32Array.from(points), shape: [4] };
  const cotangent = { ...x, data: new Float32Array(4).fill(1) };
  expectClose((await runModel(encodeModel(model), { x })).y!.data as Float32Array, values, { rtol: 1e-6 });
  const out = await runModel(encodeModel(vjpModel(model, { of: 'y', wrt: ['x'] })), { x, cotangent });
  expectClose(out['grad.x']!.data as Float32Array, slopes, { rtol: 1e-6 });
});

test('an operator without a rule inside a function is reported', () => {
  const model = withFunctions('float32');
  model.functions[1]!.nodes[1]!.op = 'Nonsense';
  expect(unsupportedOps(model).map(({ op }) => op)).toEqual(['Nonsense', 'Nonsense']);
});
