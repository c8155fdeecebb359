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

/** Tokens in 4 groups that predict alike: 6 of each, so that a linear probe can be asked for the group of tokens it has not seen. */
function grouped() {
  const [tokens, groups, hidden] = [24, 4, 16];
  const random = new Random(2);
  const next = Array.from({ length: groups }, () => {
    const row = Float64Array.from({ length: tokens }, () => random.uniform() ** 4);
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((x) => x / sum);
  });
  const group = (token: number) => token % groups;
  const oneHot = (rows: readonly number[]) => {
    const data = new Float64Array(rows.length * tokens);
    rows.forEach((token, i) => {
      data[i * tokens + token] = 1;
    });
    return { data, shape: [rows.length, tokens] };
  };
  const pairs = Array.from({ length: tokens * tokens }, (_, i) => [Math.floor(i / tokens), i % tokens] as const);
  const full: Batch = {
    x: oneHot(pairs.map(([token]) => token)),
    y: Int32Array.from(pairs, ([, token]) => token),
    weights: Float64Array.from(pairs, ([a, b]) => next[group(a)]![b]! / tokens),
  };
  const draws = new Random(78);
  const sample = (size: number): Batch => {
    const from = Array.from({ length: size }, () => draws.integer(tokens));
    const to = from.map((token) => {
      let left = draws.uniform();
      for (let j = 0; j < tokens; j++) if ((left -= next[group(token)]![j]!) < 0) return j;
      return tokens - 1;
    });
    return { x: oneHot(from), y: Int32Array.from(to) };
  };
  const model = DenseModel.create({
    layers: [
      { weight: { data: randomF64(hidden * tokens, 2).map((x) => 2 * x), shape: [hidden, tokens] }, activation: 'tanh' },
      { weight: { data: randomF64(hidden * tokens, 3).map((x) => 0.5 * x), shape: [tokens, hidden] } },
    ],
    loss: 'cross-entropy',
  });
  /** Accuracy of a linear probe on the hidden features: trained on 2 tokens of each group, asked for the other 4, three ways. */
  const probe = async (): Promise<number> => {
    const w = model.getParameters();
    const features = (rows: number[]) => ({
      data: Float64Array.from(rows.flatMap((token) => Array.from({ length: hidden }, (_, h) => Math.tanh(w[h * tokens + token]!)))),
      shape: [rows.length, hidden],
    });
    let right = 0;
    for (let fold = 0; fold < 3; fold++) {
      const seen = [...Array(tokens).keys()].filter((token) => Math.floor(token / groups) % 3 === fold);
      const unseen = [...Array(tokens).keys()].filter((token) => !seen.includes(token));
      const head = DenseModel.create({
        layers: [{ weight: { data: new Float64Array(groups * hidden), shape: [groups, hidden] } }],
        loss: 'cross-entropy',
      });
      const data = { x: features(seen), y: Int32Array.from(seen, group) };
      for (let i = 0; i < 150; i++) {
        const { grad } = await head.gradient(data);
        head.setParameters(head.getParameters().map((x, j) => x - grad[j]!) as Float64Array);
      }
      const logits = (await head.predict(features(unseen))).data;
      unseen.forEach((token, i) => {
        const row = [...logits.slice(i * groups, (i + 1) * groups)];
        if (row.indexOf(Math.max(...row)) === group(token)) right++;
      });
    }
    return right / 48;
  };
  return { model, full, sample, probe };
}

test('systems/230: at equal loss a smaller trace goes with a more accurate linear probe', async () => {
  const { model, full, sample, probe } = grouped();
  const step = async (batch: Batch, rate: number) => {
    const { grad } = await model.gradient(batch);
    model.setParameters(model.getParameters().map((x, i) => x - rate * grad[i]!) as Float64Array);
  };
  const points: { loss: number; trace: number; accuracy: number }[] = [];
  for (let i = 0; i < 700; i++) await step(full, 3);
  for (let checkpoint = 0; checkpoint < 5; checkpoint++) {
    const noisy = model.getParameters();
    for (let i = 0; i < 150; i++) await step(full, 0.7); // without the noise of the batches all checkpoints are at one loss
    const { estimate } = await trace(hessianOperator(model, full), { probes: 60 });
    points.push({ loss: await model.loss(full), trace: estimate, accuracy: await probe() });
    model.setParameters(noisy);
    for (let i = 0; i < 3000; i++) await step(sample(8), 0.4);
  }
  const mean = (pick: (p: (typeof points)[number]) => number) => points.reduce((sum, p) => sum + pick(p) / points.length, 0);
  const [t, a] = [mean((p) => p.trace), mean((p) => p.accuracy)];
  const covariance = mean((p) => (p.trace - t) * (p.accuracy - a));
  const spread = Math.sqrt(mean((p) => (p.trace - t) ** 2) * mean((p) => (p.accuracy - a) ** 2));
  for (const { loss } of points) expectClose(loss, points[0]!.loss, { rtol: 0.003 });
  expect(points.at(-1)!.trace).toBeLessThan(0.85 * points[0]!.trace);
  expect(points.at(-1)!.accuracy).toBeGreaterThan(points[0]!.accuracy + 0.1);
  expect(covariance / spread).toBeLessThan(-0.7);
});

test('a sharpness trace can record flatness on its way', async () => {
  const { model, batch } = network([4, 6, 2], 12);
  const { history } = await sharpnessTrace(model, batch, { learningRate: 0.5, steps: 4, every: 2, traceProbes: 20 });
  expect(history.map(({ step }) => step)).toEqual([0, 2, 4]);
  expect(history.every((point) => Number.isFinite(point.trace))).toBe(true);
});
