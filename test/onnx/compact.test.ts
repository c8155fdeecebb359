// Compact files: the tensors that ONNX Runtime, the reference evaluator and afterpass read are those that were packed.
import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { type Attribute, Graph, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { compactModel, decodeModel, encodeModel, expandModel, OnnxModel, readModel } from '../../src/onnx/index.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { node } from '../helpers/models.js';
import { runModel } from '../helpers/ort.js';

const ints = (...value: number[]): Attribute => ({ type: 'ints', value });

/** Numbers of which a share is not zero. */
function few(shape: readonly number[], share: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random.uniform() < share ? random.normal() : 0));
}

/** Conv, Relu, MatMul with sparse weights, and int8 weights behind a DequantizeLinear. */
function network(share: number, seed = 1): Model {
  const graph = new Graph();
  const put = (name: string, ...shape: number[]): string => {
    graph.initializers.set(name, graphTensor('float32', few(shape, share, seed + graph.initializers.size), shape));
    return name;
  };
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 3, 5, 5] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', 7] }];
  node(graph, 'Conv', ['x', put('kernel', 33, 3, 3, 3)], 'a', { kernel_shape: ints(3, 3) });
  node(graph, 'Relu', ['a'], 'b');
  node(graph, 'Flatten', ['b'], 'c');
  node(graph, 'MatMul', ['c', put('matrix', 297, 50)], 'd');
  const integers = few([50, 7], share, 99).map((v) => Math.round(40 * v));
  graph.initializers.set('integers', graphTensor('int8', integers, [50, 7]));
  graph.initializers.set('scale', graphTensor('float32', [0.02], []));
  node(graph, 'DequantizeLinear', ['integers', 'scale'], 'e');
  node(graph, 'MatMul', ['d', 'e'], 'logits');
  return modelOf(graph, 16);
}
const x = graphTensor('float32', new Random(3).fill(new Float32Array(4 * 75)), [4, 3, 5, 5]);

test.each([0, 0.1, 0.5, 0.99])('with a share of %p not zero, ONNX Runtime gives the same bits, optimised or not', async (share) => {
  const plain = network(share);
  const { model, tensors } = compactModel(plain);
  expect(tensors).toEqual(share === 0.99 ? [] : expect.arrayContaining(['kernel', 'matrix']));
  for (const level of ['disabled', 'all'] as const) {
    const want = (await runModel(encodeModel(plain), { x }, level)).logits!;
    expect((await runModel(encodeModel(model), { x }, level)).logits).toEqual(want);
  }
  expect(evaluateModel(model, { x })).toEqual(evaluateModel(plain, { x }));
});

test('ONNX Runtime puts the tensors together when it loads the file: its optimised graph has no node of the packed form', async () => {
  const { model } = compactModel(network(0.3));
  const { InferenceSession } = await import('onnxruntime-node');
  const { mkdtempSync, readFileSync, rmSync } = await import('node:fs');
  const folder = mkdtempSync(`${(await import('node:os')).tmpdir()}/afterpass-compact-`);
  try {
    const optimizedModelFilePath = `${folder}/optimised.onnx`;
    await InferenceSession.create(encodeModel(model), { optimizedModelFilePath, graphOptimizationLevel: 'basic' });
    const { graph } = decodeModel(readFileSync(optimizedModelFilePath));
    expect(graph.nodes.map(({ op }) => op)).not.toEqual(expect.arrayContaining(['CumSum']));
    expect(
      graph.nodes
        .find(({ op }) => op === 'Conv')
        ?.inputs.slice(1)
        .every((name) => graph.initializers.has(name)),
    ).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('expanded again, every tensor is what it was, of any shape and with infinities and NaN', () => {
  const numbers = fc.constantFrom(0, 0, 0, 0, 1.5, -2, Number.NaN, Infinity);
  fc.assert(
    fc.property(fc.array(fc.array(numbers, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 }), (rows) => {
      const graph = new Graph();
      graph.inputs = [{ name: 'x', type: 'float32', shape: [1] }];
      graph.outputs = [{ name: 'y', type: 'float32', shape: undefined }];
      node(graph, 'Identity', ['x'], 'y');
      graph.initializers.set('ballast', graphTensor('float32', new Float32Array(4000), [40, 100]));
      for (const [i, row] of rows.entries()) graph.initializers.set(`t${i}`, graphTensor('float32', [...row, ...new Array(200).fill(0)]));
      const plain = modelOf(graph, 13);
      const file = encodeModel(compactModel(plain).model);
      const back = expandModel(decodeModel(file));
      expect(new Map([...back.graph.initializers].sort())).toEqual(new Map([...graph.initializers].sort()));
      expect(back.graph.nodes).toEqual(plain.graph.nodes);
      expect(compactModel(plain).tensors).toHaveLength(rows.length + 1);
    }),
    { numRuns: 40 },
  );
});

test('half of the numbers take 53 % of the bytes, a tenth 13 %, and a model without zeros stays as it is', () => {
  const bytes = (share: number): number => encodeModel(compactModel(network(share)).model).length / encodeModel(network(1)).length;
  expect(bytes(0.5)).toBeLessThan(0.57);
  expect(bytes(0.1)).toBeLessThan(0.17);
  expect(encodeModel(compactModel(network(1)).model)).toEqual(encodeModel(network(1)));
});

test('a compact file opens as the model it was made from: parameters, gradients, and a plain file when saved', async () => {
  const plain = network(0.4);
  const file = encodeModel(compactModel(plain).model);
  const [a, b] = [await OnnxModel.open(encodeModel(plain)), await OnnxModel.open(file)];
  expect(b.layout.map(({ name, shape }) => [name, shape]).sort()).toEqual(a.layout.map(({ name, shape }) => [name, shape]).sort());
  const batch = { x, y: Int32Array.of(0, 6, 3, 1) };
  const [one, two] = [await a.gradient(batch), await b.gradient(batch)];
  expect(two.value).toBe(one.value);
  expect(Float32Array.from(two.grad).sort()).toEqual(Float32Array.from(one.grad).sort());
  expect(readModel(await b.save()).graph.nodes).toEqual(plain.graph.nodes);
  a.dispose();
  b.dispose();
});

test('an old operator set and a compact model are refused by name', () => {
  const old = network(0.4);
  old.opsets.set('', 12);
  expect(() => compactModel(old)).toThrow(/model: expected ai.onnx 13 or later for a compact file, got 12/);
  expect(() => compactModel(compactModel(network(0.4)).model)).toThrow(/model: expected a plain one, got a compact one/);
});
