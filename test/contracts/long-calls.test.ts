// What asynchronous calls promise: an AbortSignal ends them, and onProgress tells how far they are.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AbortError } from '../../src/core/errors.js';
import type { Batch, Data, LongOptions } from '../../src/core/model-types.js';
import { stepper } from '../../src/core/stepper.js';
import type { FloatArray, Tensor } from '../../src/core/tensor.js';
import * as curvature from '../../src/curvature/index.js';
import { DenseModel } from '../../src/dense/index.js';
import { deepConjugateDirection } from '../../src/linalg/index.js';
import { matrixOperator } from '../../src/linalg/operator.js';
import { OnnxModel } from '../../src/onnx/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { mlp } from '../helpers/models.js';

const network = (): DenseModel =>
  DenseModel.create({
    layers: [{ weight: { data: randomF64(12, 1), shape: [3, 4] }, bias: randomF64(3, 2), activation: 'tanh' }],
    loss: 'cross-entropy',
  });
const batch: Batch = { x: { data: randomF64(20, 3), shape: [5, 4] }, y: Int32Array.of(0, 1, 2, 1, 0) };

const long: Record<string, (options: LongOptions) => Promise<unknown>> = {
  samSharpness: (options) => curvature.samSharpness(network(), batch, { steps: 3, ...options }),
  adaptiveSharpness: (options) => curvature.adaptiveSharpness(network(), batch, { average: 2, ...options }),
  directionalSharpness: (options) => curvature.directionalSharpness(network(), batch, randomF64(15, 4), options),
  batchSharpness: (options) => curvature.batchSharpness(network(), [batch, batch], options),
  labelledNtk: (options) => curvature.labelledNtk(network(), batch, options),
  localLinearity: (options) => curvature.localLinearity(network(), batch, options),
  hessianCoherence: (options) => curvature.hessianCoherence(network(), batch, options),
  perSampleCurvature: (options) => curvature.perSampleCurvature(network(), batch, randomF64(15, 4), options),
  deepConjugateDirection: (options) =>
    deepConjugateDirection(
      matrixOperator({ data: Float64Array.of(2, 1, 1, 3), shape: [2, 2] }),
      Float64Array.of(1, 2),
      Float64Array.of(1, 0),
      options,
    ),
};

test.each(Object.entries(long))(
  '%s ends by its signal before the first step, and in the middle, and reports its steps',
  async (_name, call) => {
    const reason = new Error('enough');
    await expect(call({ signal: AbortSignal.abort(reason) })).rejects.toThrow(AbortError);
    const seen: number[] = [];
    await call({ onProgress: ({ done }) => void seen.push(done) });
    expect(seen).toEqual(seen.map((_, i) => i + 1));
    expect(seen.length).toBeGreaterThan(0);
    if (seen.length === 1) return;
    const controller = new AbortController();
    await expect(call({ signal: controller.signal, onProgress: () => controller.abort() })).rejects.toThrow(AbortError);
  },
);

// Every method of a model that reads data, on three batches, each a step, and on one batch that is cut into steps.
const small: Batch = { x: { data: randomF64(15, 3), shape: [5, 3] }, y: Int32Array.of(0, 1, 2, 3, 0) };
const three = [small, small, small];
const wide = { data: randomF64(2500 * 3, 8), shape: [2500, 3] };
const large: Batch = { x: wide, y: Int32Array.from({ length: 2500 }, (_, i) => i % 4) };
const seed = { data: randomF64(2500 * 4, 9), shape: [2500, 4] };
type Call<M> = (model: M, options?: LongOptions) => Promise<unknown>;
const onData = (data: Data): Record<string, Call<OnnxModel | DenseModel>> => ({
  loss: (model, options) => model.loss(data, options),
  gradient: (model, options) => model.gradient(data, options),
  hvp: (model, options) => model.hvp(data, model.getParameters(), options),
  ggnvp: (model, options) => model.ggnvp(data, model.getParameters(), options),
});
const rowwise: Record<string, Call<OnnxModel | DenseModel>> = {
  predict: (model, options) => model.predict(wide, options),
  perSampleGradients: (model, options) => model.perSampleGradients(large, options),
  jvp: (model, options) => model.jvp(wide, model.getParameters(), options),
  vjp: (model, options) => model.vjp(wide, seed, options),
  inputGradient: (model, options) => model.inputGradient(large, options),
};
const ofOne: Record<string, Record<string, Call<never>>> = {
  DenseModel: {
    perSampleVjp: (model: DenseModel, options) => model.perSampleVjp(wide, seed, options),
    perSampleLosses: (model: DenseModel, options) => model.perSampleLosses(large, options),
  },
  OnnxModel: { activations: (model: OnnxModel, options) => model.activations(wide, ['t'], options) },
};
const models: Record<string, () => OnnxModel | DenseModel | Promise<OnnxModel>> = {
  DenseModel: () => DenseModel.fromOnnx(mlp()),
  OnnxModel: () => OnnxModel.open(mlp()),
};

describe.each(Object.entries(models))('%s', (kind, open) => {
  const cases: [string, string, Call<never>][] = [
    ...Object.entries(onData(three)).map(([name, call]): [string, string, Call<never>] => [name, 'three batches', call]),
    ...Object.entries({ ...onData(large), ...rowwise, ...ofOne[kind] }).map(([name, call]): [string, string, Call<never>] => [
      name,
      'one large batch',
      call as Call<never>,
    ]),
  ];
  test.each(cases)('%s on %s ends by its signal before the first step, between two, reports each, and keeps its results', async (...of) => {
    const [, on, call] = of;
    const model = await open();
    const bits = async (options?: LongOptions) => JSON.stringify(await call(model as never, options));
    const plain = await bits();
    const seen: number[] = [];
    expect((await bits({ onProgress: ({ done }) => void seen.push(done) })) === plain).toBe(true);
    expect(seen).toEqual(seen.map((_, i) => i + 1));
    if (on === 'three batches') expect(seen).toHaveLength(3);
    else expect(seen.length).toBeGreaterThan(1);
    await expect(call(model as never, { signal: AbortSignal.abort() })).rejects.toThrow(AbortError);
    const controller = new AbortController();
    const told: number[] = [];
    const stopped = call(model as never, {
      signal: controller.signal,
      onProgress: ({ done }) => {
        told.push(done);
        controller.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow(AbortError);
    expect(told).toEqual([1]);
    expect((await bits()) === plain).toBe(true);
    model.dispose();
  });

  test('every asynchronous method is among these', () => {
    const { prototype } = { DenseModel, OnnxModel }[kind] as { prototype: object };
    const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
      .map(([name]) => name);
    const others = ['getParameters', 'setParameters', 'dispose', 'toModel', 'reopen', 'save'];
    expect(methods.filter((name) => !others.includes(name)).sort()).toEqual([...new Set(cases.map(([name]) => name))].sort());
  });

  test('a large batch gives the sums of its pieces', async () => {
    const model = await open();
    const rows = (from: number, to: number): Batch => ({
      x: { data: wide.data.slice(3 * from, 3 * to), shape: [to - from, 3] },
      y: (large.y as Int32Array).slice(from, to),
    });
    const parts = [rows(0, 1000), rows(1000, 2500)];
    expectClose(await model.vjp(wide, seed), await total(model, parts), { rtol: 1e-4, atol: 1e-4 });
    const { value, grad } = await model.inputGradient(large);
    expect(value).toBeCloseTo(await model.loss(parts), 5);
    const apart = await Promise.all(parts.map((part) => model.inputGradient(part)));
    const joined = apart.flatMap((part, i) => Array.from((part.grad as Tensor).data as FloatArray, (g) => (g * [1000, 1500][i]!) / 2500));
    expectClose((grad as Tensor).data as FloatArray, joined, { rtol: 1e-4, atol: 1e-7 });
    model.dispose();
  });

  test('a timer may fire the signal while an endless stream is read', async () => {
    const model = await open();
    const endless = async function* () {
      for (;;) yield small;
    };
    await expect(model.gradient(endless, { signal: AbortSignal.timeout(30) })).rejects.toThrow(AbortError);
    model.dispose();
  });
});

async function total(model: OnnxModel | DenseModel, parts: readonly Batch[]): Promise<Float64Array> {
  const sum = new Float64Array(model.parameterCount);
  let from = 0;
  for (const { x } of parts) {
    const [rows = 0] = (x as Tensor).shape;
    const part = await model.vjp(x, { data: seed.data.slice(4 * from, 4 * (from + rows)), shape: [rows, 4] });
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + part[i]!;
    from += rows;
  }
  return sum;
}

test('opening and saving end by their signal, and no file is written', async () => {
  const signal = AbortSignal.abort();
  await expect(OnnxModel.open(mlp(), { signal })).rejects.toThrow(AbortError);
  const model = await OnnxModel.open(mlp());
  const path = join(tmpdir(), `afterpass-unwritten-${process.pid}.onnx`);
  await expect(model.save(path, { signal })).rejects.toThrow(AbortError);
  await expect(model.reopen(model.toModel(), { signal })).rejects.toThrow(AbortError);
  expect(existsSync(path)).toBe(false);
  model.dispose();
});

test('Hessian products that come between the steps of another keep their bits', async () => {
  const model = DenseModel.fromOnnx(mlp());
  const v = model.getParameters();
  const alone = await model.hvp(large, v);
  const again = [await model.hvp(large, v), await model.hvp(large, v)]; // passes are kept from the second on
  const together = await Promise.all([model.hvp(large, v), model.hvp(small, v), model.gradient(large), model.hvp(large, v)]);
  expect([...again, together[0], together[3]]).toEqual([alone, alone, alone, alone]);
  model.dispose();
});

test('a stepper counts, names the total where it is known, and keeps what the work returns', async () => {
  const told: unknown[] = [];
  const step = stepper({ onProgress: (progress) => void told.push(progress) }, 2);
  expect([await step(() => 1), await step(async () => 2)]).toEqual([1, 2]);
  expect(told).toEqual([
    { done: 1, total: 2 },
    { done: 2, total: 2 },
  ]);
});
