// systems/30
import { decoupledSoftmaxLoss, softTopK, softTopKLoss } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const positives = Uint8Array.of(1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1);
const tensor = (data: Float64Array) => ({ data, shape: [2, 6] });

test('the decoupled loss is the printed sum over positives', () => {
  const s = randomF64(12);
  let want = 0;
  for (let row = 0; row < 2; row++) {
    const own = Array.from({ length: 6 }, (_, j) => row * 6 + j);
    const negatives = own.filter((j) => !positives[j]).reduce((sum, j) => sum + Math.exp((s[j] as number) / 0.5), 0);
    for (const j of own.filter((i) => positives[i])) {
      const e = Math.exp((s[j] as number) / 0.5);
      want -= Math.log(e / (e + negatives)) / 2;
    }
  }
  expectClose(decoupledSoftmaxLoss(tensor(s), positives, { temperature: 0.5 }).value, want, { rtol: 1e-13 });
});

test('the soft top-k loss is the sum of −log of the indicator', () => {
  const s = randomF64(12);
  const y = softTopK(tensor(s), { k: 2 }).values;
  const want = [...positives].reduce((sum, on, j) => sum - (on ? Math.log(y[j] as number) / 2 : 0), 0);
  expectClose(softTopKLoss(tensor(s), positives, { k: 2 }).value, want, { rtol: 1e-12 });
});

test('gradients of both agree with differences', () => {
  const s = randomF64(12, 3);
  for (const loss of [
    (x: Float64Array) => decoupledSoftmaxLoss(tensor(x), positives, { temperature: 0.7 }),
    (x: Float64Array) => softTopKLoss(tensor(x), positives, { k: 3 }),
  ]) {
    expectClose(
      loss(s).grad,
      numericalGradient((x) => loss(x).value, s),
      { atol: 1e-8 },
    );
  }
});

test('steps on either loss lift all positives alike, where a softmax over all lifts them against each other', () => {
  for (const loss of [
    (x: Float64Array) => decoupledSoftmaxLoss(x, Uint8Array.of(1, 1, 0, 0, 0)),
    (x: Float64Array) => softTopKLoss(x, Uint8Array.of(1, 1, 0, 0, 0), { k: 2 }),
  ]) {
    const s = Float64Array.of(3, -2, 1, 0.5, 0);
    for (let step = 0; step < 3000; step++) {
      const { grad } = loss(s);
      for (let j = 0; j < 5; j++) s[j] = (s[j] as number) - 0.5 * (grad[j] as number);
    }
    const rest = Math.max(s[2] as number, s[3] as number, s[4] as number);
    expect(Math.min(s[0] as number, s[1] as number)).toBeGreaterThan(rest + 1);
    expect(loss(s).value).toBeLessThan(0.05);
  }
});

test('huge scores stay finite, and a row of positives alone costs nothing', () => {
  const { value, grad } = decoupledSoftmaxLoss(Float64Array.of(-1e5, 1e5), [1, 0]);
  expect(value).toBe(2e5);
  expect([...grad]).toEqual([-1, 1]);
  expect(decoupledSoftmaxLoss([1, 2], [1, 1]).value).toBe(0);
});

test.each([
  [
    'a row without a positive',
    () => decoupledSoftmaxLoss([1, 2], [0, 0]),
    /positives: expected at least one in every row, got none in row 0/,
  ],
  ['a mask of another size', () => softTopKLoss([1, 2], [1], { k: 1 }), /positives: expected 2 elements, got 1/],
  ['temperature 0', () => decoupledSoftmaxLoss([1, 2], [1, 0], { temperature: 0 }), /temperature: expected a number > 0, got 0/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
