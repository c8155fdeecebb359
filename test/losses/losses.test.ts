import { binaryCrossEntropy, type CrossEntropyOptions, crossEntropy, huber, mse } from '../../src/losses/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const [n, k] = [5, 7];
const data = randomF64(n * k, 1);
const scores = { data, shape: [n, k] };
const labels = Int32Array.of(3, 0, 6, 3, 1);
const targets = randomF64(n * k, 2);
const shares = targets.map((v) => 1 / (1 + Math.exp(-v)));
const weights = [1, 0, 2.5, 0.5, 1];
const classWeights = [1, 2, 0.5, 1.5, 1, 3, 0.25];

/** Cross-entropy as printed, from probabilities. */
function printed(x: Float64Array, s: number, c: number[], w: number[], ignore?: number): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < n; i++) {
    const y = labels[i]!;
    if (y === ignore) continue;
    const row = x.subarray(i * k, i * k + k);
    const z = row.reduce((a, v) => a + Math.exp(v), 0);
    const nll = [...row].map((v) => -Math.log(Math.exp(v) / z));
    sum += w[i]! * ((1 - s) * c[y]! * nll[y]! + (s / k) * nll.reduce((a, v, j) => a + c[j]! * v, 0));
    total += w[i]! * c[y]!;
  }
  return sum / total;
}

test.each([
  ['plain', {}],
  ['label smoothing', { labelSmoothing: 0.3 }],
  ['class weights', { classWeights }],
  ['ignored labels', { ignoreIndex: 3 }],
  ['all at once', { labelSmoothing: 0.2, classWeights, ignoreIndex: 3, weights }],
])('cross-entropy with %s is the printed formula', (_what, o: CrossEntropyOptions) => {
  const { value } = crossEntropy(scores, labels, o);
  const want = printed(
    data,
    o.labelSmoothing ?? 0,
    [...(o.classWeights ?? Array(k).fill(1))],
    [...(o.weights ?? Array(n).fill(1))],
    o.ignoreIndex,
  );
  expectClose(value, want, { rtol: 1e-13 });
});

test.each([
  ['cross-entropy', (x: Float64Array) => crossEntropy({ data: x, shape: [n, k] }, labels)],
  [
    'cross-entropy with every option',
    (x: Float64Array) => crossEntropy({ data: x, shape: [n, k] }, labels, { labelSmoothing: 0.2, classWeights, ignoreIndex: 3, weights }),
  ],
  ['binary cross-entropy', (x: Float64Array) => binaryCrossEntropy({ data: x, shape: [n, k] }, shares, { weights })],
  ['mse', (x: Float64Array) => mse({ data: x, shape: [n, k] }, targets, { weights })],
  ['huber', (x: Float64Array) => huber({ data: x, shape: [n, k] }, targets, { delta: 0.7, weights })],
])('the gradient of %s agrees with central differences', (_name, loss) => {
  expectClose(
    loss(data).grad,
    numericalGradient((x) => loss(x).value, data),
    { atol: 1e-9 },
  );
});

test('mse is the mean of squares over samples and outputs; its perSample averages to it', () => {
  const { value, perSample } = mse(scores, targets);
  expectClose(value, data.reduce((s, v, at) => s + (v - targets[at]!) ** 2, 0) / (n * k), { rtol: 1e-14 });
  expectClose(perSample.reduce((s, v) => s + v, 0) / n, value, { rtol: 1e-14 });
});

test('binary cross-entropy is exact where the sigmoid saturates', () => {
  const r = binaryCrossEntropy({ data: Float64Array.of(1000, -1000, 1000, -1000), shape: [4, 1] }, [1, 0, 0, 1]);
  expectClose(r.perSample, [0, 0, 1000, 1000]);
  expectClose(r.grad, [0, 0, 0.25, -0.25]);
});

test('huber is half the square within delta and a line of slope delta beyond', () => {
  const r = huber({ data: Float64Array.of(0.5, 3, -3), shape: [3, 1] }, [0, 0, 0], { delta: 2 });
  expectClose(r.perSample, [0.125, 4, 4]);
  expectClose(r.grad, [0.5 / 3, 2 / 3, -2 / 3], { rtol: 1e-15 });
});

test('the precision of the scores decides that of the gradient', () => {
  const single = { data: Float32Array.from(data), shape: [n, k] };
  const r = crossEntropy(single, labels);
  expect(r.grad).toBeInstanceOf(Float32Array);
  expectClose(r.grad, crossEntropy(scores, labels).grad, { atol: 1e-7 });
  expectClose(r.value, crossEntropy(scores, labels).value, { rtol: 1e-6 });
});

test('every sample ignored gives value 0 and a zero gradient, never NaN', () => {
  const r = crossEntropy({ data: Float64Array.of(1, 2), shape: [1, 2] }, [0], { ignoreIndex: 0 });
  expect(r.value).toBe(0);
  expectClose(r.grad, [0, 0]);
});

test('bad input is refused by name', () => {
  expect(() => crossEntropy(scores, [1, 2])).toThrow(/labels: expected 5 elements, got 2/);
  expect(() => crossEntropy(scores, [1, 2, 7, 0, 0])).toThrow(/labels: expected labels from 0 to 6, got 7 at index 2/);
  expect(() => crossEntropy(scores, labels, { labelSmoothing: 2 })).toThrow(/labelSmoothing: expected a number from 0 to 1/);
  expect(() => mse({ data: Float64Array.of(Number.NaN), shape: [1, 1] }, [0])).toThrow(/predictions: expected finite numbers/);
  expect(() => mse(scores, [1])).toThrow(/targets: expected 35 elements, got 1/);
  expect(() => huber(scores, targets, { delta: 0 })).toThrow(/delta: expected a number > 0/);
  expect(() => binaryCrossEntropy(scores, targets)).toThrow(/targets: expected numbers from 0 to 1/);
  expect(() => mse({ data: new Float64Array(0), shape: [0, 3] }, [])).toThrow(/predictions: expected \[n, k\] with n, k >= 1/);
});
