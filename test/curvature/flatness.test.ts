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

/**
 * Tokens in groups that predict alike, and a two-layer network with unit-normal weights: `full` has every pair weighted by its probability,
 * so its loss is the exact expected next-token cross-entropy. With more tokens than groups a linear probe can be asked for the group of
 * tokens it has not seen.
 */
function language(problem: number, tokens: number, groups: number, hidden: number) {
  const random = new Random(problem);
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
  const draws = new Random(problem + 78);
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
      { weight: { data: randomF64(hidden * tokens, problem + 2), shape: [hidden, tokens] }, activation: 'tanh' },
      { weight: { data: randomF64(hidden * tokens, problem + 3), shape: [tokens, hidden] } },
    ],
    loss: 'cross-entropy',
  });
  const descend = async (batch: Batch, rate: number): Promise<void> => {
    const { grad } = await model.gradient(batch);
    model.setParameters(model.getParameters().map((x, i) => x - rate * grad[i]!) as Float64Array);
  };
  const flatness = async () => ({
    loss: await model.loss(full),
    trace: (await trace(hessianOperator(model, full), { probes: 100 })).estimate,
  });
  /** Accuracy of a linear probe on the hidden features: trained on a third of each group, asked for the rest, three ways. */
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
      head.dispose();
    }
    return right / (2 * tokens);
  };
  return { model, full, sample, descend, flatness, probe };
}

test('systems/230: at equal loss, going on with small noisy batches flattens the minimum and going on with all data does not, on every chain', async () => {
  for (const problem of [500, 600]) {
    const { model, full, sample, descend, flatness } = language(problem, 10, 10, 12);
    for (let i = 0; i < 1500; i++) await descend(full, 1);
    const before = await flatness();
    const start = model.getParameters();
    for (let i = 0; i < 3000; i++) await descend(sample(8), 0.4);
    for (let i = 0; i < 300; i++) await descend(full, 0.3); // the noise is taken out again: both points are at the same loss
    const noisy = await flatness();
    model.setParameters(start);
    for (let i = 0; i < 1500; i++) await descend(full, 0.4);
    const smooth = await flatness();
    expectClose(noisy.loss, before.loss, { rtol: 0.02 });
    expect(noisy.trace).toBeLessThan(0.85 * before.trace);
    expect(smooth.trace).toBeGreaterThan(0.97 * before.trace);
    model.dispose();
  }
});

test('systems/230: at equal loss a smaller trace goes with a more accurate linear probe, on every language', async () => {
  for (const problem of [500, 600]) {
    const { model, full, sample, descend, flatness, probe } = language(problem, 24, 4, 16);
    const points: { loss: number; trace: number; accuracy: number }[] = [];
    for (let i = 0; i < 500; i++) await descend(full, 3);
    for (let checkpoint = 0; checkpoint < 4; checkpoint++) {
      const noisy = model.getParameters();
      for (let i = 0; i < 150; i++) await descend(full, 0.7); // without the noise of the batches all checkpoints are at one loss
      points.push({ ...(await flatness()), accuracy: await probe() });
      model.setParameters(noisy);
      for (let i = 0; i < 2000; i++) await descend(sample(8), 0.4);
    }
    const mean = (pick: (p: (typeof points)[number]) => number) => points.reduce((sum, p) => sum + pick(p) / points.length, 0);
    const [t, a] = [mean((p) => p.trace), mean((p) => p.accuracy)];
    const covariance = mean((p) => (p.trace - t) * (p.accuracy - a));
    const spread = Math.sqrt(mean((p) => (p.trace - t) ** 2) * mean((p) => (p.accuracy - a) ** 2));
    for (const { loss } of points) expectClose(loss, points[0]!.loss, { rtol: 0.005 });
    expect(points.at(-1)!.trace).toBeLessThan(0.75 * points[0]!.trace);
    expect(points.at(-1)!.accuracy).toBeGreaterThan(points[0]!.accuracy);
    expect(covariance / spread).toBeLessThan(-0.7); // −.93 to −.98 on three other languages
    model.dispose();
  }
});

test('a sharpness trace can record flatness on its way', async () => {
  const { model, batch } = network([4, 6, 2], 12);
  const { history } = await sharpnessTrace(model, batch, { learningRate: 0.5, steps: 4, every: 2, traceProbes: 20 });
  expect(history.map(({ step }) => step)).toEqual([0, 2, 4]);
  expect(history.every((point) => Number.isFinite(point.trace))).toBe(true);
});
