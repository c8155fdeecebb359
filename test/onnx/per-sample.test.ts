// Per-sample gradients in one run against one run per sample.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/core/random.js';
import { Graph, graphTensor, modelOf } from '../../src/onnx/graph.js';
import { decodeModel, encodeModel, gradientModel, perSampleGradientModel } from '../../src/onnx/index.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { expectClose } from '../helpers/close.js';
import { node, weight } from '../helpers/models.js';
import { runModel } from '../helpers/ort.js';

const models = join(process.env.AFTERPASS_GOLDEN ?? join('..', 'shared', 'golden'), '..', 'models');
const files = existsSync(models) ? readdirSync(models).filter((name) => name.endsWith('.onnx')) : [];

test.each(files)('%s: the gradients of three samples in one run are those of three runs', async (file) => {
  const model = decodeModel(readFileSync(join(models, file)));
  const [input] = model.graph.inputs;
  const shape = input!.shape!.slice(1) as number[];
  const size = shape.reduce((a, b) => a * b, 1);
  const x = new Random(3).fill(new Float32Array(3 * size), 'uniform');
  const labels = [1, 0, 1].map(BigInt);
  const feeds = (from: number, to: number) => ({
    [input!.name]: { type: 'float32' as const, data: x.slice(from * size, to * size), shape: [to - from, ...shape] },
    labels: { type: 'int64' as const, data: BigInt64Array.from(labels.slice(from, to)), shape: [to - from] },
  });
  const all = await runModel(encodeModel(perSampleGradientModel(model, { loss: 'cross-entropy' })), feeds(0, 3));
  const single = encodeModel(gradientModel(model, { loss: 'cross-entropy' }));
  for (let i = 0; i < 3; i++) {
    const one = await runModel(single, feeds(i, i + 1));
    let largest = 0;
    for (const [name, { data }] of Object.entries(one))
      if (name !== 'loss') for (const g of data) largest = Math.max(largest, Math.abs(Number(g)));
    for (const [name, { data, shape: each }] of Object.entries(one)) {
      if (name === 'loss') continue;
      expect(all[name]!.shape).toEqual([3, ...each]);
      const got = all[name]!.data.slice(i * data.length, (i + 1) * data.length);
      let worst = 0;
      for (let j = 0; j < data.length; j++) worst = Math.max(worst, Math.abs(Number(got[j]) - Number(data[j])));
      expect(worst).toBeLessThan(2e-6 * largest);
    }
  }
});

test('samples may leave the first axis in between, as attention exports do, and transposed convolutions are known', () => {
  const graph = new Graph();
  const random = new Random(7);
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 2, 3, 2] }];
  graph.outputs = [{ name: 'logits', type: 'float64', shape: ['N', 3] }];
  const permuted = node(graph, 'Transpose', [node(graph, 'ConvTranspose', ['x', weight(graph, random, 'w', [2, 3, 2, 2])], 'c')], 'p', {
    perm: { type: 'ints', value: [1, 2, 0, 3] },
  });
  const back = node(graph, 'Transpose', [node(graph, 'Tanh', [permuted], 't')], 'q', { perm: { type: 'ints', value: [2, 0, 1, 3] } });
  node(graph, 'MatMul', [node(graph, 'Flatten', [back], 'f'), weight(graph, random, 'v', [36, 3])], 'logits');
  const model = modelOf(graph);
  const x = random.fill(new Float64Array(24));
  const labels = [2, 0];
  const feeds = (from: number, to: number) => ({
    x: { data: x.slice(from * 12, to * 12), shape: [to - from, 2, 3, 2] },
    labels: graphTensor('int64', labels.slice(from, to)),
  });
  const all = evaluateModel(perSampleGradientModel(model, { loss: 'cross-entropy' }), feeds(0, 2));
  for (let i = 0; i < 2; i++) {
    const one = evaluateModel(gradientModel(model, { loss: 'cross-entropy' }), feeds(i, i + 1));
    for (const name of ['grad.w', 'grad.v']) {
      const { data } = one[name]!;
      expectClose((all[name]!.data as Float64Array).slice(i * data.length, (i + 1) * data.length), data as Float64Array, { atol: 1e-14 });
    }
  }
});

test('samples that were merged into an axis from the inside have no per-sample form, and that is said', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 2, 3] }];
  graph.outputs = [{ name: 'logits', type: 'float64', shape: ['N', 4] }];
  const turned = node(graph, 'Transpose', ['x'], 'p', { perm: { type: 'ints', value: [1, 0, 2] } });
  graph.initializers.set('rows', graphTensor('int64', [-1, 3]));
  const rows = node(graph, 'Reshape', [turned, 'rows'], 'r');
  node(graph, 'MatMul', [rows, weight(graph, new Random(1), 'w', [3, 4])], 'm');
  graph.initializers.set('steps', graphTensor('int64', [2, -1, 4]));
  node(graph, 'Reshape', ['m', 'steps'], 's');
  graph.initializers.set('axis', graphTensor('int64', [0]));
  node(graph, 'ReduceSum', ['s', 'axis'], 'logits', { keepdims: { type: 'int', value: 0 } });
  expect(() => perSampleGradientModel(modelOf(graph), { loss: 'cross-entropy' })).toThrow(/MatMul_m: .*take one gradient per sample/);
});
