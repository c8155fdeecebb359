// systems/214: Efficient local linearity regularization to overcome catastrophic overfitting (ELLE, ELLE-A).
import { ElleSchedule, localLinearity } from '../../src/curvature/local-linearity.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { network } from '../helpers/quadratic.js';

test('systems/214: for a loss that is quadratic in the input the error is (½ t(1 − t) dᵀHd)²', async () => {
  // A linear model with mse: ℓ(x) = (wᵀx + b − y)², H = 2wwᵀ.
  const w = randomF64(3, 1);
  const model = DenseModel.create({ layers: [{ weight: { data: w, shape: [1, 3] }, bias: [0.3] }], loss: 'mse' });
  const shape = [4, 3];
  const [from, to] = [randomF64(12, 2), randomF64(12, 3)];
  const fraction = [0.1, 0.5, 0.9, 0];
  const batch = { x: { data: randomF64(12, 4), shape }, y: { data: randomF64(4, 5), shape: [4, 1] } };
  const { perSample, value } = await localLinearity(model, batch, {
    draws: { from: { data: from, shape }, to: { data: to, shape }, fraction },
  });
  const want = fraction.map((t, i) => {
    const along = [0, 1, 2].reduce((sum, j) => sum + w[j]! * (to[i * 3 + j]! - from[i * 3 + j]!), 0);
    return (0.5 * t * (1 - t) * 2 * along * along) ** 2;
  });
  expectClose(perSample, want, { rtol: 1e-9, atol: 1e-15 });
  expectClose(
    value,
    want.reduce((sum, x) => sum + x / 4, 0),
    { rtol: 1e-9 },
  );
});

test('systems/214: the error falls with the fourth power of the radius, and is the same for the same seed', async () => {
  const { model, batch } = network([4, 8, 3], 200);
  const at = async (epsilon: number) => (await localLinearity(model, batch, { epsilon, seed: 3 })).value;
  expectClose((await at(0.02)) / (await at(0.01)), 16, { rtol: 0.05 });
  expect(await at(0.1)).toBe(await at(0.1));
});

test('systems/214: the schedule jumps to its maximum on an outlier and decays otherwise', () => {
  const schedule = new ElleSchedule({ largest: 100, decay: 0.5, deviations: 2 });
  expect([1, 1.1, 0.9, 1].map((e) => schedule.next(e))).toEqual([0, 0, 0, 0]);
  expect(schedule.next(50)).toBe(100);
  expect(schedule.next(1)).toBe(50);
  expect(schedule.next(1)).toBe(25);
  expect(() => schedule.next(Number.NaN)).toThrow(/error: expected a number >= 0, got NaN/);
});

test('empty batches and draws that do not fit are refused by name', async () => {
  const { model, batch } = network([4, 8, 3], 2);
  await expect(localLinearity(model, { x: { data: new Float64Array(0), shape: [0, 4] }, y: new Int32Array(0) })).rejects.toThrow(
    /batch: expected at least one sample/,
  );
  await expect(localLinearity(model, batch, { epsilon: 0 })).rejects.toThrow(/epsilon: expected a number > 0, got 0/);
  const good = { data: new Float64Array(8), shape: [2, 4] };
  await expect(localLinearity(model, batch, { draws: { from: good, to: good, fraction: [2, 0] } })).rejects.toThrow(
    /fraction: expected a number from 0 to 1, got 2/,
  );
});
