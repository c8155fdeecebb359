// systems/214: Efficient local linearity regularization to overcome catastrophic overfitting (ELLE, ELLE-A).
import { Random } from '../../src/core/random.js';
import { ElleSchedule, localLinearity } from '../../src/curvature/local-linearity.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { adam } from '../../src/optimizers/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { accuracyOn, digits, rowsOf, testWithDigits } from '../helpers/digits.js';
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

type Rows = ReturnType<typeof digits>;

/** Images moved inside the ball of radius epsilon by `steps` signed input gradients. */
async function attacked(model: DenseModel, { x, y }: Rows, epsilon: number, steps: number, size: number): Promise<Rows> {
  const data = x.data.slice();
  for (let step = 0; step < steps; step++) {
    const grad = (await model.inputGradient({ x: { data, shape: x.shape }, y })).grad.data;
    for (let i = 0; i < data.length; i++)
      data[i] = Math.min(x.data[i]! + epsilon, Math.max(x.data[i]! - epsilon, data[i]! + size * Math.sign(grad[i]!)));
  }
  return { x: { data, shape: x.shape }, y };
}

/** Loss of each sample and its derivative in the logits. */
function lossAndSlope(logits: ArrayLike<number>, y: Int32Array): { losses: Float64Array; slopes: Float64Array } {
  const slopes = new Float64Array(logits.length);
  const losses = Float64Array.from(y, (label, i) => {
    const z = Array.from({ length: 10 }, (_, k) => logits[10 * i + k]!);
    const top = Math.max(...z);
    const sum = z.reduce((total, v) => total + Math.exp(v - top), 0);
    z.forEach((v, k) => {
      slopes[10 * i + k] = Math.exp(v - top) / sum - (k === label ? 1 : 0);
    });
    return top + Math.log(sum) - z[label]!;
  });
  return { losses, slopes };
}

/** The gradient of weight·E on a batch, the weight by a schedule: the three forward passes of E, and a backward pass of each where it counts. */
async function penalty(model: DenseModel, { x, y }: Rows, epsilon: number, schedule: ElleSchedule, random: Random): Promise<Float64Array> {
  const n = y.length;
  const jitter = () => x.data.map((v) => v + epsilon * (2 * random.uniform() - 1));
  const [from, to] = [jitter(), jitter()];
  const t = random.fill(new Float64Array(n), 'uniform');
  const between = from.map((a, i) => (1 - t[i >> 6]!) * a + t[i >> 6]! * to[i]!);
  const points = [from, to, between].map((data) => ({ data, shape: x.shape }));
  const found: ReturnType<typeof lossAndSlope>[] = [];
  for (const point of points) found.push(lossAndSlope((await model.predict(point)).data as Float32Array, y));
  const errors = t.map((share, i) => found[2]!.losses[i]! - (1 - share) * found[0]!.losses[i]! - share * found[1]!.losses[i]!);
  const weight = schedule.next(errors.reduce((sum, e) => sum + (e * e) / n, 0));
  const out = new Float64Array(model.parameterCount);
  if (weight === 0) return out;
  for (const [j, { slopes }] of found.entries()) {
    const seed = Float32Array.from(slopes, (slope, at) => {
      const i = Math.floor(at / 10);
      return ((2 * weight) / n) * errors[i]! * [t[i]! - 1, -t[i]!, 1][j]! * slope;
    });
    const grad = await model.vjp(points[j]!, { data: seed, shape: [n, 10] });
    for (let i = 0; i < out.length; i++) out[i] = out[i]! + grad[i]!;
  }
  return out;
}

/** A digits network 64-64-64-10 in f32. */
function deepNetwork(seed: number): DenseModel {
  const random = new Random(seed);
  const layers = [64, 64, 10].map((out, i) => ({
    weight: { data: random.fill(new Float32Array(out * 64)).map((v) => v * Math.sqrt(2 / 64)), shape: [out, 64] },
    bias: new Float32Array(out),
    activation: i < 2 ? ('relu' as const) : ('identity' as const),
  }));
  return DenseModel.create({ layers, loss: 'cross-entropy', precision: 'float32' });
}

/** 24 epochs of FGSM training at radius 0.25, which rises over the first five; with ELLE-A at the authors' values or without. */
async function adversarialCourse(seed: number, regularised: boolean) {
  const [train, val] = [digits('train'), digits('val')];
  const radius = 0.25;
  const model = deepNetwork(seed);
  const optimizer = adam({ learningRate: 0.004 });
  const w = model.getParameters();
  const state = optimizer.init(w);
  const random = new Random(seed + 100);
  const schedule = new ElleSchedule({ largest: 4000, decay: 0.99, deviations: 2 });
  const errors: number[] = [];
  for (let epoch = 1; epoch <= 24; epoch++) {
    const epsilon = radius * Math.min(1, epoch / 5);
    const order = random.permutation(train.y.length);
    for (let at = 0; at < order.length; at += 64) {
      const batch = rowsOf(train, order.subarray(at, at + 64));
      const { grad } = await model.gradient(await attacked(model, batch, epsilon, 1, epsilon));
      if (regularised) {
        const extra = await penalty(model, batch, epsilon, schedule, random);
        for (let i = 0; i < grad.length; i++) grad[i] = grad[i]! + extra[i]!;
      }
      optimizer.step(w, grad, state);
      model.setParameters(w);
    }
    if (epoch === 12 || epoch === 24) errors.push((await localLinearity(model, train, { epsilon: radius, seed: 1 })).value);
  }
  const [pgd, fgsm] = [
    await accuracyOn(model, await attacked(model, val, radius, 20, radius / 4)),
    await accuracyOn(model, await attacked(model, val, radius, 1, radius)),
  ];
  model.dispose();
  return { pgd, fgsm, errors: errors as [number, number] };
}

// On networks of this size robustness does not collapse in an instant (no seed of 13 at radii from .1 to .3); the rest of it is seen at every
// seed. Over 13 seeds, without and with ELLE-A: accuracy under FGSM .39–.57 and .11–.25, under PGD .04 and .12 in the mean; src/curvature/README.md.
testWithDigits(
  'systems/214: FGSM training overfits to its attack while E climbs; with ELLE-A neither happens, and robustness is higher in the mean over seeds',
  async () => {
    let gained = 0;
    for (const seed of [31, 32]) {
      const [plain, held] = [await adversarialCourse(seed, false), await adversarialCourse(seed, true)];
      expect(plain.fgsm - plain.pgd).toBeGreaterThan(0.25);
      expect(plain.errors[1]).toBeGreaterThan(plain.errors[0]);
      expect(held.fgsm - held.pgd).toBeLessThan(0.15);
      expect(held.errors[1]).toBeLessThan(plain.errors[1] / 10);
      gained += (held.pgd - plain.pgd) / 2;
    }
    expect(gained).toBeGreaterThan(0.02);
  },
  30_000,
);

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
