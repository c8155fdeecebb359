// systems/230: Same Pre-training Loss, Better Downstream: Implicit Bias Matters for Language Models (trace of the Hessian as flatness).

import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { hessianOperator } from '../../src/curvature/operators.js';
import { sharpnessTrace } from '../../src/curvature/sharpness-trace.js';
import { trace } from '../../src/curvature/trace.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { matrixOf, network } from '../helpers/quadratic.js';

test('systems/230: the estimated trace is that of the exact Hessian of a small network', async () => {
  const { model, batch } = network([4, 7, 3], 20);
  expect(model.parameterCount).toBeLessThan(65);
  const H = await matrixOf(model.parameterCount, (v) => model.hvp(batch, v));
  const exact = Array.from({ length: model.parameterCount }, (_, i) => H[i * (model.parameterCount + 1)]!).reduce((sum, x) => sum + x, 0);
  const { estimate, standardError } = await trace(hessianOperator(model, batch), { probes: 400 });
  expect(Math.abs(estimate - exact)).toBeLessThan(4 * standardError);
  expect(standardError / exact).toBeLessThan(0.05);
});

/** A Markov chain over tokens, every pair weighted by its probability: the loss is the exact expected next-token cross-entropy. */
function chain(tokens = 10) {
  const random = new Random(2);
  const next = Array.from({ length: tokens }, () => {
    const row = Float64Array.from({ length: tokens }, () => random.uniform() ** 4);
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((x) => x / sum);
  });
  const pairs = Array.from({ length: tokens * tokens }, (_, i) => [Math.floor(i / tokens), i % tokens] as const);
  const oneHot = (rows: readonly number[]) => {
    const data = new Float64Array(rows.length * tokens);
    rows.forEach((token, i) => {
      data[i * tokens + token] = 1;
    });
    return { data, shape: [rows.length, tokens] };
  };
  const full: Batch = {
    x: oneHot(pairs.map(([token]) => token)),
    y: Int32Array.from(pairs, ([, token]) => token),
    weights: Float64Array.from(pairs, ([a, b]) => next[a]![b]! / tokens),
  };
  const sample = (size: number): Batch => {
    const from = Array.from({ length: size }, () => random.integer(tokens));
    const to = from.map((token) => {
      let left = random.uniform();
      for (let j = 0; j < tokens; j++) if ((left -= next[token]![j]!) < 0) return j;
      return tokens - 1;
    });
    return { x: oneHot(from), y: Int32Array.from(to) };
  };
  const model = DenseModel.create({
    layers: [
      { weight: { data: randomF64(12 * tokens, 1).map((x) => 1.5 * x), shape: [12, tokens] }, activation: 'tanh' },
      { weight: { data: randomF64(12 * tokens, 2).map((x) => 1.5 * x), shape: [tokens, 12] } },
    ],
    loss: 'cross-entropy',
  });
  return { model, full, sample };
}

test('systems/230: at equal loss, going on with small noisy batches flattens the minimum', async () => {
  const { model, full, sample } = chain();
  const step = async (batch: Batch, rate: number) => {
    const { grad } = await model.gradient(batch);
    model.setParameters(model.getParameters().map((x, i) => x - rate * grad[i]!) as Float64Array);
  };
  for (let i = 0; i < 1500; i++) await step(full, 1);
  const before = { loss: await model.loss(full), trace: (await trace(hessianOperator(model, full), { probes: 200 })).estimate };
  for (let i = 0; i < 6000; i++) await step(sample(8), 0.4);
  for (let i = 0; i < 300; i++) await step(full, 0.3); // the noise is taken out again: both points are at the same loss
  const after = { loss: await model.loss(full), trace: (await trace(hessianOperator(model, full), { probes: 200 })).estimate };
  expectClose(after.loss, before.loss, { rtol: 0.02 });
  expect(after.trace).toBeLessThan(0.9 * before.trace);
});

test('a sharpness trace can record flatness on its way', async () => {
  const { model, batch } = network([4, 6, 2], 12);
  const { history } = await sharpnessTrace(model, batch, { learningRate: 0.5, steps: 4, every: 2, traceProbes: 20 });
  expect(history.map(({ step }) => step)).toEqual([0, 2, 4]);
  expect(history.every((point) => Number.isFinite(point.trace))).toBe(true);
});
