// systems/185: Outliers with Opposing Signals Have an Outsized Effect on Neural Network Optimization.

import type { Batch } from '../../src/core/model-types.js';
import { hessianOperator } from '../../src/curvature/operators.js';
import { opposingSignals } from '../../src/curvature/opposing-signals.js';
import { perSampleCurvature } from '../../src/curvature/sample-loss-difference.js';
import { topEigenvalues } from '../../src/curvature/top-eigenvalues.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { network } from '../helpers/quadratic.js';

/** A two-layer linear regression; samples 0–2 have a large outlier feature with target +, samples 3–5 the same with target −. */
function planted(n = 60) {
  const inputs = 6;
  const x = randomF64(n * inputs, 1);
  const truth = randomF64(inputs, 2);
  const y = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    x[i * inputs + inputs - 1] = 0;
    for (let j = 0; j < inputs - 1; j++) y[i] = y[i]! + truth[j]! * x[i * inputs + j]!;
    // Opposing signals: the same strong feature in both groups, targets that pull its weight both ways.
    if (i < 6) {
      x[i * inputs + inputs - 1] = 8;
      y[i] = y[i]! + (i < 3 ? 4 : -4);
    }
  }
  const model = DenseModel.create({
    layers: [
      { weight: { data: randomF64(5 * inputs, 3).map((v) => 0.2 * v), shape: [5, inputs] } },
      { weight: { data: randomF64(5, 4).map((v) => 0.4 * v), shape: [1, 5] } },
    ],
    loss: 'mse',
  });
  return { model, batch: { x: { data: x, shape: [n, inputs] }, y: { data: y, shape: [n, 1] } } satisfies Batch };
}

async function descend(model: DenseModel, batch: Batch, learningRate: number, steps: number) {
  for (let step = 0; step < steps; step++) {
    const { grad } = await model.gradient(batch);
    model.setParameters(model.getParameters().map((x, i) => x - learningRate * grad[i]!) as Float64Array);
  }
}

/** Moves the parameters along the sharpest direction, as unstable steps do. */
async function kick(model: DenseModel, batch: Batch, size: number) {
  const [v] = (await topEigenvalues(hessianOperator(model, batch))).vectors;
  model.setParameters(model.getParameters().map((x, i) => x + size * v![i]!) as Float64Array);
}

test('systems/185: planted outlier pairs are the groups returned, opposed and sharper than all other samples', async () => {
  const { model, batch } = planted();
  await descend(model, batch, 0.01, 400);
  await kick(model, batch, 0.02);
  const found = await opposingSignals(model, batch, { size: 3 });
  expect([...found.increased.indices, ...found.decreased.indices].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  const groups = [found.increased, found.decreased].map(({ indices }) => [...indices].sort().join());
  expect(groups.sort()).toEqual(['0,1,2', '3,4,5']);
  expect(found.cosine).toBeLessThan(-0.9);
  const curvature = await perSampleCurvature(model, batch, found.direction);
  const outliers = Math.min(...[0, 1, 2, 3, 4, 5].map((i) => curvature[i]!));
  expect(outliers).toBeGreaterThan(5 * Math.max(...curvature.slice(6)));
});

test('systems/185: per-sample curvature averages to vᵀHv', async () => {
  const { model, batch } = network([4, 6, 3], 9);
  const v = randomF64(model.parameterCount, 5);
  const squares = v.reduce((sum, x) => sum + x * x, 0);
  const hv = await model.hvp(batch, v);
  const curvature = await perSampleCurvature(model, batch, v);
  expectClose(
    curvature.reduce((sum, x) => sum + x / 9, 0),
    v.reduce((sum, x, i) => sum + x * hv[i]!, 0) / squares,
    { rtol: 1e-10 },
  );
});

test('systems/185: removing the groups lowers the sharpness', async () => {
  const { model, batch } = planted();
  await descend(model, batch, 0.01, 400);
  const sharp = (await topEigenvalues(hessianOperator(model, batch))).values[0]!;
  const rest = {
    x: { data: (batch.x.data as Float64Array).slice(36), shape: [54, 6] },
    y: { data: (batch.y.data as Float64Array).slice(6), shape: [54, 1] },
  };
  expect((await topEigenvalues(hessianOperator(model, rest))).values[0]!).toBeLessThan(sharp / 3);
});

test('systems/185: the sharpness rises in training, and the group losses split when it crosses 2/learning rate', async () => {
  const { model, batch } = planted();
  const group = (from: number, to: number): Batch => ({
    x: { data: (batch.x.data as Float64Array).slice(from * 6, to * 6), shape: [to - from, 6] },
    y: { data: (batch.y.data as Float64Array).slice(from, to), shape: [to - from, 1] },
  });
  const [plus, minus] = [group(0, 3), group(3, 6)];
  await descend(model, batch, 0.005, 20);
  const early = (await topEigenvalues(hessianOperator(model, batch))).values[0]!;
  await descend(model, batch, 0.005, 800);
  const sharp = (await topEigenvalues(hessianOperator(model, batch))).values[0]!;
  expect(sharp).toBeGreaterThan(1.2 * early); // progressive sharpening
  const settled = [await model.loss(plus), await model.loss(minus)];
  await kick(model, batch, 0.01);
  // Steps above 2/λ: the outlier feature's weight oscillates and the two groups' losses move in opposite ways.
  let [opposite, spread] = [0, 0];
  let before = [await model.loss(plus), await model.loss(minus)];
  for (let step = 0; step < 12; step++) {
    await descend(model, batch, 2.15 / sharp, 1);
    const now = [await model.loss(plus), await model.loss(minus)];
    if (Math.sign(now[0]! - before[0]!) === -Math.sign(now[1]! - before[1]!)) opposite++;
    spread = Math.max(spread, Math.abs(now[0]! - now[1]!));
    before = now;
  }
  expect(opposite).toBeGreaterThanOrEqual(10);
  expect(spread).toBeGreaterThan(2 * Math.abs(settled[0]! - settled[1]!));
});

test('groups that do not fit are refused by name, and the model is left as it was', async () => {
  const { model, batch } = planted(12);
  const before = model.getParameters();
  await opposingSignals(model, batch, { size: 2, learningRate: 0.01 });
  expect(model.getParameters()).toEqual(before);
  await expect(opposingSignals(model, batch, { size: 7 })).rejects.toThrow(/size: expected an integer from 1 to 6, got 7/);
});
