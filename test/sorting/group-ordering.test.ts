import fc from 'fast-check';
import { diffSort, groupOrderingLoss, groupOrderingScoresLoss } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const embeddings = (views: number, batch: number, d: number, seed = 1) => ({
  data: randomF64(views * batch * d, seed),
  shape: [views, batch, d],
});

// systems/113
test('the loss is the cross-entropy of the two group masses of the permutation matrix', () => {
  const scores = randomF64(2 * 7);
  const loss = groupOrderingScoresLoss({ data: scores, shape: [2, 7] }, { negatives: 4, steepness: 3 });
  const P = diffSort({ data: scores, shape: [2, 7] }, { network: 'odd-even', steepness: 3 }).permutation().data;
  let want = 0;
  for (let row = 0; row < 2; row++) {
    for (let i = 0; i < 7; i++) {
      let low = 0;
      let high = 0;
      for (let place = 0; place < 7; place++) {
        if (place < 4) low += P[(row * 7 + place) * 7 + i] as number;
        else high += P[(row * 7 + place) * 7 + i] as number;
      }
      want += (i < 4 ? -Math.log(low) - Math.log(1 - high) : -Math.log(1 - low) - Math.log(high)) / 2;
    }
  }
  expectClose(loss.value, want / 14, { rtol: 1e-12 });
  expectClose((loss.perSample[0] as number) + (loss.perSample[1] as number), want / 7, { rtol: 1e-12 });
});

test.each(['odd-even', 'bitonic'] as const)('the gradient of score lists agrees with differences (%s)', (network) => {
  const scores = randomF64(3 * 6, 2);
  const options = { negatives: 2, steepness: 2, network };
  const value = (data: Float64Array) => groupOrderingScoresLoss({ data, shape: [3, 6] }, options).value;
  const { grad } = groupOrderingScoresLoss({ data: scores, shape: [3, 6] }, options);
  expectClose(grad.data, numericalGradient(value, scores), { atol: 1e-8 });
});

test('the gradient of embeddings agrees with differences when nothing is stopped', () => {
  const { data, shape } = embeddings(3, 5, 4);
  const options = { negatives: 3, stopGradient: false, steepness: 2 };
  const { grad } = groupOrderingLoss({ data, shape }, options);
  expectClose(
    grad.data,
    numericalGradient((x) => groupOrderingLoss({ data: x, shape }, options).value, data, 1e-6),
    { atol: 1e-7 },
  );
});

test('at a steep comparison the loss is 0 exactly when every positive beats every negative', () =>
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -30, max: 30 }), { minLength: 3, maxLength: 9 }),
      fc.integer({ min: 1, max: 2 }),
      (scores, negatives) => {
        const { value } = groupOrderingScoresLoss(scores, { negatives, steepness: 1e9 });
        const perfect = Math.max(...scores.slice(0, negatives)) < Math.min(...scores.slice(negatives));
        expect(value < 1e-5).toBe(perfect);
      },
    ),
  ));

test('the loss of embeddings does not depend on their scale, nor their gradient on the order of the batch', () => {
  const { data, shape } = embeddings(2, 6, 5);
  const { value, grad } = groupOrderingLoss({ data, shape });
  expectClose(groupOrderingLoss({ data: data.map((v) => 3 * v), shape }).value, value, { rtol: 1e-12 });
  const turned = Float64Array.from(data, (_, at) => data[Math.floor(at / 30) * 30 + (((at % 30) + 5) % 30)] as number);
  const back = groupOrderingLoss({ data: turned, shape }).grad.data;
  for (let at = 0; at < 60; at++)
    expectClose(back[at] as number, grad.data[Math.floor(at / 30) * 30 + (((at % 30) + 5) % 30)] as number, { atol: 1e-12 });
});

test('steps along the negative gradient bring views of a sample together', () => {
  const { data, shape } = embeddings(2, 8, 6, 5);
  const first = groupOrderingLoss({ data, shape }, { steepness: 4 });
  let now = first;
  for (let step = 0; step < 60; step++) {
    now.grad.data.forEach((g, i) => {
      data[i] = (data[i] as number) - 20 * g;
    });
    now = groupOrderingLoss({ data, shape }, { steepness: 4 });
  }
  expect(now.value).toBeLessThan(0.5 * first.value);
});

test.each([
  ['one view', () => groupOrderingLoss(embeddings(1, 4, 2)), /embeddings: expected shape \[views >= 2, batch >= 2, d\], got \[1, 4, 2\]/],
  [
    'more negatives than others',
    () => groupOrderingLoss(embeddings(2, 4, 2), { negatives: 4 }),
    /negatives: expected an integer from 1 to 3, got 4/,
  ],
  ['a zero row', () => groupOrderingLoss({ data: new Float64Array(8), shape: [2, 2, 2] }), /embeddings: expected rows that are not zero/],
  [
    'a list of negatives alone',
    () => groupOrderingScoresLoss([1, 2], { negatives: 2 }),
    /negatives: expected an integer from 1 to 1, got 2/,
  ],
  ['steepness −1', () => groupOrderingScoresLoss([1, 2], { negatives: 1, steepness: -1 }), /steepness: expected a number > 0, got -1/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
