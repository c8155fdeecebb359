// systems/123: Toward Understanding Why Adam Converges Faster Than SGD for Transformers.

import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { coordinateClip, directionalSharpness, updateDirections } from '../../src/curvature/directional-sharpness.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { network, noData, quadratic } from '../helpers/quadratic.js';

test('systems/123: the reading is a second difference of the loss, and vᵀHv of the explicit Hessian', async () => {
  const { model, batch } = network([4, 6, 3], 10);
  const d = model.parameterCount;
  expect(d).toBeLessThan(200);
  const v = randomF64(d, 4);
  const length = Math.hypot(...v);
  const { sharpness, slope } = await directionalSharpness(model, batch, v);
  const w = model.getParameters();
  const at = async (h: number) => {
    model.setParameters(w.map((x, i) => x + (h * v[i]!) / length) as Float64Array);
    const loss = await model.loss(batch);
    model.setParameters(w);
    return loss;
  };
  const h = 1e-4;
  expectClose(sharpness, ((await at(h)) - 2 * (await at(0)) + (await at(-h))) / (h * h), { atol: 1e-6 });
  expectClose(slope, ((await at(h)) - (await at(-h))) / (2 * h), { atol: 1e-8 });
});

test('systems/123: on an ill-conditioned diagonal quadratic it is Σ H_i v_i², far larger along SGD than along Adam or sign', async () => {
  const h = Float64Array.from({ length: 30 }, (_, i) => (i < 2 ? 100 : 0.1));
  const w = new Float64Array(30).fill(1);
  const model = quadratic(h, w);
  const { grad } = await model.gradient(noData);
  const directions = updateDirections([grad]);
  const S = async (name: keyof typeof directions) => (await directionalSharpness(model, noData, directions[name])).sharpness;
  for (const name of Object.keys(directions) as (keyof typeof directions)[])
    expectClose(
      await S(name),
      directions[name].reduce((sum, x, i) => sum + h[i]! * x * x, 0),
      { rtol: 1e-12 },
    );
  expect(await S('sgd')).toBeGreaterThan(10 * (await S('adam')));
  expectClose(await S('adam'), await S('sign'), { rtol: 1e-6 });
  const { stepCurvature, bestStep, slope, sharpness } = await directionalSharpness(
    model,
    noData,
    directions.sgd.map((x) => 0.3 * x),
  );
  expectClose(stepCurvature, sharpness, { rtol: 1e-10 });
  expectClose(bestStep, Math.abs(slope) / sharpness, { rtol: 1e-14 });
});

/** Bigrams of a Zipf vocabulary: a model that looks its token up and predicts the next one. */
function imbalanced() {
  const tokens = 24;
  const random = new Random(3);
  const share = Float64Array.from({ length: tokens }, (_, i) => 1 / (i + 1) ** 1.3);
  const draw = () => {
    let left = random.uniform() * share.reduce((a, b) => a + b, 0);
    for (let i = 0; i < tokens; i++) if ((left -= share[i]!) < 0) return i;
    return tokens - 1;
  };
  const n = 600;
  const x = new Float64Array(n * tokens);
  const y = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const token = draw();
    x[i * tokens + token] = 1;
    y[i] = random.uniform() < 0.7 ? (token * 5 + 1) % tokens : draw();
  }
  const model = DenseModel.create({
    layers: [
      { weight: { data: randomF64(16 * tokens, 1).map((v) => v * 0.3), shape: [16, tokens] }, activation: 'tanh' },
      { weight: { data: randomF64(16 * tokens, 2).map((v) => v * 0.3), shape: [tokens, 16] }, bias: new Float64Array(tokens) },
    ],
    loss: 'cross-entropy',
  });
  return { model, batch: { x: { data: x, shape: [n, tokens] }, y } satisfies Batch };
}

test('systems/123: with imbalanced tokens SGD meets sharper directions than Adam all along', async () => {
  const { model, batch } = imbalanced();
  const history: Float64Array[] = [];
  let ratio = 0;
  for (let step = 0; step < 40; step++) {
    const { grad } = await model.gradient(batch);
    history.push(grad as Float64Array);
    const directions = updateDirections(history);
    if (step % 10 === 9) {
      const [sgd, adam] = [
        await directionalSharpness(model, batch, directions.sgd),
        await directionalSharpness(model, batch, directions.adam),
      ];
      expect(adam.sharpness).toBeLessThan(sgd.sharpness);
      ratio = sgd.sharpness / Math.max(adam.sharpness, 1e-9);
    }
    const w = model.getParameters();
    model.setParameters(w.map((x, i) => x + 0.15 * directions.sgd[i]!) as Float64Array);
  }
  expect(ratio).toBeGreaterThan(2);
});

test('systems/123: clipped SGD lowers the loss faster per step than SGD, each at its best rate of a grid', async () => {
  const run = async (share: number, learningRate: number) => {
    const { model, batch } = imbalanced();
    for (let step = 0; step < 40; step++) {
      const { grad } = await model.gradient(batch);
      const u = share > 0 ? coordinateClip(grad, { share }) : grad;
      model.setParameters(model.getParameters().map((x, i) => x - learningRate * u[i]!) as Float64Array);
    }
    return model.loss(batch);
  };
  const best = async (share: number, rates: number[]) => {
    let lowest = Infinity;
    for (const rate of rates) {
      const loss = await run(share, rate);
      if (loss < lowest) lowest = loss;
    }
    return lowest;
  };
  const sgd = await best(0, [1, 2, 4, 8, 16]);
  const clipped = await best(0.1, [4, 8, 16, 32, 64]);
  expect(clipped).toBeLessThan(sgd);
});

test('clipping: share 0 changes nothing, share 1 makes all sizes equal, ties and zeros stay', () => {
  const g = Float64Array.of(3, -1, 0.5, 0, -2);
  expect([...coordinateClip(g, { share: 0 })]).toEqual([3, -1, 0.5, 0, -2]);
  expect([...coordinateClip(g, { share: 0.2 })]).toEqual([2, -1, 0.5, 0, -2]);
  expect([...coordinateClip(g, { share: 1 })].every((x) => x === 0)).toBe(true);
  expect(coordinateClip(Float32Array.of(1, 2), { share: 0.5 })).toEqual(Float32Array.of(1, 1));
  expect(coordinateClip(new Float64Array(0))).toHaveLength(0);
});

test('bad directions and histories are refused by name', async () => {
  const model = quadratic([1, 2], [1, 1]);
  await expect(directionalSharpness(model, noData, [0, 0])).rejects.toThrow(/direction: expected a vector other than zero/);
  await expect(directionalSharpness(model, noData, [1])).rejects.toThrow(/direction: expected 2 elements, got 1/);
  expect(() => updateDirections([])).toThrow(/gradients: expected at least one gradient, got none/);
  expect(() => updateDirections([new Float64Array(2)])).toThrow(/gradients: expected a gradient other than zero/);
  expect(() => coordinateClip(Float64Array.of(NaN))).toThrow(/gradient: expected finite numbers/);
  expect(() => coordinateClip(Float64Array.of(1), { share: 2 })).toThrow(/share: expected a number from 0 to 1, got 2/);
});

test('a gradient that is mostly zeros has a clipped direction all the same', () => {
  const g = new Float64Array(100);
  g.set([4, -2, 1], 10);
  const { clipped } = updateDirections([g], { share: 0.4 });
  const length = Math.sqrt(4 + 4 + 1);
  expectClose(clipped.subarray(10, 13), [-2 / length, 2 / length, -1 / length], { rtol: 1e-12 });
  expect(clipped.filter((x) => x !== 0)).toHaveLength(3);
});
