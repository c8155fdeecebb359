// What repeated Hessian products share is kept: the same numbers, whatever changes between calls, in bounded memory.
import type { Batch } from '../../src/core/model-types.js';
import type { FloatArray, Tensor } from '../../src/core/tensor.js';
import { productHalves } from '../../src/onnx/derivatives.js';
import { hvpModel, OnnxModel } from '../../src/onnx/index.js';
import { KeptProducts, type Product } from '../../src/onnx/kept-products.js';
import type { Parameters } from '../../src/onnx/program.js';
import { evaluateModel } from '../../src/onnx/reference/index.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { convolutional, mlp } from '../helpers/models.js';

const images = (n: number, seed: number): Batch => ({
  x: { data: randomF64(n * 64, seed), shape: [n, 1, 8, 8] },
  y: Int32Array.from({ length: n }, (_, i) => (i * seed) % 3),
});

test.each(['hvp', 'ggnvp'] as const)('the thirtieth %s on two batches is the first one of another model', async (what) => {
  const kept = await OnnxModel.open(convolutional('float32'));
  const fresh = await OnnxModel.open(convolutional('float32'));
  const data = [images(3, 2), { ...images(5, 4), weights: Float64Array.of(1, 2, 0, 1, 3) }];
  for (let i = 0; i < 30; i++) await kept[what](data, randomF32(kept.parameterCount, i));
  const v = randomF32(kept.parameterCount, 99);
  expectClose(await kept[what](data, v), await fresh[what](data, v), { rtol: 1e-5, atol: 1e-6 });
  kept.dispose();
  fresh.dispose();
});

test('a product follows data that change in place, and parameters that change', async () => {
  const kept = await OnnxModel.open(mlp());
  const batch: Batch = { x: { data: randomF64(12, 1), shape: [4, 3] }, y: Int32Array.of(0, 3, 1, 2) };
  const v = randomF64(44, 5);
  const fresh = async (): Promise<FloatArray> => {
    const other = await OnnxModel.open(mlp());
    other.setParameters(kept.getParameters());
    const product = await other.hvp(batch, v);
    other.dispose();
    return product;
  };
  for (let i = 0; i < 16; i++) await kept.hvp(batch, v);
  (batch.x as Tensor<Float64Array>).data[7] = 2.5;
  expectClose(await kept.hvp(batch, v), await fresh(), { rtol: 1e-12 });
  (batch.y as Int32Array)[1] = 0;
  expectClose(await kept.hvp(batch, v), await fresh(), { rtol: 1e-12 });
  for (let i = 0; i < 16; i++) await kept.hvp(batch, v);
  kept.setParameters(kept.getParameters().map((w) => 1.5 * w));
  expectClose(await kept.hvp(batch, v), await fresh(), { rtol: 1e-12 });
  kept.dispose();
});

test('a model cut in two computes what it computes as a whole, and the second half reads no input of the batch twice', () => {
  const model = convolutional();
  const { x, y } = images(3, 7);
  const names = [...model.graph.initializers.keys()];
  const feeds = { x: x as Tensor, labels: { data: BigInt64Array.from(y as Int32Array, BigInt), shape: [3] } };
  const tangents = Object.fromEntries(
    names.map((name, i) => {
      const { data, shape } = model.graph.initializers.get(name)!;
      return [`tangent.${name}`, { data: randomF64(data.length, i + 1), shape }];
    }),
  );
  const whole = evaluateModel(hvpModel(model, { loss: 'cross-entropy' }), { ...feeds, ...tangents });
  const { still, moving, kept } = productHalves('hvp', model, { loss: 'cross-entropy' });
  const first = evaluateModel(still, feeds);
  const second = evaluateModel(moving, { ...feeds, ...first, ...tangents });
  expect(moving.graph.inputs.map(({ name }) => name)).not.toContain('labels');
  expect(still.graph.inputs.some(({ name }) => name.startsWith('tangent.'))).toBe(false);
  expect(kept.length).toBeGreaterThan(0);
  for (const [name, { data }] of Object.entries(whole)) expect((second[name] ?? first[name])!.data).toEqual(data);
});

/** A product that counts its runs and hands over `size` numbers. */
function counted(size: number): { product: Product; runs: Record<string, number> } {
  const runs: Record<string, number> = { whole: 0, still: 0, moving: 0 };
  const run = (name: string, values: Record<string, Tensor>) => async () => {
    runs[name] = (runs[name] as number) + 1;
    return values;
  };
  const one: Tensor = { data: Float32Array.of(1), shape: [1] };
  const product: Product = {
    whole: run('whole', { loss: one, hvp: one }),
    still: run('still', { loss: one, values: { data: new Float32Array(size), shape: [size] } }),
    moving: run('moving', { hvp: one }),
    handed: () => [{ name: 'values', type: 'float32', shape: [size] }],
  };
  return { product, runs };
}
const at = (version: number): Parameters => ({ version }) as Parameters;
const feedsOf = (value: number) => ({ x: { data: Float32Array.of(value), shape: [1] } });

test('a few products are made as a whole, many by halves; new parameters start again', async () => {
  const kept = new KeptProducts();
  const { product, runs } = counted(10);
  for (let i = 0; i < 13; i++) await kept.run('hvp', product, at(0), feedsOf(1), {});
  expect(runs).toEqual({ whole: 13, still: 0, moving: 0 });
  for (let i = 0; i < 5; i++) expect(Object.keys(await kept.run('hvp', product, at(0), feedsOf(1), {}))).toEqual(['loss', 'hvp']);
  expect(runs).toEqual({ whole: 13, still: 1, moving: 5 });
  await kept.run('hvp', product, at(0), feedsOf(2), {});
  await kept.run('hvp', product, at(1), feedsOf(1), {});
  expect(runs).toEqual({ whole: 15, still: 1, moving: 5 });
});

test('values beyond 64 MB are not kept, and not computed again', async () => {
  const kept = new KeptProducts();
  const { product, runs } = counted(2 ** 24);
  for (let i = 0; i < 20; i++) await kept.run('hvp', product, at(0), feedsOf(1), {});
  expect(runs).toEqual({ whole: 20, still: 1, moving: 0 });
});
