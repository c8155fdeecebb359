// systems/246: Sample Relationship from Learning Dynamics Matters for Generalisation (lpNTK).
import { Random } from '../../src/core/random.js';
import { farthestPointClustering } from '../../src/curvature/farthest-point-clustering.js';
import { labelledNtk } from '../../src/curvature/labelled-ntk.js';
import { sampleLosses } from '../../src/curvature/sample-losses.js';
import { adam } from '../../src/optimizers/index.js';
import { expectClose } from '../helpers/close.js';
import { accuracyOn, digits, digitsNetwork, rowsOf, testWithDigits } from '../helpers/digits.js';
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

test('systems/246: where J Jᵀ is a multiple of I, as in wide networks, the factor 1/K makes the kernel that of the logits within a class', async () => {
  const { model, batch } = network([5, 4], 6); // one layer: J_i J_jᵀ = (x_i·x_j + 1) I
  const x = (batch.x as { data: Float64Array }).data;
  const labels = batch.y as Int32Array;
  const { kernel } = await labelledNtk(model, batch);
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 6; j++) {
      let theta = 1;
      for (let l = 0; l < 5; l++) theta += x[i * 5 + l]! * x[j * 5 + l]!;
      expectClose(kernel.data[i * 6 + j]!, labels[i] === labels[j] ? theta : theta * (1 - 4 / 4), { rtol: 1e-11, atol: 1e-12 });
    }
  }
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

test('systems/246: heads are the samples farthest from theirs, and members move to the head that is more similar', () => {
  // Points on a line in three groups; similarity −|x − y|, plus what makes sample 1 the first head.
  const x = [0, 0.1, 0.3, 5, 5.2, 9, 9.1, 9.3];
  const n = x.length;
  const data = Float64Array.from({ length: n * n }, (_, at) => -Math.abs(x[Math.floor(at / n)]! - x[at % n]!));
  data[n + 1] = 0.5;
  const { heads, labels, redundant } = farthestPointClustering({ data, shape: [n, n] }, { clusters: 3 });
  expect([...heads]).toEqual([1, 7, 3]);
  expect([...labels]).toEqual([0, 0, 0, 2, 2, 1, 1, 1]);
  // Clusters of 2, 1 and 2 members without their heads: the most similar member of the first largest one goes first.
  expect([...redundant]).toEqual([0, 6, 2, 5, 4]);
  const scaled = farthestPointClustering({ data: data.map((v) => 7 * v), shape: [n, n] }, { clusters: 3 });
  expect(scaled).toEqual({ heads, labels, redundant });
  const all = farthestPointClustering({ data, shape: [n, n] }, { clusters: n });
  expect([...all.heads].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(all.redundant).toHaveLength(0);
});

test('a kernel of equal numbers, an empty one, and what does not fit', () => {
  const flat = farthestPointClustering({ data: new Float64Array(9), shape: [3, 3] }, { clusters: 2 });
  expect([[...flat.heads], [...flat.labels], [...flat.redundant]]).toEqual([[0, 1], [0, 1, 0], [2]]);
  expect(farthestPointClustering({ data: new Float64Array(0), shape: [0, 0] }).heads).toHaveLength(0);
  expect(() => farthestPointClustering({ data: new Float64Array(6), shape: [2, 3] })).toThrow(
    /kernel: expected a square matrix, got 2 × 3/,
  );
  expect(() => farthestPointClustering({ data: new Float64Array(4), shape: [2, 2] }, { clusters: 3 })).toThrow(
    /clusters: expected an integer from 1 to 2, got 3/,
  );
});

testWithDigits(
  'systems/246: without the digits that clustering on the kernel finds redundant, 80 % of the data keep the accuracy in the mean over seeds',
  async () => {
    const [all, val] = [digits('train'), digits('val')];
    let lost = 0;
    for (const seed of [31, 32, 33])
      lost += (await lossOf(seed, rowsOf(all, new Random(seed).permutation(all.y.length).subarray(0, 300)), val)) / 3;
    expect(lost).toBeLessThan(0.012); // .003 over eight other seeds (.006 without a fifth drawn at random)
  },
);

/** What the accuracy of a network loses without the most redundant fifth of each class. */
async function lossOf(seed: number, train: ReturnType<typeof digits>, val: ReturnType<typeof digits>): Promise<number> {
  const trained = async (rows: ReturnType<typeof digits>) => {
    const model = digitsNetwork(32, { seed });
    const optimizer = adam({ learningRate: 0.01 });
    const w = model.getParameters();
    const state = optimizer.init(w);
    for (let step = 0; step < 150; step++) {
      optimizer.step(w, (await model.gradient(rows)).grad, state);
      model.setParameters(w);
    }
    return model;
  };
  const model = await trained(train);
  const everything = await accuracyOn(model, val);
  // Within each class, as many clusters as a fifth of its samples; the most redundant fifth goes.
  const removed = new Set<number>();
  for (let digit = 0; digit < 10; digit++) {
    const members = [...train.y.keys()].filter((i) => train.y[i] === digit);
    const { kernel } = await labelledNtk(model, rowsOf(train, members));
    const { redundant } = farthestPointClustering(kernel, { clusters: Math.ceil(members.length / 5) });
    for (const i of redundant.subarray(0, Math.round(members.length / 5))) removed.add(members[i]!);
  }
  const kept = [...train.y.keys()].filter((i) => !removed.has(i));
  expect(kept.length / train.y.length).toBeCloseTo(0.8, 1);
  expect(everything).toBeGreaterThan(0.85);
  return everything - (await accuracyOn(await trained(rowsOf(train, kept)), val));
}

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
