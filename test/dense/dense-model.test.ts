import type { Batch } from '../../src/core/model-types.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { type Activation, activationCodes } from '../../src/kernels/activations.js';
import { expectClose, randomF32, randomF64, relativeError } from '../helpers/close.js';

const activations = Object.keys(activationCodes) as Activation[];

/** A 5-4-3 network and 9 samples. */
function example(activation: Activation, loss: 'cross-entropy' | 'mse', options: { bias?: boolean; last?: Activation } = {}) {
  const { bias = true, last = 'identity' } = options;
  const model = DenseModel.create({
    layers: [
      { weight: { data: randomF64(20, 1), shape: [4, 5] }, ...(bias && { bias: randomF64(4, 2) }), activation },
      { weight: { data: randomF64(12, 3), shape: [3, 4] }, ...(bias && { bias: randomF64(3, 4) }), activation: last },
    ],
    loss,
  });
  const batch: Batch = {
    x: { data: randomF64(45, 5), shape: [9, 5] },
    y: loss === 'mse' ? { data: randomF64(27, 6), shape: [9, 3] } : Int32Array.of(0, 1, 2, 2, 1, 0, 0, 1, 2),
  };
  return { model, batch, d: model.parameterCount };
}

/** Central differences of a vector function of the parameters, along v. */
async function along(model: DenseModel, v: ArrayLike<number>, f: () => Promise<ArrayLike<number>>, h = 1e-5): Promise<Float64Array> {
  const w = model.getParameters();
  model.setParameters(w.map((x, i) => x + h * v[i]!));
  const high = Float64Array.from(await f());
  model.setParameters(w.map((x, i) => x - h * v[i]!));
  const low = Float64Array.from(await f());
  model.setParameters(w);
  return high.map((x, i) => (x - low[i]!) / (2 * h));
}

describe.each(['cross-entropy', 'mse'] as const)('%s', (loss) => {
  test.each(activations)('with %s: gradient and HVP are those of differences', async (activation) => {
    const { model, batch, d } = example(activation, loss, { last: activation === 'relu' ? 'tanh' : 'identity' });
    const v = randomF64(d, 7);
    const { grad, value } = await model.gradient(batch);
    expectClose(value, await model.loss(batch), { rtol: 1e-14 });
    expectClose(
      Float64Array.from(grad).reduce((sum, x, i) => sum + x * v[i]!, 0),
      (await along(model, v, async () => [await model.loss(batch)]))[0]!,
      { rtol: 1e-6, atol: 1e-9 },
    );
    const differences = await along(model, v, async () => (await model.gradient(batch)).grad);
    expect(relativeError(await model.hvp(batch, v), differences)).toBeLessThan(1e-7);
  });

  test('the Hessian is symmetric and the Gauss–Newton matrix is positive semidefinite', async () => {
    const { model, batch, d } = example('tanh', loss);
    const [u, v] = [randomF64(d, 8), randomF64(d, 9)];
    const inner = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0);
    expectClose(inner(u, await model.hvp(batch, v)), inner(v, await model.hvp(batch, u)), { rtol: 1e-12 });
    expectClose(inner(u, await model.ggnvp(batch, v)), inner(v, await model.ggnvp(batch, u)), { rtol: 1e-12 });
    expect(inner(v, await model.ggnvp(batch, v))).toBeGreaterThan(0);
  });

  test('for a linear model Hessian and Gauss–Newton products are the same', async () => {
    const model = DenseModel.create({ layers: [{ weight: { data: randomF64(15), shape: [3, 5] }, bias: [0, 0, 0] }], loss });
    const { batch } = example('tanh', loss);
    const v = randomF64(18, 2);
    expectClose(await model.hvp(batch, v), await model.ggnvp(batch, v), { atol: 1e-15 });
  });

  test('per-sample gradients average to the gradient, and the named slots are its columns', async () => {
    const { model, batch, d } = example('gelu', loss);
    const { data, shape } = await model.perSampleGradients(batch);
    expect(shape).toEqual([9, d]);
    const { grad } = await model.gradient(batch);
    expectClose(
      Float64Array.from({ length: d }, (_, j) => [...Array(9).keys()].reduce((s, i) => s + data[i * d + j]! / 9, 0)),
      grad,
      { atol: 1e-14 },
    );
    const slots = await model.perSampleGradients(batch, { slots: ['layers.1.bias', 'layers.0.bias'] });
    expect(slots.shape).toEqual([9, 7]);
    expectClose(slots.data.slice(0, 7), [...data.slice(20, 24), ...data.slice(36, 39)]);
    const out = { data: new Float64Array(9 * d), shape: [9, d] };
    expect(await model.perSampleGradients(batch, { out })).toBe(out);
    expectClose(out.data, data);
  });
});

test('without biases the layout has weights only, and the gradient is still that of differences', async () => {
  const { model, batch, d } = example('sigmoid', 'mse', { bias: false });
  expect(model.layout.map(({ role }) => role)).toEqual(['weight', 'weight']);
  const v = randomF64(d, 7);
  expect(relativeError(await model.hvp(batch, v), await along(model, v, async () => (await model.gradient(batch)).grad))).toBeLessThan(
    1e-7,
  );
});

test('weights weigh samples: doubling one equals repeating it, and weight 0 leaves it out', async () => {
  const { model } = example('tanh', 'cross-entropy');
  const x = randomF64(15, 5);
  const y = Int32Array.of(0, 1, 2);
  const weighted = await model.gradient({ x: { data: x, shape: [3, 5] }, y, weights: Float64Array.of(2, 0, 1) });
  const repeated = await model.gradient({
    x: { data: Float64Array.of(...x.slice(0, 5), ...x.slice(0, 5), ...x.slice(10)), shape: [3, 5] },
    y: Int32Array.of(0, 0, 2),
  });
  expectClose(weighted.grad, repeated.grad, { atol: 1e-15 });
  expectClose(weighted.value, repeated.value, { rtol: 1e-14 });
});

test('one batch, a list of unequal batches and an async stream give the same means', async () => {
  const { model, d } = example('tanh', 'cross-entropy');
  const n = 700; // more than two chunks
  const x = randomF64(n * 5, 5);
  const y = Int32Array.from({ length: n }, (_, i) => i % 3);
  const part = (from: number, to: number): Batch => ({
    x: { data: x.subarray(from * 5, to * 5), shape: [to - from, 5] },
    y: y.subarray(from, to),
  });
  const parts = [part(0, 1), part(1, 300), part(300, n)];
  const v = randomF64(d, 3);
  const whole = await model.hvp(part(0, n), v);
  expectClose(await model.hvp(parts, v), whole, { atol: 1e-14 });
  async function* stream() {
    yield* parts;
  }
  expectClose(await model.hvp(stream, v), whole, { atol: 1e-14 });
  expectClose((await model.gradient(stream)).value, await model.loss(part(0, n)), { rtol: 1e-13 });
});

test('a call uses the parameters it started with', async () => {
  const { model, batch } = example('tanh', 'mse');
  const before = await model.loss(batch);
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* late() {
    await gate;
    yield batch;
  }
  const running = model.loss(late);
  model.setParameters(model.getParameters().fill(0));
  const zeroed = await model.loss(batch);
  release();
  expect(await running).toBe(before);
  expect(zeroed).not.toBe(before);
});

test('Jacobian products are adjoint, and per-sample ones sum to the whole', async () => {
  const { model, batch, d } = example('gelu-tanh', 'cross-entropy');
  const v = randomF64(d, 1);
  const seed = { data: randomF64(27, 2), shape: [9, 3] };
  const jv = await model.jvp(batch.x, v);
  expectClose(jv.data, await along(model, v, async () => (await model.predict(batch.x)).data), { atol: 1e-8 });
  const jts = await model.vjp(batch.x, seed);
  const left = seed.data.reduce((sum, x, i) => sum + x * jv.data[i]!, 0);
  expectClose(
    left,
    v.reduce((sum, x, i) => sum + x * jts[i]!, 0),
    { rtol: 1e-12 },
  );
  const rows = await model.perSampleVjp(batch.x, seed);
  expectClose(
    Float64Array.from({ length: d }, (_, j) => [...Array(9).keys()].reduce((s, i) => s + rows.data[i * d + j]!, 0)),
    jts,
    { atol: 1e-13 },
  );
});

test('the input gradient is that of differences, in the shape of the input, weights and all', async () => {
  const { model, batch } = example('tanh', 'cross-entropy');
  const weights = randomF64(9, 8).map(Math.abs);
  const x = randomF64(45, 5);
  const at = (points: Float64Array) => ({ ...batch, weights, x: { data: points, shape: [9, 1, 5] } });
  const { value, grad } = await model.inputGradient(at(x));
  expectClose(value, await model.loss(at(x)), { rtol: 1e-14 });
  expect(grad.shape).toEqual([9, 1, 5]);
  for (const i of [0, 7, 44]) {
    const moved = (step: number) => model.loss(at(x.map((v, j) => (j === i ? v + step : v))));
    expectClose(grad.data[i]!, ((await moved(1e-5)) - (await moved(-1e-5))) / 2e-5, { rtol: 1e-6, atol: 1e-10 });
  }
});

test('f32 models answer in f32, close to f64', async () => {
  const { model: wide, batch, d } = example('gelu', 'cross-entropy');
  const model = DenseModel.create({
    layers: [
      { weight: { data: Float32Array.from(randomF64(20, 1)), shape: [4, 5] }, bias: randomF64(4, 2), activation: 'gelu' },
      { weight: { data: randomF64(12, 3), shape: [3, 4] }, bias: randomF64(3, 4) },
    ],
    loss: 'cross-entropy',
  });
  const v = randomF32(d, 3);
  const product = await model.hvp(batch, v);
  expect(product).toBeInstanceOf(Float32Array);
  expect(relativeError(product, await wide.hvp(batch, Float64Array.from(v)))).toBeLessThan(1e-6);
});

test('images are flattened, ORT tensors and BigInt labels are accepted', async () => {
  const { model, batch } = example('tanh', 'cross-entropy');
  const x = { data: randomF64(45, 5), dims: [9, 1, 5] };
  const y = BigInt64Array.from([0, 1, 2, 2, 1, 0, 0, 1, 2], BigInt);
  expect(await model.loss({ x, y })).toBe(await model.loss(batch));
  expect(await model.loss({ x: { input: x }, y })).toBe(await model.loss(batch));
});

test('no samples give empty predictions; a loss over none is refused by name', async () => {
  const { model } = example('tanh', 'cross-entropy');
  const none = { x: { data: new Float64Array(0), shape: [0, 5] }, y: new Int32Array(0) };
  expect((await model.predict(none.x)).shape).toEqual([0, 3]);
  expect((await model.perSampleGradients(none)).shape).toEqual([0, model.parameterCount]);
  await expect(model.loss(none)).rejects.toThrow(/data: expected samples with a positive sum of weights, got 0/);
});

test('huge logits keep loss and gradient finite', async () => {
  const { model, batch, d } = example('tanh', 'cross-entropy');
  model.setParameters(randomF64(d).map((x) => x * 1e4));
  const { value, grad } = await model.gradient(batch);
  expect(Number.isFinite(value)).toBe(true);
  expect(grad.every(Number.isFinite)).toBe(true);
});

test('bad data is refused by name', async () => {
  const { model, batch, d } = example('tanh', 'cross-entropy');
  const x = randomF64(45, 5);
  await expect(model.loss({ ...batch, x: { data: x, shape: [5, 9] } })).rejects.toThrow(/x: expected shape \[n, 5\], got \[5, 9\]/);
  await expect(model.loss({ ...batch, x: { data: x.fill(NaN), shape: [9, 5] } })).rejects.toThrow(/x: expected finite numbers, got NaN/);
  await expect(model.loss({ ...batch, y: new Int32Array(9).fill(3) })).rejects.toThrow(/y: expected labels from 0 to 2, got 3 at index 0/);
  await expect(model.loss({ ...batch, y: new Int32Array(8) })).rejects.toThrow(/y: expected 9 elements, got 8/);
  await expect(model.loss({ ...batch, weights: new Float64Array(9) })).rejects.toThrow(/positive sum of weights/);
  await expect(model.hvp(batch, new Float64Array(d - 1))).rejects.toThrow(/v: expected 39 elements, got 38/);
  await expect(model.perSampleGradients(batch, { slots: ['nothing'] })).rejects.toThrow(/slots: expected names from the layout/);
  expect(() => model.setParameters(new Float64Array(d).fill(Infinity))).toThrow(/w: expected finite numbers/);
  const weight = { data: randomF64(6), shape: [2, 3] };
  expect(() => DenseModel.create({ layers: [], loss: 'mse' })).toThrow(/layers: expected at least one layer/);
  expect(() => DenseModel.create({ layers: [{ weight }, { weight }], loss: 'mse' })).toThrow(
    /layers\[1\].weight: expected shape \[any, 2\], got \[2, 3\]/,
  );
  expect(() => DenseModel.create({ layers: [{ weight, bias: [1] }], loss: 'mse' })).toThrow(/layers\[0\].bias: expected 2 elements, got 1/);
  expect(() => DenseModel.create({ layers: [{ weight, activation: 'swish' as 'relu' }], loss: 'mse' })).toThrow(
    /activation: expected one of/,
  );
  expect(() => DenseModel.create({ layers: [{ weight }], loss: 'hinge' as 'mse' })).toThrow(/loss: expected one of cross-entropy, mse/);
});

test('ten thousand HVPs leave the memory as it was; a disposed model says so', async () => {
  const { model, batch, d } = example('tanh', 'cross-entropy');
  const v = randomF64(d, 1);
  await model.hvp(batch, v);
  const before = model.bytes;
  const memory = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 10_000; i++) await model.hvp(batch, v);
  expect(model.bytes).toBe(before);
  expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(64e6);
  model.dispose();
  expect(model.bytes).toBe(0);
  await expect(model.loss(batch)).rejects.toThrow(/model: expected a model in use, got one after dispose/);
});

describe('forward passes kept between products', () => {
  const wide = (seed: number) => {
    const layers = [
      { weight: { data: randomF64(42, seed), shape: [7, 6] }, bias: randomF64(7, 2), activation: 'tanh' as const },
      { weight: { data: randomF64(21, 3), shape: [3, 7] } },
    ];
    return DenseModel.create({ layers, loss: 'cross-entropy' });
  };
  const batch = (n: number) => ({ x: { data: randomF64(6 * n, 5), shape: [n, 6] }, y: Int32Array.from({ length: n }, (_, i) => i % 3) });

  test.each([5, 256, 700, 1500])('%i samples: repeated products are those of a fresh model', async (n) => {
    const [model, data] = [wide(1), batch(n)];
    for (let call = 0; call < 4; call++) {
      const v = randomF64(model.parameterCount, call);
      expectClose(await model.hvp(data, v), await wide(1).hvp(data, v), { rtol: 1e-13, atol: 1e-15 });
      expectClose(await model.ggnvp(data, v), await wide(1).ggnvp(data, v), { rtol: 1e-13, atol: 1e-15 });
    }
  });

  test('inputs changed in place, labels, parameters and other batches are all noticed', async () => {
    const [model, data] = [wide(1), batch(40)];
    const v = randomF64(model.parameterCount, 9);
    const same = async (other: DenseModel, changed = data) =>
      expectClose(await model.hvp(changed, v), await other.hvp(changed, v), { rtol: 1e-13, atol: 1e-15 });
    for (let call = 0; call < 3; call++) await same(wide(1));
    data.x.data[17]! += 0.5;
    await same(wide(1));
    await same(wide(1));
    data.y[3] = (data.y[3]! + 1) % 3;
    await same(wide(1));
    await model.gradient(batch(300));
    await same(wide(1));
    await same(wide(1), batch(90));
    await same(wide(1));
    await same(wide(1));
    const w = wide(4).getParameters();
    model.setParameters(w);
    const other = wide(1);
    other.setParameters(w);
    for (let call = 0; call < 3; call++) await same(other);
  });
});
