import type { Batch, DifferentiableModel } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { sizeOf } from '../../src/core/tensor.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { fit, pruneModel } from '../../src/workflows/index.js';
import { selectSlots } from '../../src/workflows/select.js';
import { expectClose } from '../helpers/close.js';
import { mlp } from '../helpers/models.js';

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
  expect(() => names([], ['Gemm'])).toThrow(/include: expected at least one parameter to prune, got none/);
});

test.each([
  [{ sparsity: 1.2 }, /sparsity: expected a number from 0 to 1, got 1.2/],
  [{ sparsity: 0.5, method: 'random' as never }, /method: expected one of mfac, magnitude, got 'random'/],
  [{ sparsity: 0.5, steps: 0 }, /steps: expected an integer >= 1/],
  [{ sparsity: 0.5, damping: 0 }, /damping: expected a number > 0/],
  [{ sparsity: 0.5, blockSize: 1.5 }, /blockSize: expected an integer/],
])('%j is refused by name', async (options, message) => expect(pruneModel(model, data, options)).rejects.toThrow(message));
