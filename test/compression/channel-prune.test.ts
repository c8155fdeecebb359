import { channelPrune, channelValues } from '../../src/compression/index.js';
import { Random } from '../../src/core/random.js';
import { type Attribute, Graph, type GraphTensor, graphTensor, type Model, modelOf } from '../../src/onnx/graph.js';
import { decodeModel, encodeModel } from '../../src/onnx/index.js';
import { evaluateModel as evaluate } from '../../src/onnx/reference/index.js';
import { expectClose, randomF64, relativeError } from '../helpers/close.js';
import { mlp, node, weight } from '../helpers/models.js';

const ints = (...value: number[]): Attribute => ({ type: 'ints', value });
const int = (value: number): Attribute => ({ type: 'int', value });

/** Convolutions with a residual sum, a norm, a depthwise step, a concatenation, a flatten over 2 × 2 places, and two dense layers. */
function network(): Model {
  const graph = new Graph();
  const random = new Random(3);
  const w = (name: string, ...shape: number[]): string => weight(graph, random, name, shape);
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 2, 4, 4] }];
  graph.outputs = [{ name: 'logits', type: 'float64', shape: ['N', 3] }];
  const same = { pads: ints(1, 1, 1, 1) };
  node(graph, 'Conv', ['x', w('c1', 6, 2, 3, 3), w('c1b', 6)], 'a', same);
  node(graph, 'Relu', ['a'], 'ar');
  node(graph, 'Conv', ['ar', w('c2', 8, 6, 1, 1)], 'b');
  graph.initializers.set(
    'variance',
    graphTensor(
      'float64',
      randomF64(8, 9).map((v) => v * v + 0.5),
      [8],
    ),
  );
  node(graph, 'BatchNormalization', ['b', w('scale', 8), w('shift', 8), w('mean', 8), 'variance'], 'bn');
  node(graph, 'Conv', ['bn', w('d', 8, 1, 3, 3), w('db', 8)], 'depthwise', { ...same, group: int(8) });
  node(graph, 'Conv', ['depthwise', w('c3', 6, 8, 1, 1)], 'back');
  node(graph, 'Add', ['ar', 'back'], 'sum');
  node(graph, 'Mul', ['sum', w('gain', 6, 1, 1)], 'scaled');
  node(graph, 'Conv', ['ar', w('c4', 5, 6, 1, 1)], 'side');
  node(graph, 'Tanh', ['side'], 'sidet');
  node(graph, 'Concat', ['scaled', 'sidet'], 'both', { axis: int(1) });
  node(graph, 'MaxPool', ['both'], 'pooled', { kernel_shape: ints(2, 2), strides: ints(2, 2) });
  node(graph, 'Flatten', ['pooled'], 'flat');
  node(graph, 'Gemm', ['flat', w('g1', 7, 44), w('g1b', 7)], 'hidden', { transB: int(1) });
  node(graph, 'Relu', ['hidden'], 'hr');
  node(graph, 'MatMul', ['hr', w('g2', 7, 3)], 'out');
  node(graph, 'Add', ['out', w('g2b', 3)], 'logits');
  return modelOf(graph, 13);
}

const x = { data: randomF64(5 * 32, 1), shape: [5, 2, 4, 4] };
const logits = (model: Model): number[] => Array.from(evaluate(model, { x }).logits!.data as Float64Array);

/** The model with the weights that read removed channels at zero. */
function masked(model: Model, zero: Record<string, (place: number[]) => boolean>): Model {
  const graph = model.graph.clone();
  for (const [name, gone] of Object.entries(zero)) {
    const tensor = graph.initializers.get(name) as GraphTensor;
    const data = Float64Array.from(tensor.data as Float64Array, (v, k) => {
      const place = tensor.shape.map((extent, a) => Math.floor(k / tensor.shape.slice(a + 1).reduce((p, e) => p * e, 1)) % extent);
      return gone(place) ? 0 : v;
    });
    graph.initializers.set(name, { ...tensor, data });
  }
  return { ...model, graph };
}

test('the smaller model computes what the model computes with the readers of those channels at zero', () => {
  const model = network();
  const before = encodeModel(model);
  const { model: small, groups } = channelPrune(model, { sparsity: 0.5 });
  expect(groups.map(({ makers, channels, kept }) => [makers, channels, kept.length])).toEqual([
    [['c1', 'c3'], 6, 3],
    [['c2'], 8, 4],
    [['c4'], 5, 3],
    [['g1'], 7, 4],
  ]);
  const [stream, inner, side, hidden] = groups.map(({ kept }) => new Set(kept)) as [Set<number>, Set<number>, Set<number>, Set<number>];
  const want = masked(model, {
    c2: ([, c]) => !stream.has(c!),
    c4: ([, c]) => !stream.has(c!),
    c3: ([, c]) => !inner.has(c!),
    g1: ([, f]) => (f! < 24 ? !stream.has(f! >> 2) : !side.has((f! - 24) >> 2)),
    g2: ([h]) => !hidden.has(h!),
  });
  expectClose(logits(small), logits(want), { rtol: 1e-10, atol: 1e-12 });
  expect(encodeModel(model)).toEqual(before);
  const shapes = Object.fromEntries([...small.graph.initializers].map(([name, { shape }]) => [name, [...shape]]));
  expect(shapes).toMatchObject({
    c1: [3, 2, 3, 3],
    c3: [3, 4, 1, 1],
    d: [4, 1, 3, 3],
    gain: [3, 1, 1],
    g1: [4, 24],
    g2: [4, 3],
    mean: [4],
  });
  expect(encodeModel(small).length).toBeLessThan(before.length);
  expectClose(logits(decodeModel(encodeModel(small))), logits(small), {});
});

test('nothing to remove changes nothing; one channel always stays; groups can have shares and multiples of their own', () => {
  const model = network();
  expectClose(logits(channelPrune(model, { sparsity: 0 }).model), logits(model), {});
  expect(channelPrune(model, { sparsity: 1 }).groups.map(({ kept }) => kept.length)).toEqual([1, 1, 1, 1]);
  expect(channelPrune(model, { sparsity: [0, 0.5, 0, 1] }).groups.map(({ kept }) => kept.length)).toEqual([6, 4, 5, 1]);
  expect(channelPrune(model, { sparsity: 0.6, multiple: 2 }).groups.map(({ kept }) => kept.length)).toEqual([4, 4, 2, 4]);
});

test('filters of the smallest norm go first, all makers of a group counted together, or those of the lowest score', () => {
  const model = network();
  const { graph } = model;
  const l1 = (name: string, out: number): number => {
    const { data, shape } = graph.initializers.get(name) as GraphTensor;
    const size = data.length / shape[0]!;
    return Array.from((data as Float64Array).subarray(out * size, (out + 1) * size)).reduce((sum, v) => sum + Math.abs(v), 0);
  };
  const norms = Array.from({ length: 6 }, (_, c) => l1('c1', c) + l1('c3', c));
  const best = norms
    .map((_, c) => c)
    .sort((a, b) => norms[b]! - norms[a]!)
    .slice(0, 3)
    .sort((a, b) => a - b);
  expect(Array.from(channelPrune(model, { sparsity: 0.5 }).groups[0]!.kept)).toEqual(best);
  const scores = [
    [5, 4, 3, 2, 1, 0],
    [0, 1, 2, 3, 4, 5, 6, 7],
    [1, 1, 1, 1, 1],
    [0, 0, 0, 0, 0, 0, 9],
  ];
  const kept = channelPrune(model, { sparsity: 0.5, scores }).groups.map((group) => Array.from(group.kept));
  expect(kept).toEqual([
    [0, 1, 2],
    [4, 5, 6, 7],
    [2, 3, 4],
    [3, 4, 5, 6],
  ]);
});

test('with activations the readers make up for what goes: exactly where channels are copies, and better than by norm elsewhere', () => {
  const model = network();
  const inner = { data: randomF64(40 * 32, 2), shape: [40, 2, 4, 4] };
  const record = (m: Model): Record<string, { data: Float64Array; shape: readonly number[] }> => {
    const graph = m.graph.clone();
    const values = channelValues(m);
    graph.outputs = values.map((name) => ({ name, type: 'float64', shape: undefined }));
    return evaluate({ ...m, graph }, { x: inner }) as never;
  };
  expect(channelValues(model)).toEqual(['ar', 'flat', 'depthwise', 'hr']);
  const error = (m: Model): number => relativeError(logits(m), logits(model));
  for (const sparsity of [0.25, 0.5]) {
    expect(error(channelPrune(model, { sparsity, activations: record(model) }).model)).toBeLessThan(
      error(channelPrune(model, { sparsity }).model),
    );
  }
  const scores = channelPrune(model, { sparsity: 0 }).groups.map(({ channels }, g) => randomF64(channels, g).map(Math.abs));
  const plain = channelPrune(model, { sparsity: 0.25, scores });
  const repaired = channelPrune(model, { sparsity: 0.25, scores, activations: record(model) });
  expect(repaired.groups).toEqual(plain.groups);
  expect(error(repaired.model)).toBeLessThan(error(plain.model));
  // Channels 3 … 5 of c4 as copies of 0 and 1: two of five can go without a trace.
  const copies = model.graph.clone();
  const { data, shape, type } = copies.initializers.get('c4') as GraphTensor;
  const c4 = (data as Float64Array).slice();
  c4.set(c4.subarray(0, 12), 18);
  copies.initializers.set('c4', { data: c4, shape, type });
  const twin = { ...model, graph: copies };
  const small = channelPrune(twin, { sparsity: [0, 0, 0.4, 0], activations: record(twin), damping: 1e-9 });
  expect(small.groups[2]!.kept.length).toBe(3);
  expectClose(logits(small.model), logits(twin), { rtol: 1e-5, atol: 1e-5 });
});

test('channels that reach an output, or an operator that is not understood, stay', () => {
  const model = mlp();
  expect(channelPrune(model, { sparsity: 0.5 }).groups.map(({ makers }) => makers)).toEqual([['w1']]);
  const graph = model.graph.clone();
  graph.outputs.push({ name: 't', type: 'float64', shape: ['N', 5] });
  expect(() => channelPrune({ ...model, graph }, { sparsity: 0.5 })).toThrow(/model: expected channels that can be removed, got none/);
  const odd = model.graph.clone();
  odd.nodes[1]!.op = 'Softmax';
  expect(() => channelPrune({ ...model, graph: odd }, { sparsity: 0.5 })).toThrow(/got none/);
});

test('bad input is refused by name', () => {
  expect(() => channelPrune(mlp(), { sparsity: 1.5 })).toThrow(/sparsity: expected a number from 0 to 1, got 1.5/);
  expect(() => channelPrune(mlp(), { sparsity: [0.5, 0.5] })).toThrow(/sparsity: expected 1 elements, got 2/);
  expect(() => channelPrune(mlp(), { sparsity: 0.5, scores: [[1, 2]] })).toThrow(/scores\[0\]: expected 5 elements, got 2/);
  expect(() => channelPrune(mlp(), { sparsity: 0.5, activations: {} })).toThrow(/activations: expected those of 't', got none/);
});
