import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { evaluate, type FitOptions, fit, optimizerNames } from '../../src/workflows/index.js';
import { expectClose } from '../helpers/close.js';
import { mlp } from '../helpers/models.js';
import { network } from '../helpers/quadratic.js';

/** Four clouds around the corners of a tetrahedron, labelled by corner. */
function clouds(n: number, seed: number): Batch {
  const random = new Random(seed);
  const corners = [
    [1, 1, 1],
    [1, -1, -1],
    [-1, 1, -1],
    [-1, -1, 1],
  ];
  const y = Uint8Array.from({ length: n }, (_, i) => i % 4);
  const data = Float64Array.from(
    { length: 3 * n },
    (_, k) => (corners[y[Math.floor(k / 3)] as number]?.[k % 3] as number) + 0.4 * random.normal(),
  );
  return { x: { data, shape: [n, 3] }, y };
}

const rates: Record<string, number> = { adam: 0.02, sgd: 0.5, sam: 0.05, mfac: 0.02, 'mfac-optimizer': 0.02 };

test.each(optimizerNames.filter((name) => name !== 'grad-norm-smooth-newton'))(
  '%s trains a network to tell clouds apart, and the same seed gives the same course',
  async (optimizer) => {
    const train = clouds(200, 1);
    const settings = optimizer.startsWith('mfac') ? { window: 32, damping: 0.01 } : {};
    const options = { optimizer, epochs: 15, batchSize: 32, learningRate: rates[optimizer]!, seed: 3, settings };
    const courses = [];
    for (let run = 0; run < 2; run++) {
      const model = await OnnxModel.open(mlp('float32'));
      const before = await evaluate(model, train);
      const { history, steps } = await fit(model, train, options);
      const after = await evaluate(model, clouds(100, 2));
      expect(steps).toBe(15 * 7);
      expect(history).toHaveLength(15);
      expect(after.loss).toBeLessThan(before.loss / 3);
      expect(after.accuracy).toBeGreaterThan(0.95);
      courses.push(history);
      model.dispose();
    }
    expect(courses[0]).toEqual(courses[1]);
  },
);

test("Newton's method moves along all data at once, to a gradient near zero on a convex problem", async () => {
  const { model, batch } = network([3, 4], 60, { seed: 2 });
  const before = (await model.gradient(batch)).grad;
  const { history, steps } = await fit(model, batch, { optimizer: 'grad-norm-smooth-newton', epochs: 30 });
  expect(steps).toBe(history.length);
  const after = (await model.gradient(batch)).grad;
  expect(Math.hypot(...after)).toBeLessThan(1e-5 * Math.hypot(...before));
});

test('options that an optimizer does not take are refused by name, before any step', async () => {
  const model = await OnnxModel.open(mlp('float32'));
  const before = model.getParameters();
  const refused = (options: FitOptions, message: RegExp) => expect(fit(model, clouds(8, 1), options)).rejects.toThrow(message);
  await refused({ optimizer: 'lion' }, /optimizer: expected one of adam, .*mfac, .*sam, sgd, got 'lion'/);
  await refused({ optimizer: 'trajectory-loss' }, /optimizer: expected one of/);
  await refused(
    { optimizer: 'adam', settings: { window: 8 } },
    /window: expected no such option for adam, which takes learningRate, weightDecay/,
  );
  await refused({ optimizer: 'mfac', settings: { damping: -1 } }, /damping: expected a number > 0, got -1/);
  await refused({ optimizer: 'sam', settings: { rho: 0 } }, /rho: expected a number > 0, got 0/);
  const newton = 'grad-norm-smooth-newton';
  await refused({ optimizer: newton, learningRate: 1 }, /learningRate: expected no such option for grad-norm/);
  await refused({ optimizer: newton, batchSize: 8 }, /batchSize: expected none for grad-norm/);
  await refused({ optimizer: newton, mask: new Uint8Array(before.length) }, /mask: expected none for grad-norm/);
  expect(model.getParameters()).toEqual(before);
  model.dispose();
});

test.each(['huber', 'binary-cross-entropy'] as const)('%s trains on dense targets, and refuses what does not fit', async (loss) => {
  const model = await OnnxModel.open(mlp('float32'), { loss });
  const { x, y } = clouds(64, 1);
  const targets = new Float32Array(64 * 4);
  for (let i = 0; i < 64; i++) targets[4 * i + Number((y as Uint8Array)[i])] = 1;
  const data = { x, y: { data: targets, shape: [64, 4] } };
  const before = await evaluate(model, data);
  await fit(model, data, { epochs: 20, learningRate: 0.02 });
  const after = await evaluate(model, data);
  expect(after.loss).toBeLessThan(before.loss / 2);
  expect(after.accuracy).toBeNull();
  await expect(fit(model, { x, y })).rejects.toThrow(new RegExp(`y: expected targets of shape \\[64, 4\\] for ${loss}, got 64`));
  if (loss === 'binary-cross-entropy') {
    // Integers 0 and 1, one for each logit, are labels: a positive logit says 1.
    const y01 = Uint8Array.from(targets);
    const { data: logits } = await model.predict(x);
    const right = y01.filter((label, i) => Number(logits[i]) > 0 === (label === 1)).length;
    expect((await evaluate(model, { x, y: y01 })).accuracy).toBe(right / y01.length);
    targets[5] = 1.5;
    await expect(model.gradient(data)).rejects.toThrow(/y: expected targets from 0 to 1 for binary-cross-entropy, got 1.5 at index 5/);
  }
  model.dispose();
});

test.each([{}, { optimizer: 'sam' }, { optimizer: 'mfac', settings: { window: 4 } }, { settings: { weightDecay: 0.1 } }])(
  'masked parameters do not move: %j',
  async (options) => {
    const model = await OnnxModel.open(mlp('float32'));
    const before = model.getParameters();
    const mask = Uint8Array.from(before, (_, i) => i % 2);
    await fit(model, clouds(64, 1), { mask, learningRate: 1e-4, ...options });
    const after = model.getParameters();
    for (let i = 0; i < mask.length; i++) expect(after[i] === before[i]).toBe(!mask[i]);
    model.dispose();
  },
);

test('an abort stops between steps, and a loss that explodes is refused', async () => {
  const model = await OnnxModel.open(mlp('float32'));
  const controller = new AbortController();
  const seen: number[] = [];
  const run = fit(model, clouds(64, 1), {
    batchSize: 8,
    signal: controller.signal,
    onProgress: ({ done, total }) => {
      seen.push(done);
      expect(total).toBe(8);
      if (done === 3) controller.abort();
    },
  });
  await expect(run).rejects.toThrow(/signal: the work was aborted/);
  expect(seen).toEqual([1, 2, 3]);
  await expect(fit(model, clouds(64, 1), { optimizer: 'sgd', learningRate: 1e38, epochs: 9 })).rejects.toThrow(
    /expected (a )?finite number/,
  );
  model.dispose();
});

test('accuracy counts the largest logit and loss is the mean, over batches of any size', async () => {
  const model = await OnnxModel.open(mlp());
  const data = clouds(37, 5);
  const { data: logits } = await model.predict(data.x);
  let right = 0;
  for (let i = 0; i < 37; i++) {
    const row = Array.from({ length: 4 }, (_, k) => Number(logits[4 * i + k]));
    if (row.indexOf(Math.max(...row)) === i % 4) right++;
  }
  for (const batchSize of [1, 8, 37, 100]) {
    const result = await evaluate(model, data, { batchSize });
    expect(result.examples).toBe(37);
    expect(result.accuracy).toBe(right / 37);
    expectClose(result.loss, await model.loss(data), { rtol: 1e-12 });
  }
  const targets = { x: data.x, y: { data: new Float64Array(37 * 4), shape: [37, 4] } };
  const squared = await OnnxModel.open(mlp(), { loss: 'mse' });
  expect((await evaluate(squared, targets)).accuracy).toBeNull();
  for (const m of [model, squared]) m.dispose();
});

test('with ignored labels the loss is the whole data’s, however it is cut, and ignored labels are not counted as right or wrong', async () => {
  const model = await OnnxModel.open(mlp(), { loss: { name: 'cross-entropy', ignoreIndex: -1 } });
  const data = clouds(40, 6);
  // Uneven pieces: one label left in the first ten samples, none in the second ten, all in the others.
  const y = Int32Array.from({ length: 40 }, (_, i) => ((i < 10 && i !== 4) || (i >= 10 && i < 20) ? -1 : i % 4));
  const batch = { x: data.x, y };
  const whole = await model.loss(batch);
  for (const batchSize of [1, 7, 10, 100]) {
    const result = await evaluate(model, batch, { batchSize });
    expectClose(result.loss, whole, { rtol: 1e-12 });
    expect(result.examples).toBe(40);
  }
  await expect(evaluate(model, { x: data.x, y: y.map(() => -1) })).rejects.toThrow(/data: expected at least one sample with weight/);
  model.dispose();

  // An ignored index inside the classes is as little a label as one outside.
  const inside = await OnnxModel.open(mlp(), { loss: { name: 'cross-entropy', ignoreIndex: 2 } });
  const { data: logits } = await inside.predict(data.x);
  let [right, labels] = [0, 0];
  for (let i = 0; i < 40; i++) {
    if (i % 4 === 2) continue;
    labels++;
    const row = Array.from({ length: 4 }, (_, k) => Number(logits[4 * i + k]));
    if (row.indexOf(Math.max(...row)) === i % 4) right++;
  }
  expect((await evaluate(inside, data)).accuracy).toBe(right / labels);
  inside.dispose();
});

test('no data is refused by name, and a stream is read as a list is', async () => {
  const { model, batch } = network([3, 5, 4], 20);
  await expect(fit(model, [])).rejects.toThrow(/data: expected at least one sample, got none/);
  await expect(evaluate(model, [])).rejects.toThrow(/data: expected .*sample/);
  const stream = async function* () {
    yield batch;
  };
  expect(await evaluate(model, stream)).toEqual(await evaluate(model, batch));
});

test('where the second gradient of SAM fails, the model keeps the parameters it had', async () => {
  const { model, batch } = network([3, 5, 4], 20);
  const before = model.getParameters();
  let calls = 0;
  const failing = new Proxy(model, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target);
      if (name === 'gradient')
        return (data: Batch) => {
          if (++calls === 2) throw new RangeError('no second gradient');
          return target.gradient(data);
        };
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await expect(fit(failing, batch, { optimizer: 'sam' })).rejects.toThrow(/no second gradient/);
  expect(model.getParameters()).toEqual(before);
});
