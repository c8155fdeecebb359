import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DenseModel } from '../../src/dense/dense-model.js';
import { Graph, graphTensor, modelOf, type Node } from '../../src/onnx/graph.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';
import { goldenFolder } from '../golden/discover.js';
import { expectClose, randomF64 } from '../helpers/close.js';

const node = (op: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): Node => ({
  op,
  domain: '',
  name: `${op}_${output}`,
  inputs,
  outputs: [output],
  attributes,
});

function build(nodes: Node[], constants: Record<string, [ArrayLike<number>, number[]]>) {
  const graph = new Graph();
  graph.nodes = nodes;
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['n', 4] }];
  graph.outputs = [{ name: 'y', type: 'float32', shape: ['n', 2] }];
  for (const [name, [values, shape]] of Object.entries(constants)) graph.initializers.set(name, graphTensor('float32', values, shape));
  return modelOf(graph);
}

const w1 = randomF64(12, 1); // [3, 4]
const b1 = randomF64(3, 2);
const w2 = randomF64(6, 3); // [2, 3]
const x = { data: randomF64(20, 4), shape: [5, 4] };
const turned = (w: Float64Array, rows: number, cols: number) =>
  Float64Array.from({ length: w.length }, (_, i) => w[(i % rows) * cols + Math.floor(i / rows)]!);
const want = (activation: 'gelu' | 'relu' | 'tanh', bias2: ArrayLike<number> = [0, 0]) =>
  DenseModel.create({
    layers: [
      { weight: { data: w1, shape: [3, 4] }, bias: b1, activation },
      { weight: { data: w2, shape: [2, 3] }, bias: Float64Array.from(bias2) },
    ],
    loss: 'cross-entropy',
  }).predict(x);

test('Gemm with and without transposition, alpha and beta gives the same layers', async () => {
  const model = build(
    [
      node('Gemm', ['x', 'w1', 'b1'], 'h', { alpha: { type: 'float', value: 2 }, beta: { type: 'float', value: 0.5 } }),
      node('Relu', ['h'], 'a'),
      node('Gemm', ['a', 'w2'], 'y', { transB: { type: 'int', value: 1 } }),
    ],
    { w1: [turned(w1, 3, 4).map((v) => v / 2), [4, 3]], b1: [b1.map((v) => v * 2), [3]], w2: [w2, [2, 3]] },
  );
  const dense = DenseModel.fromOnnx(encodeModel(model));
  expect(dense.precision).toBe('float32');
  expect(dense.layout.map(({ name, role }) => [name, role])).toEqual([
    ['w1', 'weight'],
    ['b1', 'bias'],
    ['w2', 'weight'],
  ]);
  expect(dense.input).toBe('x');
  expectClose((await dense.predict(x)).data as Float32Array, (await want('relu')).data, { atol: 1e-5 });
});

test('MatMul with an added bias, and gelu spelled by Erf in two ways, are recognised', async () => {
  const constants = {
    w1: [turned(w1, 3, 4), [4, 3]],
    b1: [b1, [3]],
    w2: [turned(w2, 2, 3), [3, 2]],
    b2: [
      [0.5, -0.25],
      [1, 2],
    ],
    root: [[Math.SQRT2], []],
    one: [[1], []],
    half: [[0.5], []],
  } satisfies Record<string, [ArrayLike<number>, number[]]>;
  const head = [
    node('MatMul', ['x', 'w1'], 'm'),
    node('Add', ['b1', 'm'], 'z'),
    node('Div', ['z', 'root'], 's'),
    node('Erf', ['s'], 'e'),
    node('Add', ['e', 'one'], 'g'),
  ];
  const tail = [node('MatMul', ['a', 'w2'], 'n'), node('Add', ['n', 'b2'], 'y')];
  const outside = [node('Mul', ['z', 'g'], 'p'), node('Mul', ['p', 'half'], 'a')];
  const inside = [node('Mul', ['half', 'z'], 'p'), node('Mul', ['p', 'g'], 'a')];
  for (const middle of [outside, inside]) {
    const dense = DenseModel.fromOnnx(build([...head, ...middle, ...tail], constants), { precision: 'float64' });
    expectClose((await dense.predict(x)).data as Float64Array, (await want('gelu', [0.5, -0.25])).data, { atol: 1e-6 });
  }
});

test('the tail after a convolution stops there, and `from` cuts where it says', async () => {
  const nodes = [
    node('Softplus', ['x'], 'f'),
    node('Gemm', ['f', 'w1', 'b1'], 'h', { transB: { type: 'int', value: 1 } }),
    node('Tanh', ['h'], 'a'),
  ];
  const constants = { w1: [w1, [3, 4]], b1: [b1, [3]], w2: [w2, [2, 3]] } satisfies Record<string, [ArrayLike<number>, number[]]>;
  const model = build([...nodes, node('Gemm', ['a', 'w2'], 'y', { transB: { type: 'int', value: 1 } })], constants);
  expect(DenseModel.fromOnnx(model).input).toBe('f');
  const head = DenseModel.fromOnnx(model, { from: 'a' });
  expect([head.input, head.parameterCount]).toEqual(['a', 6]);
  expect(() => DenseModel.fromOnnx(model, { from: 'x' })).toThrow(
    /from: expected a value with only dense layers between it and 'y', got 'x' \(met Softplus\)/,
  );
  expect(() => DenseModel.fromOnnx(build([node('Softplus', ['x'], 'y')], {}))).toThrow(
    /model: expected dense layers before the output 'y', got Softplus/,
  );
});

const models = join(goldenFolder, '..', 'models');
const present = existsSync(models) ? test : test.skip;

present('the breast-cancer file is dense throughout, the digits files have a dense head', () => {
  const read = (name: string) => decodeModel(readFileSync(join(models, name)));
  expect(DenseModel.fromOnnx(read('breast-cancer-mlp.onnx')).parameterCount).toBe(4130);
  for (const name of ['digits-cnn.onnx', 'digits-resnet8.onnx', 'digits-transformer.onnx']) {
    const head = DenseModel.fromOnnx(read(name));
    expect(head.layout.at(-1)!.shape).toEqual([10]);
  }
});
