import { Random } from '../../src/core/random.js';
import { crossEntropy, numberTokenLoss, wassersteinTokenLoss } from '../../src/losses/index.js';
import { emd, wasserstein1d } from '../../src/transport/index.js';
import { expectClose, numericalGradient, randomF32, randomF64 } from '../helpers/close.js';

/** Ten digits among other tokens, unevenly spaced on request. */
const digits = [NaN, 0, 1, 2, NaN, 3, 4, 5, 6, NaN, 7, 8, 9];
const uneven = [NaN, 0, 1, 2.5, NaN, 3, 40, 5, 6, NaN, -7, 8, 1e3];
const labels = [1, 7, 4, 12, 9, 5]; // samples 2 and 4 are no numbers
const logits = { data: randomF64(6 * 13, 3), shape: [6, 13] };

/** Softmax over the number tokens of one row. */
function probabilities(row: ArrayLike<number>, values: number[]): number[] {
  const e = values.map((v, j) => (Number.isNaN(v) ? 0 : Math.exp(row[j]!)));
  const sum = e.reduce((s, v) => s + v, 0);
  return e.filter((_, j) => !Number.isNaN(values[j])).map((v) => v / sum);
}

test('systems/195: the Wasserstein form is the exact transport of the softmax to the label, for uneven spacing too', () => {
  for (const values of [digits, uneven]) {
    const { perSample, value } = wassersteinTokenLoss(logits, labels, { values });
    const numbers = values.filter((v) => !Number.isNaN(v));
    const cost = numbers.map((v) => numbers.map((w) => Math.abs(v - w)));
    let mean = 0;
    expect([perSample[2], perSample[4]]).toEqual([0, 0]);
    labels.forEach((label, i) => {
      if (Number.isNaN(values[label])) return;
      const p = probabilities(logits.data.subarray(i * 13, (i + 1) * 13), values);
      const target = numbers.map((v) => (v === values[label] ? 1 : 0));
      const exact = emd({ cost, a: p, b: target }).value;
      expectClose(perSample[i]!, exact, { rtol: 1e-12 });
      expectClose(perSample[i]!, wasserstein1d({ x: numbers, y: [values[label]!], a: p }).distance, { rtol: 1e-12 });
      mean += exact / 4;
    });
    expectClose(value, mean, { rtol: 1e-12 });
  }
});

test('systems/195: on equally spaced values it is the summed distance of the distribution functions', () => {
  const { perSample } = wassersteinTokenLoss(logits, labels, { values: digits });
  const p = probabilities(logits.data.subarray(13, 26), digits);
  let [sum, below] = [0, 0];
  for (const [v, mass] of p.entries()) {
    below += mass;
    sum += Math.abs(below - (v >= 5 ? 1 : 0));
  }
  expectClose(perSample[1]!, sum, { rtol: 1e-12 });
});

test.each([
  ['numberTokenLoss', numberTokenLoss],
  ['wassersteinTokenLoss', wassersteinTokenLoss],
] as const)('systems/195: the gradient of %s is that of differences, and 0 on tokens that are no numbers', (_, loss) => {
  const options = { values: uneven.map((v) => v / 10), weights: [1, 2, 3, 0.5, 1, 1], ignoreIndex: 5 };
  const { grad } = loss(logits, labels, options);
  const want = numericalGradient((z) => loss({ data: z, shape: [6, 13] }, labels, options).value, logits.data);
  expectClose(grad, want, { rtol: 1e-5, atol: 1e-6 });
  for (let i = 0; i < 6; i++) for (const j of [0, 4, 9]) expect(grad[i * 13 + j]).toBe(0);
  expect(Array.from(grad.subarray(5 * 13))).toEqual(new Array(13).fill(0));
});

test('systems/195: the squared form takes 0 and 8 for a 4, the Wasserstein form does not', () => {
  const values = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const spread = { data: Float64Array.from(values, (v) => (v === 0 || v === 8 ? 50 : -50)), shape: [1, 9] };
  expectClose(numberTokenLoss(spread, [4], { values }).value, 0, { atol: 1e-12 });
  expectClose(wassersteinTokenLoss(spread, [4], { values }).value, 4, { rtol: 1e-12 });
  const sure = { data: Float64Array.from(values, (v) => (v === 4 ? 50 : -50)), shape: [1, 9] };
  expectClose(wassersteinTokenLoss(sure, [4], { values }).value, 0, { atol: 1e-12 });
});

test('systems/195: with ordinal errors the mean absolute error falls against cross-entropy at equal accuracy', () => {
  // Digits as noisy bumps: a digit looks like its neighbours, and every tenth training label is a wild guess.
  const [k, d, n] = [10, 10, 400];
  const draw = (count: number, seed: number, noise: number) => {
    const random = new Random(seed);
    const y = Int32Array.from({ length: count }, () => random.integer(k));
    const data = new Float64Array(count * d);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < d; j++) data[i * d + j] = Math.exp(-((j - y[i]!) ** 2) / 2) + 0.45 * random.normal();
    const given = y.map((label) => (random.uniform() < noise ? random.integer(k) : label));
    return { data, y, given };
  };
  const [train, held] = [draw(n, 1, 0.1), draw(2000, 2, 0)];
  const values = Array.from({ length: k }, (_, v) => v);
  const scores = (w: Float64Array, x: Float64Array) => {
    const out = new Float64Array((x.length / d) * k);
    for (let i = 0; i < x.length / d; i++)
      for (let c = 0; c < k; c++) {
        out[i * k + c] = w[c * (d + 1) + d]!;
        for (let j = 0; j < d; j++) out[i * k + c]! += w[c * (d + 1) + j]! * x[i * d + j]!;
      }
    return { data: out, shape: [x.length / d, k] };
  };
  const fit = (weight: number) => {
    const w = new Float64Array(k * (d + 1));
    for (let step = 0; step < 250; step++) {
      const z = scores(w, train.data);
      const one = crossEntropy(z, train.given).grad;
      const two = wassersteinTokenLoss(z, train.given, { values }).grad;
      for (let i = 0; i < n; i++)
        for (let c = 0; c < k; c++) {
          const g = one[i * k + c]! + weight * two[i * k + c]!;
          for (let j = 0; j < d; j++) w[c * (d + 1) + j]! -= 2 * g * train.data[i * d + j]!;
          w[c * (d + 1) + d]! -= 2 * g;
        }
    }
    const z = scores(w, held.data).data;
    let [right, distance] = [0, 0];
    held.y.forEach((label, i) => {
      const row = Array.from(z.subarray(i * k, (i + 1) * k));
      const guess = row.indexOf(Math.max(...row));
      if (guess === label) right++;
      distance += Math.abs(guess - label);
    });
    return { accuracy: right / held.y.length, distance: distance / held.y.length };
  };
  const [plain, withDistance] = [fit(0), fit(0.3)];
  expect(withDistance.distance).toBeLessThan(0.95 * plain.distance);
  expect(withDistance.accuracy).toBeGreaterThan(plain.accuracy - 0.01);
});

test('f32 logits get an f32 gradient, and a batch without number labels is 0', () => {
  const z = { data: randomF32(2 * 13, 5), shape: [2, 13] };
  expect(wassersteinTokenLoss(z, [1, 2], { values: digits }).grad).toHaveProperty('BYTES_PER_ELEMENT', 4);
  const none = numberTokenLoss(z, [0, 4], { values: digits });
  expect(none.value).toBe(0);
  expect(none.grad.every((g) => g === 0)).toBe(true);
});

test.each([
  ['values', [1, 2], /values: expected 13 elements, got 2/],
  ['no values', undefined, /values: expected 13 elements, got 0/],
  [
    'infinite values',
    digits.map((v) => (v === 9 ? Infinity : v)),
    /values: expected numbers, or NaN for other tokens, got Infinity at index 12/,
  ],
  ['only NaN', digits.map(() => NaN), /values: expected at least one number token/],
])('bad %s are refused by name', (_, values, message) => {
  expect(() => wassersteinTokenLoss(logits, labels, { values: values as number[] })).toThrow(message);
  expect(() => numberTokenLoss(logits, [13, 0, 0, 0, 0, 0], { values: digits })).toThrow(/labels: expected labels from 0 to 12, got 13/);
});
