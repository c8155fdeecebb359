// Losses as graph nodes against their formulas in plain numbers, and their gradients against differences, in double precision.
import type { Tensor } from '../../src/core/tensor.js';
import { binaryCrossEntropy, huber, mse } from '../../src/losses/index.js';
import { registry } from '../../src/losses/registry.js';
import { Graph, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { gradientModel, hvpModel, type LossSpec, lossNames, perSampleGradientModel } from '../../src/onnx/index.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

/** logits = x. */
function identity(shape: (number | string)[]): Model {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape }];
  graph.outputs = [{ name: 'logits', type: 'float64', shape }];
  graph.nodes = [{ op: 'Identity', domain: '', name: 'same', inputs: ['x'], outputs: ['logits'], attributes: {} }];
  return modelOf(graph);
}

interface Places {
  logits: number[][];
  labels: number[];
  sample: number[];
}

/** Mean cross-entropy over places: Σ w·(…)/Σ w, as PyTorch defines it. */
function crossEntropy({ logits, labels, sample }: Places, spec: LossSpec, weights?: ArrayLike<number>): number {
  const { ignoreIndex, labelSmoothing = 0, classWeights } = spec;
  let total = 0;
  let weight = 0;
  logits.forEach((z, i) => {
    const label = labels[i]!;
    if (label === ignoreIndex) return;
    const top = Math.max(...z);
    const logSum = top + Math.log(z.reduce((s, v) => s + Math.exp(v - top), 0));
    const w = (c: number): number => (classWeights?.[c] ?? 1) * (weights?.[sample[i]!] ?? 1);
    total += (1 - labelSmoothing) * w(label) * (logSum - z[label]!);
    z.forEach((v, c) => {
      total += (labelSmoothing / z.length) * w(c) * (logSum - v);
    });
    weight += w(label);
  });
  return total / weight;
}

const specs: LossSpec[] = [
  { name: 'cross-entropy' },
  { name: 'cross-entropy', ignoreIndex: -100 },
  { name: 'cross-entropy', ignoreIndex: 1 },
  { name: 'cross-entropy', labelSmoothing: 0.2 },
  { name: 'cross-entropy', classWeights: [0.5, 2, 1.5, 0.25] },
  { name: 'cross-entropy', ignoreIndex: -100, labelSmoothing: 0.1, classWeights: [0.5, 2, 1.5, 0.25] },
];

/** Logits of every rank the loss takes, and how their places lie. */
const layouts: Record<string, { shape: number[]; classAxis: number }> = {
  '[n, k]': { shape: [5, 4], classAxis: 1 },
  '[n, t, k]': { shape: [3, 2, 4], classAxis: 2 },
  '[n, k, h, w]': { shape: [2, 4, 2, 3], classAxis: 1 },
};

function placesOf(x: ArrayLike<number>, shape: number[], classAxis: number, labels: number[]): Places {
  const inner = shape.slice(classAxis + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, classAxis).reduce((a, b) => a * b, 1);
  const k = shape[classAxis]!;
  const logits: number[][] = [];
  const sample: number[] = [];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      logits.push(Array.from({ length: k }, (_, c) => x[(o * k + c) * inner + i]!));
      sample.push(Math.floor(o / (outer / shape[0]!)));
    }
  }
  return { logits, labels, sample };
}

for (const [layout, { shape, classAxis }] of Object.entries(layouts)) {
  describe(`cross-entropy on ${layout}`, () => {
    const size = shape.reduce((a, b) => a * b, 1);
    const count = size / 4;
    const x = randomF64(size, 3);
    const open = ['N', ...shape.slice(1)];
    const labelShape = shape.filter((_, axis) => axis !== classAxis);
    test.each(specs)('%j is its formula, its gradient the derivative', (spec) => {
      const labels = Array.from({ length: count }, (_, i) => (i === 1 && spec.ignoreIndex !== undefined ? spec.ignoreIndex : (i * 7) % 4));
      const sampleWeight = randomF64(shape[0]!, 8).map((v) => 0.5 + Math.abs(v));
      for (const weighted of [false, true]) {
        const feeds = {
          x: { data: x, shape },
          labels: graphTensor('int64', labels, labelShape),
          sample_weight: { data: sampleWeight, shape: [shape[0]!] },
        };
        const f = (at: ArrayLike<number>): number =>
          crossEntropy(placesOf(at, shape, classAxis, labels), spec, weighted ? sampleWeight : undefined);
        const out = evaluateModel(gradientModel(identity(open), { loss: spec, wrt: 'inputs', sampleWeights: weighted }), feeds);
        expectClose(out.loss!.data as Float64Array, [f(x)], { rtol: 1e-12 });
        expectClose(out['grad.x']!.data as Float64Array, numericalGradient(f, x), { atol: 1e-9 });
        const sums = evaluateModel(
          gradientModel(identity(open), { loss: spec, wrt: 'inputs', sampleWeights: weighted, reduction: 'sum' }),
          feeds,
        );
        const scaled = (sums['grad.x']!.data as Float64Array).map((g) => g / Number(sums.weight!.data[0]));
        expectClose(scaled, out['grad.x']!.data as Float64Array, { rtol: 1e-12, atol: 1e-15 });
      }
    });
  });
}

test('mse is the mean over samples and outputs with factor 1, weighted by sample', () => {
  const [x, y] = [randomF64(12, 1), randomF64(12, 2)];
  const weights = Float64Array.of(1, 0.5, 2);
  const feeds = { x: { data: x, shape: [3, 4] }, targets: { data: y, shape: [3, 4] }, sample_weight: { data: weights, shape: [3] } };
  for (const weighted of [false, true]) {
    const w = weighted ? weights : Float64Array.of(1, 1, 1);
    const total = x.reduce((sum, v, i) => sum + w[Math.floor(i / 4)]! * (v - y[i]!) ** 2, 0);
    const divisor = 4 * w.reduce((a, b) => a + b, 0);
    const out = evaluateModel(gradientModel(identity(['N', 4]), { loss: 'mse', wrt: 'inputs', sampleWeights: weighted }), feeds);
    expectClose(out.loss!.data as Float64Array, [total / divisor], { rtol: 1e-13 });
    const slope = x.map((v, i) => (2 * w[Math.floor(i / 4)]! * (v - y[i]!)) / divisor);
    expectClose(out['grad.x']!.data as Float64Array, slope, { rtol: 1e-12 });
    const v = randomF64(12, 5);
    const hvp = evaluateModel(hvpModel(identity(['N', 4]), { loss: 'mse', wrt: 'inputs', sampleWeights: weighted }), {
      ...feeds,
      'tangent.x': { data: v, shape: [3, 4] },
    });
    expectClose(
      hvp['hvp.x']!.data as Float64Array,
      v.map((d, i) => (2 * w[Math.floor(i / 4)]! * d) / divisor),
      { rtol: 1e-12 },
    );
  }
});

describe.each(['mse', 'huber', 'binary-cross-entropy'] as const)('%s in a graph', (name) => {
  const weights = Float64Array.of(1, 0.5, 2);
  // Huber at delta 0.7: some residuals on either side of it, and one at 0.
  const x = randomF64(12, 1).map((v) => 1.5 * v);
  const y = randomF64(12, 2).map((v, i) => (name === 'binary-cross-entropy' ? 0.5 + 0.5 * Math.tanh(v) : i === 3 ? x[3]! : v));
  const loss = { name, ...(name === 'huber' && { delta: 0.7 }) };
  const twin = (z: Float64Array, w?: Float64Array) => {
    const [scores, options] = [{ data: z, shape: [3, 4] }, w ? { weights: w } : {}];
    if (name === 'mse') return mse(scores, y, options);
    return name === 'huber' ? huber(scores, y, { ...options, delta: 0.7 }) : binaryCrossEntropy(scores, y, options);
  };

  test.each([false, true])('is the function of its name, in value, gradient and curvature (weighted: %p)', (weighted) => {
    const w = weighted ? weights : undefined;
    const feeds = { x: { data: x, shape: [3, 4] }, targets: { data: y, shape: [3, 4] }, sample_weight: { data: weights, shape: [3] } };
    const options = { loss, wrt: 'inputs', sampleWeights: weighted } as const;
    const out = evaluateModel(gradientModel(identity(['N', 4]), options), feeds);
    const plain = twin(x, w);
    expectClose(out.loss!.data as Float64Array, [plain.value], { rtol: 1e-12 });
    expectClose(out['grad.x']!.data as Float64Array, plain.grad as Float64Array, { rtol: 1e-12, atol: 1e-15 });
    const v = randomF64(12, 5);
    const step = 1e-6;
    const [up, down] = [1, -1].map(
      (sign) =>
        twin(
          x.map((z, i) => z + sign * step * v[i]!),
          w,
        ).grad,
    );
    const hvp = evaluateModel(hvpModel(identity(['N', 4]), options), { ...feeds, 'tangent.x': { data: v, shape: [3, 4] } });
    const differences = v.map((_, i) => (up![i]! - down![i]!) / (2 * step));
    // At a residual of exactly delta the second derivative jumps; no draw is within a step of it.
    expectClose(hvp['hvp.x']!.data as Float64Array, differences, { rtol: 1e-6, atol: 1e-8 });
  });
});

test('every loss with a graph form is one of the registry', () => {
  expect(lossNames.filter((name) => !Object.hasOwn(registry, name))).toEqual([]);
});

test('logits far apart neither overflow nor lose the loss', () => {
  const x = Float64Array.of(1000, 0, -1000, 0, 1000, 5);
  const feeds = { x: { data: x, shape: [2, 3] }, labels: graphTensor('int64', [2, 1], [2]) };
  const out = evaluateModel(gradientModel(identity(['N', 3]), { loss: 'cross-entropy', wrt: 'inputs' }), feeds);
  expectClose(out.loss!.data as Float64Array, [1000], { rtol: 1e-12 });
  expectClose(out['grad.x']!.data as Float64Array, [0.5, 0, -0.5, 0, 0, 0], { atol: 1e-12 });
});

test('per-sample gradients of a loss over places are those of its mean over the places of the sample', () => {
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 2, 3] }];
  graph.outputs = [{ name: 'logits', type: 'float64', shape: ['N', 2, 4] }];
  graph.initializers.set('w', graphTensor('float64', randomF64(12, 1), [3, 4]));
  graph.nodes = [{ op: 'MatMul', domain: '', name: 'm', inputs: ['x', 'w'], outputs: ['logits'], attributes: {} }];
  const model = modelOf(graph);
  const x = randomF64(18, 2);
  const labels = [0, 3, 1, 1, 2, 0];
  const feed = (from: number, to: number): Record<string, Tensor> => ({
    x: { data: x.slice(from * 6, to * 6), shape: [to - from, 2, 3] },
    labels: graphTensor('int64', labels.slice(from * 2, to * 2), [to - from, 2]),
  });
  const all = evaluateModel(perSampleGradientModel(model, { loss: 'cross-entropy' }), feed(0, 3));
  expect(all['grad.w']!.shape).toEqual([3, 3, 4]);
  for (let i = 0; i < 3; i++) {
    const one = evaluateModel(gradientModel(model, { loss: 'cross-entropy' }), feed(i, i + 1));
    expectClose((all['grad.w']!.data as Float64Array).slice(i * 12, i * 12 + 12), one['grad.w']!.data as Float64Array, { rtol: 1e-12 });
  }
});

test.each([
  [['N'], /expected logits \[n, k\], \[n, t, k\] or \[n, k, h, w\], got 1 axes/],
  [['N', 2, 2, 2, 2], /got 5 axes/],
  [['N', 'K'], /expected a known number of classes, got K/],
])('cross-entropy on logits %j is refused by name', (shape, message) => {
  expect(() => gradientModel(identity(shape), { loss: 'cross-entropy', wrt: 'inputs' })).toThrow(message);
});

test('class weights of another number than classes, and a loss nobody knows, are refused by name', () => {
  expect(() => gradientModel(identity(['N', 3]), { loss: { name: 'cross-entropy', classWeights: [1, 2] }, wrt: 'inputs' })).toThrow(
    /classWeights: expected 3 numbers, got 2/,
  );
  expect(() => gradientModel(identity(['N', 3]), { loss: 'hinge' as 'mse', wrt: 'inputs' })).toThrow(/loss: expected .*, got 'hinge'/);
});
