import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import type { FloatArray, Tensor } from '../../src/core/tensor.js';
import { decodeModel, encodeModel } from '../../src/onnx/model.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';
import { mlp, node, twoInputs } from '../helpers/models.js';

const n = 7;
const batch: Batch = { x: { data: randomF64(n * 3, 3), shape: [n, 3] }, y: Int32Array.of(0, 3, 1, 2, 2, 0, 1) };
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);

let model: OnnxModel;
beforeAll(async () => {
  model = await OnnxModel.open(mlp());
});
afterAll(() => model.dispose());

/** The same mathematics in plain numbers: mean cross-entropy of the MLP at parameters w. */
function lossAt(w: FloatArray, { x, y }: Batch = batch, weights: number[] = new Array(n).fill(1)): number {
  const data = (x as Tensor).data;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const h = Array.from({ length: 5 }, (_, j) =>
      Math.tanh([0, 1, 2].reduce((s, k) => s + (w[j * 3 + k] as number) * Number(data[i * 3 + k]), w[15 + j] as number)),
    );
    const z = Array.from({ length: 4 }, (_, j) => h.reduce((s, v, k) => s + (w[20 + j * 5 + k] as number) * v, w[40 + j] as number));
    sum += (weights[i] as number) * (Math.log(z.reduce((s, v) => s + Math.exp(v), 0)) - (z[Number((y as Int32Array)[i])] as number));
  }
  return sum / weights.reduce((a, b) => a + b, 0);
}

test('the layout names every parameter with its node and role, in the order of the file', () => {
  expect(model.precision).toBe('float64');
  expect(model.parameterCount).toBe(44);
  expect(model.layout).toEqual([
    { name: 'w1', node: 'Gemm_h', opType: 'Gemm', role: 'weight', shape: [5, 3], offset: 0 },
    { name: 'b1', node: 'Gemm_h', opType: 'Gemm', role: 'bias', shape: [5], offset: 15 },
    { name: 'w2', node: 'Gemm_logits', opType: 'Gemm', role: 'weight', shape: [4, 5], offset: 20 },
    { name: 'b2', node: 'Gemm_logits', opType: 'Gemm', role: 'bias', shape: [4], offset: 40 },
  ]);
});

test('loss and gradient agree with the same network in plain numbers', async () => {
  const w = model.getParameters();
  const { value, grad } = await model.gradient(batch);
  expectClose(await model.loss(batch), lossAt(w), { rtol: 1e-13 });
  expectClose(value, lossAt(w), { rtol: 1e-13 });
  expectClose(
    grad,
    numericalGradient((p) => lossAt(p), w),
    { atol: 1e-9 },
  );
});

test('a list of batches has the mean over all its samples, weights included', async () => {
  const cut = (from: number, to: number): Batch => ({
    x: { data: (batch.x as Tensor<Float64Array>).data.slice(from * 3, to * 3), shape: [to - from, 3] },
    y: (batch.y as Int32Array).slice(from, to),
  });
  const whole = await model.gradient(batch);
  const parts = await model.gradient([cut(0, 2), cut(2, 7)]);
  expectClose(parts.grad, whole.grad, { rtol: 1e-13, atol: 1e-15 });
  const stream = await model.gradient(async function* () {
    yield cut(0, 6);
    yield cut(6, 7);
  });
  expectClose(stream.value, whole.value, { rtol: 1e-13 });
  const weights = Float64Array.of(1, 2, 0, 1, 0.5, 3, 1);
  expectClose(await model.loss({ ...batch, weights }), lossAt(model.getParameters(), batch, [...weights]), { rtol: 1e-13 });
  expectClose(
    (await model.gradient({ ...batch, weights })).grad,
    numericalGradient((p) => lossAt(p, batch, [...weights]), model.getParameters()),
    { atol: 1e-9 },
  );
});

test('batches without weight count nowhere, and nothing but such batches is refused', async () => {
  const empty: Batch = { ...batch, weights: new Float64Array(n) };
  const whole = await model.gradient(batch);
  const { value, grad } = await model.gradient([empty, batch, empty]);
  expect(value).toBe(whole.value);
  expect(grad).toEqual(whole.grad);
  await expect(model.gradient([empty])).rejects.toThrow(/data: expected at least one sample with weight, got none/);
});

test('what a call returns belongs to its caller', async () => {
  const { grad } = await model.gradient(batch);
  const want = grad.slice();
  grad.fill(7);
  expect((await model.gradient(batch)).grad).toEqual(want);
});

test('hvp is the derivative of the gradient along v', async () => {
  const w = model.getParameters();
  const v = randomF64(44, 9);
  const at = async (step: number): Promise<FloatArray> => {
    const other = await OnnxModel.open(mlp());
    other.setParameters(w.map((value, i) => value + step * (v[i] as number)));
    const { grad } = await other.gradient(batch);
    other.dispose();
    return grad;
  };
  const [up, down] = [await at(1e-5), await at(-1e-5)];
  expectClose(
    await model.hvp(batch, v),
    up.map((g, i) => (g - (down[i] as number)) / 2e-5),
    { atol: 1e-8 },
  );
});

test('the Gauss–Newton product is Jᵀ·H·J from jvp, vjp and the softmax Hessian', async () => {
  const v = randomF64(44, 11);
  const { data: logits } = await model.predict(batch.x);
  const { data: along } = await model.jvp(batch.x, v);
  const bent = new Float64Array(n * 4);
  for (let i = 0; i < n; i++) {
    const z = Array.from({ length: 4 }, (_, k) => Math.exp(Number(logits[4 * i + k])));
    const p = z.map((e) => e / z.reduce((a, b) => a + b));
    const u = Array.from({ length: 4 }, (_, k) => Number(along[4 * i + k]));
    for (let k = 0; k < 4; k++) bent[4 * i + k] = ((p[k] as number) * ((u[k] as number) - dot(p, u))) / n;
  }
  expectClose(await model.ggnvp(batch, v), await model.vjp(batch.x, { data: bent, shape: [n, 4] }), { rtol: 1e-10, atol: 1e-14 });
});

test('jvp and vjp are adjoint', async () => {
  const v = randomF64(44, 12);
  const cotangent = { data: randomF64(n * 4, 13), shape: [n, 4] };
  expectClose(dot((await model.jvp(batch.x, v)).data as Float64Array, cotangent.data), dot(await model.vjp(batch.x, cotangent), v), {
    rtol: 1e-12,
  });
});

test('the mean of per-sample gradients is the gradient, and a choice of slots is a choice of columns', async () => {
  const all = await model.perSampleGradients(batch);
  const { grad } = await model.gradient(batch);
  const mean = grad.map((_, k) => Array.from({ length: n }, (_, i) => Number(all.data[i * 44 + k])).reduce((a, b) => a + b) / n);
  expectClose(mean, grad, { rtol: 1e-12, atol: 1e-15 });
  const some = await model.perSampleGradients(batch, { slots: ['w2', 'b1'] });
  expect(some.shape).toEqual([n, 25]);
  for (let i = 0; i < n; i++)
    expectClose((some.data as Float64Array).slice(i * 25, (i + 1) * 25), (all.data as Float64Array).slice(i * 44 + 15, i * 44 + 40), {
      rtol: 1e-12,
    });
  const out = { data: new Float64Array(n * 44), shape: [n, 44] };
  expect(await model.perSampleGradients(batch, { out })).toBe(out);
  expect(out.data).toEqual(all.data);
});

test('the input gradient agrees with differences of the loss', async () => {
  const { grad } = await model.inputGradient(batch);
  const x = batch.x as Tensor<Float64Array>;
  const w = model.getParameters();
  const want = numericalGradient((data) => lossAt(w, { ...batch, x: { data, shape: x.shape } }), x.data);
  expectClose((grad as Tensor<Float64Array>).data, want, { atol: 1e-9 });
});

test('baked, live and chosen-by-itself weights give the same numbers while parameters change', async () => {
  const models = await Promise.all(
    (['baked', 'live', undefined] as const).map((weights) => OnnxModel.open(mlp(), weights ? { weights } : {})),
  );
  const random = new Random(4);
  for (let step = 0; step < 9; step++) {
    const w = random.fill(new Float64Array(44));
    const results = await Promise.all(
      models.map(async (m) => {
        if (step % 5 !== 4) m.setParameters(w); // a pause, so that the third model bakes again
        return (await m.gradient(batch)).grad;
      }),
    );
    expectClose(results[1] as FloatArray, results[0] as FloatArray, { rtol: 1e-12, atol: 1e-15 });
    expectClose(results[2] as FloatArray, results[0] as FloatArray, { rtol: 1e-12, atol: 1e-15 });
  }
  for (const m of models) m.dispose();
});

test('a call uses the parameters at its start, and calls queue', async () => {
  const m = await OnnxModel.open(mlp());
  const w = m.getParameters();
  const before = m.loss(batch);
  m.setParameters(w.map((v) => 2 * v));
  const after = m.loss(batch);
  expectClose(await before, lossAt(w), { rtol: 1e-12 });
  expectClose(await after, lossAt(w.map((v) => 2 * v)), { rtol: 1e-12 });
  m.dispose();
});

test('a model with two inputs takes a record, and its input gradient is one', async () => {
  const m = await OnnxModel.open(twoInputs());
  const x = { a: { data: randomF64(9, 1), shape: [3, 3] }, b: { data: randomF64(6, 2), shape: [3, 2] } };
  const two: Batch = { x, y: Uint8Array.of(2, 0, 1) };
  const { grad } = await m.inputGradient(two);
  const losses = async (b: Float64Array): Promise<number> => m.loss({ ...two, x: { ...x, b: { data: b, shape: [3, 2] } } });
  for (let i = 0; i < 6; i++) {
    const moved = (step: number): Float64Array => x.b.data.map((v, k) => (k === i ? v + step : v));
    const slope = ((await losses(moved(1e-5))) - (await losses(moved(-1e-5)))) / 2e-5;
    expectClose(Number((grad as Record<string, Tensor>).b?.data[i]), slope, { atol: 1e-9 });
  }
  expect((await m.perSampleGradients(two)).shape).toEqual([3, 12 + 8 + 12]);
  await expect(m.predict(x.a)).rejects.toThrow(/x: expected a record with a, b, got one tensor/);
  m.dispose();
});

test('the mean squared error is the mean over samples and outputs', async () => {
  const m = await OnnxModel.open(mlp(), { loss: 'mse' });
  const y = { data: randomF64(n * 4, 8), shape: [n, 4] };
  const { data } = await m.predict(batch.x);
  const want = y.data.reduce((sum, t, i) => sum + (t - Number(data[i])) ** 2, 0) / (n * 4);
  expectClose(await m.loss({ x: batch.x, y }), want, { rtol: 1e-12 });
  expectClose((await m.gradient({ x: batch.x, y })).value, want, { rtol: 1e-12 });
  m.dispose();
});

test('ignored labels do not count, and class weights divide as they multiply', async () => {
  const m = await OnnxModel.open(mlp(), { loss: { name: 'cross-entropy', ignoreIndex: -100, classWeights: [1, 2, 0.5, 1] } });
  const y = Int32Array.from(batch.y as Int32Array, (label, i) => (i === 3 ? -100 : label));
  const weights = Array.from(y, (label) => [1, 2, 0.5, 1][label] ?? 0);
  const clean = { ...batch, y: y.map((label) => Math.max(0, label)) };
  expectClose(await m.loss({ ...batch, y }), lossAt(m.getParameters(), clean, weights), { rtol: 1e-12 });
  expect(Array.from((await m.perSampleGradients({ ...batch, y })).data as Float64Array).slice(3 * 44, 4 * 44)).toEqual(
    new Array(44).fill(0),
  );
  m.dispose();
});

test.each<[string, Partial<Batch>, RegExp]>([
  [
    'a label out of range',
    { y: Int32Array.of(0, 1, 2, 3, 4, 0, 0) },
    /y: expected labels from 0 to 3, got 4 at index 4 \(label out of range\)/,
  ],
  ['a negative label', { y: Int32Array.of(0, 1, 2, 3, 0, 0, -1) }, /got -1 at index 6/],
  ['too few labels', { y: Int32Array.of(0, 1) }, /y: expected labels of shape \[7\], got 2/],
  [
    'labels that are floats',
    { y: { data: new Float32Array(7), shape: [7] } },
    /y: expected integer labels for cross-entropy, got Float32Array/,
  ],
  ['another shape', { x: { data: new Float64Array(14), shape: [7, 2] } }, /x: expected shape \[N, 3\], got \[7, 2\]/],
  ['NaN in the data', { x: { data: new Float64Array(21).fill(NaN), shape: [7, 3] } }, /x: expected finite numbers, got NaN at index 0/],
  ['weights of another length', { weights: new Float64Array(3) }, /weights: expected 7 elements, got 3/],
])('%s is refused by name before anything runs', async (_, change, message) => {
  await expect(model.gradient({ ...batch, ...change })).rejects.toThrow(message);
  await expect(model.loss({ ...batch, ...change })).rejects.toThrow(message);
});

test('parameters that are not d finite numbers are refused', () => {
  expect(() => model.setParameters(new Float64Array(3))).toThrow(/w: expected 44 elements, got 3/);
  expect(() => model.setParameters(new Float64Array(44).fill(Infinity))).toThrow(/w: expected finite numbers/);
});

test('save writes the parameters as they are now, to bytes and to a file, and keeps the metadata', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'afterpass-save-'));
  const m = await OnnxModel.open(encodeModel(mlp()));
  const w = m.getParameters().map((v) => 3 * v);
  m.setParameters(w);
  m.metadata.set('note', 'tripled');
  const path = join(folder, 'm.onnx');
  const bytes = await m.save(path);
  expect(new Uint8Array(readFileSync(path))).toEqual(bytes);
  expect(decodeModel(bytes).metadata.get('note')).toBe('tripled');
  const again = await OnnxModel.open(path);
  expect(again.getParameters()).toEqual(w);
  expect((await again.predict(batch.x)).data).toEqual((await m.predict(batch.x)).data);
  for (const each of [m, again]) each.dispose();
  rmSync(folder, { recursive: true });
});

test('a half-precision model computes in float32 and is written in half precision', async () => {
  const m = await OnnxModel.open(mlp('float16'));
  expect(m.precision).toBe('float32');
  const saved = decodeModel(await m.save());
  expect(saved.graph.initializers.get('w1')?.type).toBe('float16');
  expect(saved.graph.initializers.get('w1')?.data).toEqual(mlp('float16').graph.initializers.get('w1')?.data);
  const w = m.getParameters();
  expectClose(
    (await m.gradient(batch)).grad,
    numericalGradient((p) => lossAt(p), Float64Array.from(w)),
    { atol: 1e-5 },
  );
  m.dispose();
});

test('wrt chooses the parameters: all float initializers, or names', async () => {
  const scaled = mlp();
  node(scaled.graph, 'Div', ['logits', 'scale'], 'scaled');
  scaled.graph.initializers.set('scale', { type: 'float64', data: Float64Array.of(2), shape: [] });
  scaled.graph.outputs = [{ name: 'scaled', type: 'float64', shape: ['N', 4] }];
  const all = await OnnxModel.open(scaled, { wrt: 'all' });
  expect(all.layout.map(({ name }) => name)).toContain('scale');
  const two = await OnnxModel.open(scaled, { wrt: ['b2', 'w1'], weights: 'live' });
  expect(two.layout.map(({ name, offset }) => [name, offset])).toEqual([
    ['w1', 0],
    ['b2', 15],
  ]);
  const whole = (await all.gradient(batch)).grad;
  const at = (name: string): number => all.layout.find((slot) => slot.name === name)?.offset as number;
  const { grad } = await two.gradient(batch);
  expectClose(grad.subarray(0, 15), whole.subarray(at('w1'), at('w1') + 15), { rtol: 1e-12 });
  expectClose(grad.subarray(15), whole.subarray(at('b2'), at('b2') + 4), { rtol: 1e-12 });
  await expect(OnnxModel.open(scaled, { wrt: ['nothing'] })).rejects.toThrow(/wrt: expected one of .*, got 'nothing'/);
  for (const m of [all, two]) m.dispose();
});

test('an operator without a rule is named with its node, before anything runs', async () => {
  const odd = mlp();
  node(odd.graph, 'Det', ['logits'], 'odd', {}, 'com.example');
  odd.graph.outputs = [{ name: 'odd', type: 'float64', shape: ['N', 4] }];
  const m = await OnnxModel.open(odd);
  await expect(m.gradient(batch)).rejects.toThrow(/com.example.Det \(Det_odd\)/);
  m.dispose();
});

test('a model is refused after dispose', async () => {
  const m = await OnnxModel.open(mlp());
  await m.loss(batch);
  m.dispose();
  await expect(m.loss(batch)).rejects.toThrow(/model: expected a model in use, got one after dispose/);
});
