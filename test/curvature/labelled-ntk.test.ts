// systems/246: Sample Relationship from Learning Dynamics Matters for Generalisation (lpNTK).
import { labelledNtk } from '../../src/curvature/labelled-ntk.js';
import { sampleLosses } from '../../src/curvature/sample-losses.js';
import { expectClose } from '../helpers/close.js';
import { network } from '../helpers/quadratic.js';

test('systems/246: the Gram matrix of per-sample products is the explicit (1/K) sᵀ J Jᵀ s', async () => {
  const { model, batch } = network([4, 6, 3], 7);
  const d = model.parameterCount;
  const J: Float64Array[] = []; // J[c]: gradients of logit c, row per sample
  for (let c = 0; c < 3; c++) {
    const seed = { data: Float64Array.from({ length: 21 }, (_, i) => (i % 3 === c ? 1 : 0)), shape: [7, 3] };
    J.push((await model.perSampleVjp(batch.x, seed)).data as Float64Array);
  }
  const labels = batch.y as Int32Array;
  const s = (i: number, c: number) => (labels[i] === c ? 1 : -1);
  const { kernel, features } = await labelledNtk(model, batch);
  for (let i = 0; i < 7; i++) {
    for (let j = 0; j < 7; j++) {
      let want = 0;
      for (let a = 0; a < 3; a++)
        for (let b = 0; b < 3; b++) for (let l = 0; l < d; l++) want += (s(i, a) * s(j, b) * J[a]![i * d + l]! * J[b]![j * d + l]!) / 3;
      expectClose(kernel.data[i * 7 + j]!, want, { rtol: 1e-11, atol: 1e-12 });
    }
  }
  expect(features.shape).toEqual([7, d]);
});

test('systems/246: the sign of the kernel predicts whether a step on one sample lowers the margin loss of another', async () => {
  const { model, batch } = network([4, 6, 2], 30, { seed: 8 });
  const labels = batch.y as Int32Array;
  const { kernel } = await labelledNtk(model, batch);
  const w = model.getParameters();
  const before = await sampleLosses(model, batch);
  const { data: gradients, shape } = await model.perSampleGradients(batch);
  let agree = 0;
  let counted = 0;
  for (let u = 0; u < 30; u++) {
    model.setParameters(w.map((x, i) => x - 1e-4 * gradients[u * shape[1]! + i]!) as Float64Array);
    const after = await sampleLosses(model, batch);
    for (let o = 0; o < 30; o++) {
      if (o === u || Math.abs(kernel.data[u * 30 + o]!) < 1e-6) continue;
      counted++;
      if (Math.sign(before[o]! - after[o]!) === Math.sign(kernel.data[u * 30 + o]!)) agree++;
    }
  }
  expect(new Set(labels).size).toBe(2);
  expect(agree / counted).toBeGreaterThan(0.97); // for two classes the loss gradient is a positive multiple of −Jᵀs
});

test('systems/246: removing samples that the kernel finds interchangeable keeps the accuracy at 80 % of the data', async () => {
  const { model, batch } = network([4, 12, 3], 60, { seed: 2 });
  const labels = batch.y as Int32Array;
  const centers = [
    [2, 0, 0, 0],
    [0, 2, 0, 0],
    [0, 0, 2, 0],
  ];
  const x = (batch.x.data as Float64Array).map((v, i) => 0.6 * v + centers[labels[Math.floor(i / 4)]!]![i % 4]!);
  const initial = model.getParameters();
  const fit = async (rows: number[]) => {
    model.setParameters(initial);
    const part = {
      x: { data: Float64Array.from(rows.flatMap((i) => [...x.slice(i * 4, i * 4 + 4)])), shape: [rows.length, 4] },
      y: Int32Array.from(rows, (i) => labels[i]!),
    };
    for (let step = 0; step < 150; step++) {
      const { grad } = await model.gradient(part);
      model.setParameters(model.getParameters().map((v, i) => v - 0.5 * grad[i]!) as Float64Array);
    }
    const { data } = await model.predict({ data: x, shape: [60, 4] });
    let right = 0;
    for (let i = 0; i < 60; i++) {
      const row = [...data.slice(i * 3, i * 3 + 3)];
      if (row.indexOf(Math.max(...row)) === labels[i]) right++;
    }
    return right / 60;
  };
  const everything = await fit([...Array(60).keys()]);
  const { kernel } = await labelledNtk(model, { x: { data: x, shape: [60, 4] }, y: labels });
  // Greedy: drop the sample with the most similar partner among those kept, until 80 % are left.
  const kept = new Set([...Array(60).keys()]);
  const cosine = (i: number, j: number) => kernel.data[i * 60 + j]! / Math.sqrt(kernel.data[i * 61]! * kernel.data[j * 61]!);
  while (kept.size > 48) {
    const scored = [...kept].map(
      (i) => [Math.max(...[...kept].filter((j) => j !== i && labels[j] === labels[i]).map((j) => cosine(i, j))), i] as const,
    );
    kept.delete(scored.sort((a, b) => b[0] - a[0])[0]![1]);
  }
  expect(everything).toBeGreaterThan(0.9);
  expect(await fit([...kept])).toBeGreaterThanOrEqual(everything - 0.02);
});

test('models with a plain vjp give the same kernel; models with none, and dense targets, are refused by name', async () => {
  const { model, batch } = network([4, 6, 3], 5);
  const { precision, parameterCount, layout } = model;
  const predict = model.predict.bind(model);
  const one = { precision, parameterCount, layout, predict, vjp: model.vjp.bind(model) } as never;
  expectClose((await labelledNtk(one, batch)).kernel.data, (await labelledNtk(model, batch)).kernel.data, { rtol: 1e-12 });
  const none = { precision, parameterCount, layout, predict } as never;
  await expect(labelledNtk(none, batch)).rejects.toThrow(/model: expected one with vjp or perSampleVjp/);
  await expect(labelledNtk(model, { ...batch, y: { data: new Float64Array(15), shape: [5, 3] } })).rejects.toThrow(
    /y: expected class labels, got dense targets/,
  );
});
