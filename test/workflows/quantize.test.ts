import { Random } from '../../src/core/random.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { fit, quantizeModel } from '../../src/workflows/index.js';
import { mlp } from '../helpers/models.js';

const y = Uint8Array.from({ length: 160 }, (_, i) => i % 4);
const corners = [1, 1, 1, 1, -1, -1, -1, 1, -1, -1, -1, 1];
const random = new Random(2);
const x = {
  data: Float32Array.from({ length: 480 }, (_, k) => corners[3 * y[Math.floor(k / 3)]! + (k % 3)]! + 0.4 * random.normal()),
  shape: [160, 3],
};
const data = { x, y };
let model: OnnxModel;
beforeAll(async () => {
  model = await OnnxModel.open(mlp('float32'));
  await fit(model, data, { epochs: 20, batchSize: 32, learningRate: 0.02 });
});
afterAll(() => model.dispose());

test.each([
  [{}, 0.02],
  [{ perChannel: false, calibration: 'mse' }, 0.02],
  [{ rounding: 'minmax', calibration: 'percentile', percentile: 99.5 }, 0.05],
  [{ rounding: 'discrete', bits: 6 }, 0.05],
  [{ activations: 'int8', activationSymmetric: true, weightType: 'uint8', weightSymmetric: false }, 0.02],
  [{ activations: 'none' }, 0.01],
] as const)('%j keeps the loss of a trained model', async (options, limit) => {
  const before = model.getParameters();
  const result = await quantizeModel(model, data, options);
  expect(Math.abs(result.after.loss - result.before.loss)).toBeLessThan(limit);
  expect(result.perLayer.map(({ name }) => name)).toEqual(['w1', 'w2']);
  expect(Array.from(model.getParameters())).toEqual(Array.from(before));
});

test('a budget of bits is kept, also by the fewest bits there are, and the search is the same for the same seed', async () => {
  const at = (budget: number) => quantizeModel(model, data, { activations: 'none', budget, seed: 3 });
  const [least, narrow, again] = [await at(2), await at(3), await at(3)];
  expect(least.meanBits).toBe(2);
  expect(narrow.meanBits).toBeLessThanOrEqual(3);
  expect(narrow.after.loss).toBeLessThan(least.after.loss);
  expect(again.perLayer).toEqual(narrow.perLayer);
});

test('bad input is refused by name, a fired signal stops the work', async () => {
  await expect(quantizeModel(model, data, { bits: 1 })).rejects.toThrow(/bits: expected an integer from 2 to 8/);
  await expect(quantizeModel(model, data, { budget: 9 })).rejects.toThrow(/budget: expected a number from 2 to 8/);
  await expect(quantizeModel(model, data, { calibration: 'best' as never })).rejects.toThrow(/calibration: expected one of minmax/);
  await expect(quantizeModel(model, data, { include: ['b1'] })).rejects.toThrow(
    /weights: expected float32 weights of Conv, Gemm or MatMul, got 'b1'/,
  );
  await expect(quantizeModel(model, data, { signal: AbortSignal.abort() })).rejects.toThrow();
});
