import { layerObs, wandaPrune } from '../../src/compression/index.js';
import type { Batch, DifferentiableModel } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { sizeOf } from '../../src/core/tensor.js';
import { DenseModel } from '../../src/dense/index.js';
import { Graph, modelOf } from '../../src/onnx/graph.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { fit, pruneChannels, pruneModel, quantizeModel } from '../../src/workflows/index.js';
import { selectSlots } from '../../src/workflows/select.js';
import { expectClose } from '../helpers/close.js';
import { mlp, node, weight } from '../helpers/models.js';

const random = new Random(2);
const y = Uint8Array.from({ length: 120 }, (_, i) => i % 4);
const corners = [
  [1, 1, 1],
  [1, -1, -1],
  [-1, 1, -1],
  [-1, -1, 1],
];
const data: Batch = {
  x: {
    data: Float32Array.from(
      { length: 360 },
      (_, k) => (corners[y[Math.floor(k / 3)] as number]?.[k % 3] as number) + 0.4 * random.normal(),
    ),
    shape: [120, 3],
  },
  y,
};

let model: OnnxModel;
let trained: Float32Array;
beforeAll(async () => {
  model = await OnnxModel.open(mlp('float32'));
  await fit(model, data, { epochs: 30, batchSize: 30, learningRate: 0.02 });
  trained = model.getParameters() as Float32Array;
});
beforeEach(() => model.setParameters(trained));
afterAll(() => model.dispose());

const zeros = (m: DifferentiableModel, name: string): number => {
  const { offset, shape } = m.layout.find((slot) => slot.name === name) as DifferentiableModel['layout'][number];
  return m
    .getParameters()
    .subarray(offset, offset + sizeOf(shape))
    .filter((w) => w === 0).length;
};

test.each([
  ['mfac', 'joint', 1],
  ['mfac', 'joint', 4],
  ['mfac', 'independent', 2],
  ['mfac', 'greedy', 2],
  ['magnitude', 'joint', 1],
] as const)('%s (%s, %i steps) zeroes exactly the asked share of the weights and no bias', async (method, update, steps) => {
  for (const sparsity of [0, 0.3, 0.61, 1]) {
    model.setParameters(trained);
    const seen: number[] = [];
    const result = await pruneModel(model, data, {
      sparsity,
      method,
      update,
      steps,
      gradients: 40,
      onProgress: ({ done, total }) => seen.push(done / (total ?? 1)),
    });
    const asked = Math.floor(sparsity * 35 + 1e-9);
    expect(zeros(model, 'w1') + zeros(model, 'w2')).toBe(asked);
    expect(result).toMatchObject({ parameters: 35, pruned: asked, sparsity: asked / 35 });
    expect(result.perLayer.map(({ name, pruned }) => [name, pruned])).toEqual([
      ['w1', zeros(model, 'w1')],
      ['w2', zeros(model, 'w2')],
    ]);
    expect(result.mask.filter((kept) => !kept).length).toBe(asked);
    expect(zeros(model, 'b1') + zeros(model, 'b2')).toBe(0);
    expect(Math.max(...seen)).toBeLessThanOrEqual(1);
  }
});

test('nothing asked changes nothing', async () => {
  const { before, after } = await pruneModel(model, data, { sparsity: 0, steps: 3 });
  expect(model.getParameters()).toEqual(trained);
  expect(after).toEqual(before);
});

test('M-FAC loses less than magnitude, and steps lose less than one shot', async () => {
  const losses: Record<string, number> = {};
  for (const [name, options] of Object.entries({
    magnitude: { method: 'magnitude' },
    once: { steps: 1 },
    gradual: { steps: 8 },
  } as const)) {
    model.setParameters(trained);
    losses[name] = (await pruneModel(model, data, { sparsity: 0.6, gradients: 120, ...options })).after.loss;
  }
  expect(losses.once).toBeLessThan(losses.magnitude as number);
  expect(losses.gradual).toBeLessThan(losses.once as number);
});

test('the same seed gives the same weights, and lists of batches are drawn from as one', async () => {
  const half = (from: number): Batch => ({
    x: { data: (data.x as { data: Float32Array }).data.slice(from * 3, (from + 60) * 3), shape: [60, 3] },
    y: y.slice(from, from + 60),
  });
  const results = [];
  for (const [given, seed] of [
    [data, 1],
    [data, 1],
    [data, 2],
    [[half(0), half(60)], 1],
  ] as const) {
    model.setParameters(trained);
    await pruneModel(model, given, { sparsity: 0.5, gradients: 30, steps: 2, seed });
    results.push(model.getParameters());
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).not.toEqual(results[0]);
  expectClose(results[3] as Float32Array, results[0] as Float32Array, { rtol: 1e-3, atol: 1e-4 });
});

test('an abort leaves the parameters as they were', async () => {
  const controller = new AbortController();
  const run = pruneModel(model, data, {
    sparsity: 0.9,
    steps: 5,
    signal: controller.signal,
    onProgress: ({ done }) => done >= 2 && controller.abort(),
  });
  await expect(run).rejects.toThrow(/signal: the work was aborted/);
  expect(model.getParameters()).toEqual(trained);
});

test('what was done is in the metadata', async () => {
  await pruneModel(model, data, { sparsity: 0.5, steps: 2, gradients: 20, seed: 4 });
  expect(JSON.parse(model.metadata.get('afterpass.prune') as string)).toEqual({
    method: 'mfac',
    sparsity: 0.5,
    update: 'joint',
    steps: 2,
    gradients: 20,
    damping: 1e-6,
    seed: 4,
  });
});

test('globs choose by name, node and operator; a node or operator stands for its weights', () => {
  const names = (include: string[], exclude: string[] = []) => selectSlots(model.layout, { include, exclude }).map(({ name }) => name);
  expect(names([])).toEqual(['w1', 'w2']);
  expect(names(['Gemm'])).toEqual(['w1', 'w2']);
  expect(names(['Gemm_h'])).toEqual(['w1']);
  expect(names(['*2'])).toEqual(['w2', 'b2']);
  expect(names(['?1'], ['b*'])).toEqual(['w1']);
  expect(names([], ['*_logits'])).toEqual(['w1']);
  expect(() => names(['conv*'])).toThrow(
    /include: expected a glob on names, nodes or operators of parameters, got 'conv\*' that matches none/,
  );
  expect(() => names([], ['Gemm'])).toThrow(/include: expected at least one weight of Conv, Gemm or MatMul, got none/);
});

test.each([
  [{ sparsity: 1.2 }, /sparsity: expected a number from 0 to 1, got 1.2/],
  [{ sparsity: 0.5, method: 'random' as never }, /method: expected one of mfac, magnitude, block4, .* got 'random'/],
  [{ sparsity: 0.5, steps: 0 }, /steps: expected an integer >= 1/],
  [{ sparsity: 0.5, damping: 0 }, /damping: expected a number > 0/],
  [{ sparsity: 0.5, blockSize: 1.5 }, /blockSize: expected an integer/],
  [{}, /sparsity: expected either a sparsity or a pattern, got none/],
  [{ sparsity: 0.5, pattern: { n: 2, m: 4 } }, /sparsity: expected either a sparsity or a pattern, got both/],
  [{ pattern: { n: 5, m: 4 } }, /pattern.n: expected an integer from 1 to 4/],
  [{ pattern: { n: 2, m: 4 }, method: 'block4' as const }, /pattern: expected a method that knows patterns .*, got block4/],
  [{ pattern: { n: 2, m: 4 }, method: 'ecoflap' as const }, /pattern: .* got ecoflap/],
  [{ pattern: { n: 2, m: 4 }, update: 'greedy' as const }, /update: expected joint or independent for a pattern, got greedy/],
  [{ sparsity: 0.5, method: 'block4' as const, update: 'greedy' as const }, /update: expected joint or independent for block4, got greedy/],
  [{ sparsity: 0.5, method: 'block4' as const, blockSize: 6 }, /blockSize: expected a multiple of 4 for block4, got 6/],
  [{ sparsity: 0.5, minimumPerLayer: 2 }, /minimumPerLayer: expected method magnitude without a pattern, got mfac/],
  [
    { sparsity: 0.5, method: 'wanda' as const, include: ['b1'] },
    /include: expected weights of Conv, Gemm or MatMul for method wanda, got 'b1'/,
  ],
])('%j is refused by name', async (options, message) => expect(pruneModel(model, data, options)).rejects.toThrow(message));

test('layer by layer on a dense model is refused: it has no graph to take activations from', async () => {
  const dense = DenseModel.create({
    layers: [{ weight: { data: new Float32Array(12).fill(1), shape: [4, 3] }, bias: [0, 0, 0, 0] }],
    loss: 'cross-entropy',
  });
  await expect(pruneModel(dense, data, { sparsity: 0.5, method: 'obc' })).rejects.toThrow(
    /method: expected one that needs no graph .*, got obc/,
  );
  expect((await pruneModel(dense, data, { pattern: { n: 1, m: 3 }, gradients: 20 })).sparsity).toBeCloseTo(2 / 3, 12);
  dense.dispose();
});

test.each(['obc', 'sparsegpt', 'wanda', 'ecoflap'] as const)(
  '%s takes about the asked share, and its layer as the area computes it',
  async (method) => {
    const result = await pruneModel(model, data, { sparsity: 0.6, method });
    expect(Math.abs(result.sparsity - 0.6)).toBeLessThan(0.12);
    expect(zeros(model, 'w1') + zeros(model, 'w2')).toBe(result.pruned);
    const w = Array.from(model.getParameters());
    expect(result.mask.every((kept, k) => kept === 1 || w[k] === 0)).toBe(true);
    expect(result.after.accuracy).toBeGreaterThan(0.4);
    if (method === 'ecoflap') return;
    // The first layer reads the data themselves.
    model.setParameters(trained);
    const { offset, shape } = model.layout.find(({ name }) => name === 'w1')!;
    const x = { data: (data.x as { data: Float32Array }).data, shape: [120, 3] };
    const layer = { data: trained.slice(offset, offset + 15), shape };
    const want =
      method === 'wanda'
        ? wandaPrune(layer, x, { sparsity: 0.6 })
        : layerObs(layer, x, { sparsity: 0.6, ...(method === 'obc' ? { distribution: 'layer' } : { method: 'columns' }) });
    expectClose(w.slice(offset, offset + 15), want.weights.data, { rtol: 1e-5, atol: 1e-6 });
  },
);

/** y = x·W with W [in, out] and a residual convolution before it. */
function mixed(): OnnxModel['graph'] {
  const graph = new Graph();
  const r = new Random(4);
  graph.inputs = [{ name: 'x', type: 'float32', shape: ['N', 2, 4, 4] }];
  graph.outputs = [{ name: 'logits', type: 'float32', shape: ['N', 3] }];
  const pads = { kernel_shape: { type: 'ints', value: [3, 3] }, pads: { type: 'ints', value: [1, 1, 1, 1] } } as const;
  node(graph, 'Conv', ['x', weight(graph, r, 'c', [4, 1, 3, 3], 'float32')], 'a', { ...pads, group: { type: 'int', value: 2 } });
  node(graph, 'Relu', ['a'], 'b');
  node(graph, 'Flatten', ['b'], 'f');
  node(graph, 'MatMul', ['f', weight(graph, r, 'w', [64, 3], 'float32')], 'logits');
  return graph;
}

test.each(['magnitude', 'mfac', 'obc', 'sparsegpt', 'wanda'] as const)(
  'a pattern with %s leaves n of every m weights that one output reads, in grouped convolutions and transposed products',
  async (method) => {
    const opened = await OnnxModel.open(modelOf(mixed(), 13));
    const batch = {
      x: { data: new Random(3).fill(new Float32Array(40 * 32)), shape: [40, 2, 4, 4] },
      y: Uint8Array.from({ length: 40 }, (_, i) => i % 3),
    };
    try {
      const pattern = { n: 2, m: method === 'mfac' || method === 'magnitude' ? 4 : 3 };
      const cut = await pruneModel(opened, batch, {
        method,
        pattern,
        include: method === 'mfac' || method === 'magnitude' ? ['w'] : ['c'],
      });
      const at = opened.getParameters();
      const slot = opened.layout.find(({ name }) => name === (pattern.m === 4 ? 'w' : 'c'))!;
      const own = at.subarray(slot.offset, slot.offset + sizeOf(slot.shape));
      const groups = own.length / pattern.m;
      for (let g = 0; g < groups; g++) {
        let kept = 0;
        for (let i = 0; i < pattern.m; i++) {
          const k = pattern.m === 4 ? ((g % 16) * 4 + i) * 3 + Math.floor(g / 16) : g * 3 + i;
          if (own[k] !== 0) kept++;
        }
        expect(kept).toBe(pattern.n);
      }
      expect(cut.pruned).toBe(groups * (pattern.m - pattern.n));
    } finally {
      opened.dispose();
    }
  },
);

test('block4 removes whole groups of four neighbours, also in steps', async () => {
  const opened = await OnnxModel.open(modelOf(mixed(), 13));
  const batch = {
    x: { data: new Random(3).fill(new Float32Array(40 * 32)), shape: [40, 2, 4, 4] },
    y: Uint8Array.from({ length: 40 }, (_, i) => i % 3),
  };
  const { mask, pruned } = await pruneModel(opened, batch, { method: 'block4', sparsity: 0.5, steps: 3, include: ['w'] });
  expect(pruned).toBe(4 * 24);
  const { offset } = opened.layout.find(({ name }) => name === 'w')!;
  for (let g = 0; g < 48; g++) expect([0, 4]).toContain(mask.subarray(offset + 4 * g, offset + 4 * g + 4).reduce((a, b) => a + b, 0));
  opened.dispose();
});

test('weights that are not finite are refused by the name of their tensor', async () => {
  const broken = mlp('float32');
  const w1 = broken.graph.initializers.get('w1')!;
  broken.graph.initializers.set('w1', { ...w1, data: (w1.data as Float32Array).map((v, k) => (k === 4 ? NaN : v)) });
  const opened = await OnnxModel.open(broken);
  const message = /weights 'w1': expected finite numbers, got NaN at index 4/;
  await expect(pruneModel(opened, data, { sparsity: 0.5 })).rejects.toThrow(message);
  await expect(pruneChannels(opened, data, { sparsity: 0.5 })).rejects.toThrow(message);
  await expect(quantizeModel(opened, data)).rejects.toThrow(message);
  opened.dispose();
});

test('channels of a model in half precision go as those of the same model in single precision', async () => {
  const half = await OnnxModel.open(mlp('float16'));
  const single = await OnnxModel.open(mlp('float32'));
  single.setParameters(half.getParameters());
  for (const saliency of ['activations', 'l1'] as const) {
    const [a, b] = [
      await pruneChannels(half, data, { sparsity: 0.4, saliency }),
      await pruneChannels(single, data, { sparsity: 0.4, saliency }),
    ];
    expect(a.groups.map(({ kept }) => Array.from(kept))).toEqual(b.groups.map(({ kept }) => Array.from(kept)));
    expect(a.model.graph.initializers.get('w1')!.type).toBe('float16');
    expect(Math.abs(a.after.loss - b.after.loss)).toBeLessThan(5e-3);
  }
  half.dispose();
  single.dispose();
});

test('channels: a smaller model with the same inputs and outputs, measured before any training', async () => {
  const opened = await OnnxModel.open(mlp('float32'));
  opened.setParameters(trained);
  const { model: small, groups, before, after, pruned, perLayer } = await pruneChannels(opened, data, { sparsity: 0.4 });
  expect(groups.map(({ channels, kept }) => [channels, kept.length])).toEqual([[5, 3]]);
  expect(small.graph.initializers.get('w1')!.shape).toEqual([3, 3]);
  expect(pruned).toBe(2 * 3 + 2 + 2 * 4);
  expect(perLayer.map(({ name, pruned: gone }) => [name, gone])).toEqual([
    ['w1', 6],
    ['b1', 2],
    ['w2', 8],
    ['b2', 0],
  ]);
  expect(before.accuracy).toBeGreaterThan(0.8);
  expect(after.accuracy).toBeGreaterThan(0.5);
  expect(Array.from(opened.getParameters())).toEqual(Array.from(trained));
  const own = await pruneChannels(opened, data, { sparsity: [0.2], saliency: 'l1' });
  expect(own.groups.map(({ kept }) => kept.length)).toEqual([4]);
  await expect(pruneChannels(opened, data, { sparsity: [0.2, 0.2] })).rejects.toThrow(/sparsity: expected 1 elements, got 2/);
  await expect(pruneChannels(opened, data, { sparsity: [2] })).rejects.toThrow(/sparsity: expected a number from 0 to 1, got 2/);
  await expect(pruneChannels(opened, data, {})).rejects.toThrow(/sparsity: expected a sparsity, a speedup or both, got none/);
  await expect(pruneChannels(opened, data, { speedup: 0.5 })).rejects.toThrow(/speedup: expected a number from 1 to 1000, got 0.5/);
  await expect(pruneChannels(opened, data, { speedup: 2, sparsity: [0.5] })).rejects.toThrow(
    /sparsity: expected one share of all channels/,
  );
  await expect(pruneChannels(opened, data, { speedup: 2, batchSize: 0 })).rejects.toThrow(/batchSize: expected an integer/);
  opened.dispose();
});
