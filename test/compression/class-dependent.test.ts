import { classWeightedRankingLoss, lotteryPrune } from '../../src/compression/index.js';
import { Random } from '../../src/core/random.js';
import { DenseModel } from '../../src/dense/index.js';
import { adam } from '../../src/optimizers/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';

test('systems/145 the mask keeps exactly the asked count per tensor, ties by index, for both scores, and survivors rewind', () => {
  const end = Float64Array.of(3, -1, 1, 2, /* second tensor */ 5, 5, 5, 5, 0);
  const initial = Float64Array.of(2.5, 0.1, -1, 0, 1, 2, 2, 4, 0.5);
  const layout = [
    { offset: 0, shape: [2, 2] },
    { offset: 4, shape: [5] },
  ];
  // |end| − |initial|: .5 .9 0 2 | 4 3 3 1 −.5
  const grown = lotteryPrune(end, initial, { layout });
  expect(Array.from(grown.mask)).toEqual([0, 1, 0, 1, 1, 1, 1, 0, 0]);
  expect(Array.from(grown.weights)).toEqual([0, 0.1, 0, 0, 1, 2, 2, 0, 0]);
  expect(grown.density).toBeCloseTo(5 / 9, 12);
  const large = lotteryPrune(end, initial, { layout, score: 'magnitude', share: 0.4 });
  expect(Array.from(large.mask)).toEqual([1, 0, 1, 1, 0, 1, 1, 1, 0]);
  const next = lotteryPrune(end, initial, { layout, mask: grown.mask });
  expect(Array.from(next.mask)).toEqual([0, 0, 0, 1, 1, 0, 1, 0, 0]);
});

const labelsOf = (n: number, seed: number): Uint8Array => Uint8Array.from(randomF64(n, seed), (v) => (v > 0.3 ? 1 : 0));

test.each(['hardest', 'all'] as const)(
  'systems/145 the ranking term over %s negatives is that of a loop, and its gradient that of differences',
  (pairs) => {
    for (const n of [1, 2, 7, 40]) {
      const z = randomF64(n, n).map((v, k) => (k % 5 === 4 ? 0.25 : v));
      const y = labelsOf(n, n + 50);
      const [positives, negatives] = [1, 0].map((label) => Array.from(z.keys()).filter((i) => y[i] === label)) as [number[], number[]];
      let want = 0;
      if (pairs === 'all') {
        for (const i of positives) for (const j of negatives) want += Math.max(0, z[j]! - z[i]!) ** 2;
        want /= positives.length * negatives.length || 1;
      } else {
        const top = Math.max(...negatives.map((j) => z[j]!));
        for (const i of positives) want += Math.min(0, z[i]! - top) ** 2;
        want /= positives.length + 1;
      }
      const options = { positiveWeight: 3, ranking: 0.7, pairs };
      const { rankingLoss, grad, value, crossEntropy } = classWeightedRankingLoss(z, y, options);
      expect(rankingLoss).toBeCloseTo(want, 10);
      const bce = z.reduce((sum, v, k) => sum + (y[k] ? 3 * Math.log1p(Math.exp(-v)) : Math.log1p(Math.exp(v))) / n, 0);
      expect(crossEntropy).toBeCloseTo(bce, 12);
      expect(value).toBeCloseTo(bce + 0.7 * want, 10);
      // No ties where a maximum is differentiated.
      if (n === 40) for (let k = 0; k < n; k++) z[k] = z[k]! + k * 1e-4;
      const { grad: slopes } = n === 40 ? classWeightedRankingLoss(z, y, options) : { grad };
      const numeric = z.map((_, k) => {
        const at = (by: number): number =>
          classWeightedRankingLoss(
            z.map((v, i) => (i === k ? v + by : v)),
            y,
            options,
          ).value;
        return (at(1e-6) - at(-1e-6)) / 2e-6;
      });
      expectClose(slopes, numeric, { rtol: 1e-5, atol: 1e-7 });
    }
  },
);

test('a class weight w moves the best logit of a share p of positives up by log w: positive from probability 1/(1 + w) on', () => {
  const labels = Uint8Array.from({ length: 12 }, (_, i) => (i < 3 ? 1 : 0));
  for (const positiveWeight of [1, 3, 9]) {
    const best = Math.log(0.25 / 0.75) + Math.log(positiveWeight);
    const { grad } = classWeightedRankingLoss(new Float64Array(12).fill(best), labels, { positiveWeight, ranking: 0 });
    expect(Array.from(grad).reduce((a, b) => a + b, 0)).toBeCloseTo(0, 14); // stationary; 0, the boundary, at w = 3: p = 1/(1 + w)
  }
});

test('one class alone has no pairs; scores of any size stay finite', () => {
  expect(classWeightedRankingLoss([1, 2], [1, 1]).rankingLoss).toBe(0);
  expect(classWeightedRankingLoss([1, 2], [0, 0], { pairs: 'all' }).rankingLoss).toBe(0);
  const { value, grad } = classWeightedRankingLoss([800, -800], [1, 0], { pairs: 'all' });
  expect([value, ...grad]).toEqual([0, -0, 0]);
  expect(classWeightedRankingLoss([-800, 800], [1, 0], { ranking: 0 }).value).toBe(800);
});

/** Two overlapping blobs, one positive in twelve. */
function blobs(n: number, seed: number): { x: { data: Float32Array; shape: number[] }; y: Uint8Array } {
  const random = new Random(seed);
  const y = Uint8Array.from({ length: n }, () => (random.uniform() < 1 / 12 ? 1 : 0));
  const data = Float32Array.from({ length: n * 8 }, (_, k) => random.normal() + (y[k >> 3] ? 0.75 : 0));
  return { x: { data, shape: [n, 8] }, y };
}

type Loss = Parameters<typeof classWeightedRankingLoss>[2];

/** Positives that are missed on fresh data, by the first round's whole network and after rounds of lottery pruning down to a tenth. */
async function misses(seed: number, lossFor: (y: Uint8Array) => Loss): Promise<{ dense: number; pruned: number; density: number }> {
  const random = new Random(seed);
  const layer = (out: number, inputs: number, activation: 'tanh' | 'identity') => ({
    weight: { data: random.fill(new Float32Array(out * inputs)).map((v) => v / Math.sqrt(inputs)), shape: [out, inputs] },
    bias: new Float32Array(out),
    activation,
  });
  const model = DenseModel.create({ layers: [layer(40, 8, 'tanh'), layer(1, 40, 'identity')], loss: 'mse' });
  const initial = model.getParameters();
  const { x, y } = blobs(600, seed + 100);
  const fresh = blobs(2000, seed + 200);
  const loss = lossFor(y);
  const missed = async (): Promise<number> => {
    const { data } = await model.predict(fresh.x);
    return fresh.y.reduce((sum, label, i) => sum + (label && data[i]! < 0 ? 1 : 0), 0);
  };
  let mask = new Uint8Array(initial.length).fill(1);
  let start = initial;
  let density = 1;
  let dense = 0;
  for (let round = 0; ; round++) {
    const params = start.slice();
    const optimizer = adam({ learningRate: 0.02 });
    const state = optimizer.init(params);
    for (let step = 0; step < 60; step++) {
      model.setParameters(params);
      const { data } = await model.predict(x);
      const { grad } = classWeightedRankingLoss(data, y, loss);
      const slopes = await model.vjp(x, { data: grad, shape: [600, 1] });
      for (let k = 0; k < slopes.length; k++) if (!mask[k]) slopes[k] = 0;
      optimizer.step(params, slopes, state);
    }
    model.setParameters(params);
    if (round === 0) dense = await missed();
    if (round === 4) break;
    const pruned = lotteryPrune(params, initial, { mask, layout: model.layout, share: 0.44 });
    ({ mask, density } = pruned as { mask: Uint8Array<ArrayBuffer>; density: number });
    start = pruned.weights;
  }
  const pruned = await missed();
  model.dispose();
  return { dense, pruned, density };
}

/** Negatives to a positive among the training labels. */
const ratio = (y: Uint8Array): number => {
  const positives = y.reduce((sum, label) => sum + label, 0);
  return (y.length - positives) / positives;
};

// Means of three other sets of ten seeds, whole network and a tenth of it: missed .54 and .67 plainly, .27 and .19 with the class weight,
// .12 and .12 with the ranking term besides; src/compression/README.md.
test('systems/145 at a tenth of the weights a class weight by the ratio of classes and the ranking term leave fewer false negatives than plain lottery pruning, over 10 seeds; with the class weight no more than the whole network', async () => {
  let [plain, weighted, kept, lost] = [0, 0, 0, 0];
  for (let seed = 5000; seed < 5010; seed++) {
    const a = await misses(seed, () => ({ ranking: 0 }));
    const b = await misses(seed, (y) => ({ positiveWeight: ratio(y), ranking: 1 }));
    const c = await misses(seed, (y) => ({ positiveWeight: ratio(y), ranking: 0 }));
    expect(a.density).toBeCloseTo(b.density, 12);
    expect(a.density).toBeLessThan(0.13);
    plain += a.pruned;
    weighted += b.pruned;
    if (a.pruned > a.dense) lost++;
    if (c.pruned <= c.dense) kept++;
  }
  expect(weighted).toBeLessThan(0.5 * plain);
  expect(kept).toBeGreaterThanOrEqual(8);
  expect(lost).toBeGreaterThanOrEqual(7);
}, 30_000);

test('bad input is refused by name', () => {
  expect(() => lotteryPrune([1], [1, 2])).toThrow(/initial: expected 1 elements, got 2/);
  expect(() => lotteryPrune([1], [1], { share: 2 })).toThrow(/share: expected a number from 0 to 1, got 2/);
  expect(() => lotteryPrune([NaN], [1])).toThrow(/end: expected/);
  expect(() => lotteryPrune([1], [1], { layout: [{ offset: 1, shape: [1] }] })).toThrow(/layout: expected tensors inside 1 weights/);
  expect(() => classWeightedRankingLoss([], [])).toThrow(/logits: expected at least one number/);
  expect(() => classWeightedRankingLoss([1], [2])).toThrow(/labels: expected 0 or 1, got 2 at index 0/);
  expect(() => classWeightedRankingLoss([1], [1], { positiveWeight: 0 })).toThrow(/positiveWeight: expected a number > 0/);
});
