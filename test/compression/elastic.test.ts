import { accuracyPredictor, fakeQuantize, groupProgressiveGuidance, mixedPrecisionSearch } from '../../src/compression/index.js';
import { adam } from '../../src/optimizers/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { accuracy, clusters, trained } from './trained.js';

const [n, k] = [5, 4];
const labels = Uint8Array.of(0, 3, 1, 1, 2);
const groups = [
  { bits: 4, logits: { data: randomF64(n * k, 1), shape: [n, k] } },
  { bits: 8, logits: { data: randomF64(n * k, 2), shape: [n, k] } },
  { bits: 2, logits: { data: randomF64(n * k, 3), shape: [n, k] } },
];
const softmax = (z: Float64Array, row: number, t: number): number[] => {
  const e = Array.from({ length: k }, (_, j) => Math.exp(z[row * k + j]! / t));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
};

test('systems/97 the widest group learns from labels, each other from the next wider one, by definition', () => {
  const t = 2;
  const { value, values } = groupProgressiveGuidance(groups, labels, { temperature: t });
  const kl = (teacher: number, student: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const [q, p] = [softmax(groups[teacher]!.logits.data, i, t), softmax(groups[student]!.logits.data, i, t)];
      for (let j = 0; j < k; j++) sum += (t * t * q[j]! * Math.log(q[j]! / p[j]!)) / n;
    }
    return sum;
  };
  const ce = Array.from(labels).reduce((sum, label, i) => sum - Math.log(softmax(groups[1]!.logits.data, i, 1)[label]!) / n, 0);
  expectClose(values, [kl(1, 0), ce, kl(0, 2)], { rtol: 1e-10 });
  expect(value).toBeCloseTo(values[0]! + values[1]! + values[2]!, 12);
});

test('systems/97 gradients of each group are those of differences with the wider group held fixed', () => {
  const options = { temperature: 1.5, labelWeight: 0.3 };
  const { grads } = groupProgressiveGuidance(groups, labels, options);
  for (const g of [0, 1, 2]) {
    const numeric = groups[g]!.logits.data.map((_, at) => {
      const by = (step: number): number => {
        const moved = groups.map((group, i) =>
          i === g ? { ...group, logits: { data: group.logits.data.map((v, c) => (c === at ? v + step : v)), shape: [n, k] } } : group,
        );
        return groupProgressiveGuidance(moved, labels, options).values[g]!;
      };
      return (by(1e-5) - by(-1e-5)) / 2e-5;
    });
    expectClose(grads[g]!.data, numeric, { rtol: 1e-6, atol: 1e-9 });
  }
  const alike = groupProgressiveGuidance([groups[0]!, { bits: 3, logits: groups[0]!.logits }], labels);
  expect(alike.values[1]).toBeCloseTo(0, 12);
});

test('systems/97 guidance through rounded weights keeps more accuracy at 2 bits than rounding alone', async () => {
  const model = await trained();
  const fresh = clusters(500, 9);
  const batch = clusters(400, 2);
  const params = model.getParameters();
  const rounded = (w: Float32Array, bits: number): Float32Array => {
    const out = w.slice();
    for (const { role, offset, shape } of model.layout) {
      if (role !== 'weight') continue;
      const end = offset + shape[0]! * shape[1]!;
      out.set(fakeQuantize(w.subarray(offset, end), { bits, perChannel: shape }).values, offset);
    }
    return out;
  };
  const at = async (w: Float32Array, bits: number): Promise<number> => {
    model.setParameters(rounded(w, bits));
    return accuracy(model, fresh);
  };
  const before = await at(params as Float32Array, 2);
  const optimizer = adam({ learningRate: 1e-3 });
  const state = optimizer.init(params);
  for (let step = 0; step < 40; step++) {
    const logits = [];
    for (const bits of [8, 4, 2]) {
      model.setParameters(rounded(params as Float32Array, bits));
      logits.push({ bits, logits: await model.predict(batch.x) });
    }
    const { grads } = groupProgressiveGuidance(logits, batch.y as Int32Array);
    const total = new Float32Array(params.length);
    for (const [g, bits] of [8, 4, 2].entries()) {
      model.setParameters(rounded(params as Float32Array, bits)); // straight through: the gradient at the rounded weights moves the weights
      const slopes = await model.vjp(batch.x, grads[g]!);
      for (let i = 0; i < total.length; i++) total[i]! += slopes[i]!;
    }
    optimizer.step(params, total, state);
  }
  expect(await at(params as Float32Array, 2)).toBeGreaterThan(before + 0.02);
  model.dispose();
});

test('systems/97 a predictor trained on some configurations ranks the others, and a search by it finds nearly the best', async () => {
  const choices = [2, 4, 8];
  const gain = [1, 3, 0.5, 2];
  const truth = (bits: readonly number[]): number => bits.reduce((sum, b, l) => sum + gain[l]! / (b * b), 0);
  const all = Array.from({ length: 81 }, (_, c) => [0, 1, 2, 3].map((l) => choices[Math.floor(c / 3 ** l) % 3]!));
  const examples = all.filter((_, c) => c % 2 === 0).map((bits) => ({ bits, value: truth(bits) }));
  const predictor = await accuracyPredictor(examples, { choices });
  expect(predictor.error).toBeLessThan(0.01);
  let [error, spread] = [0, 0];
  const mean = all.reduce((sum, bits) => sum + truth(bits) / 81, 0);
  for (const bits of all) {
    error += (truth(bits) - (await predictor.predict(bits))) ** 2;
    spread += (truth(bits) - mean) ** 2;
  }
  expect(error / spread).toBeLessThan(0.05);
  const sizes = [10, 20, 30, 40];
  const found = await mixedPrecisionSearch({ choices, sizes, budget: 4.5, evaluate: (bits) => predictor.predict(bits) });
  const allowed = all.filter((bits) => bits.reduce((sum, b, l) => sum + b * sizes[l]!, 0) <= 450);
  const order = allowed.map(truth).sort((a, b) => a - b);
  expect(order.indexOf(truth(found.bits))).toBeLessThan(4);
  predictor.dispose();
});

test('bad input is refused by name', async () => {
  expect(() => groupProgressiveGuidance([], labels)).toThrow(/groups: expected an integer >= 1/);
  expect(() => groupProgressiveGuidance(groups, Uint8Array.of(0, 1, 2, 3, 4))).toThrow(/labels: expected/);
  const odd = { bits: 2, logits: { data: new Float64Array(2), shape: [1, 2] } };
  expect(() => groupProgressiveGuidance([...groups, odd], labels)).toThrow(/groups\[3\].logits: expected shape \[5, 4\], got \[1, 2\]/);
  await expect(accuracyPredictor([], { choices: [2] })).rejects.toThrow(/examples: expected at least one/);
  await expect(accuracyPredictor([{ bits: [3], value: 1 }], { choices: [2] })).rejects.toThrow(
    /bits: expected one of 2 for every layer, got 3/,
  );
});
