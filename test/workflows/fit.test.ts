import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { evaluate, fit } from '../../src/workflows/index.js';
import { expectClose } from '../helpers/close.js';
import { mlp } from '../helpers/models.js';

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

test.each(['adam', 'sgd'] as const)(
  '%s trains a network to tell clouds apart, and the same seed gives the same course',
  async (optimizer) => {
    const train = clouds(200, 1);
    const options = { optimizer, epochs: 15, batchSize: 32, learningRate: optimizer === 'adam' ? 0.02 : 0.5, seed: 3 };
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

test('masked parameters do not move', async () => {
  const model = await OnnxModel.open(mlp('float32'));
  const before = model.getParameters();
  const mask = Uint8Array.from(before, (_, i) => i % 2);
  await fit(model, clouds(64, 1), { mask, learningRate: 0.05 });
  const after = model.getParameters();
  for (let i = 0; i < mask.length; i++) expect(after[i] === before[i]).toBe(!mask[i]);
  model.dispose();
});

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
