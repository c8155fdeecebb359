import { diffSort, topKClassificationLoss } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const logits = (rows: number, classes: number) => ({ data: randomF64(rows * classes), shape: [rows, classes] });

test('with all the weight on the top-1 component the loss is the cross-entropy over the candidates', () => {
  const { data } = logits(1, 5);
  const { value } = topKClassificationLoss({ data, shape: [1, 5] }, [2], { weights: [1] });
  const sum = data.reduce((a, b) => a + Math.exp(b), 0);
  expectClose(value, Math.log(sum) - (data[2] as number), { atol: 1e-6 });
});

test('the top-3 component is the mass of the label on the last three places of the permutation', () => {
  const data = Float64Array.of(0.4, 2, 1, -0.5, 0.7); // the label first: candidates keep it in front, then fall
  const { value } = topKClassificationLoss({ data, shape: [1, 5] }, [0], { weights: [0, 0, 1] });
  const P = diffSort([0.4, 2, 1, 0.7, -0.5], { steepness: 1 }).permutation().data;
  const mass = [2, 3, 4].reduce((sum, place) => sum + (P[place * 5] as number), 0);
  expectClose(value, -Math.log(mass * (1 - 2e-7) + 1e-7), { rtol: 1e-12 });
});

test.each([4, 9])('the gradient with %i candidates agrees with differences', (candidates) => {
  const { data, shape } = logits(3, 9);
  const options = { candidates, weights: [0.4, 0.3, 0.2, 0.1], steepness: 0.8 };
  const value = (x: Float64Array) => topKClassificationLoss({ data: x, shape }, [1, 8, 4], options).value;
  expectClose(topKClassificationLoss({ data, shape }, [1, 8, 4], options).grad.data, numericalGradient(value, data), { atol: 1e-8 });
});

test('raising the score of the label lowers the loss until it leads', () => {
  let last = Infinity;
  for (let score = -3; score < 6; score += 0.5) {
    const { value } = topKClassificationLoss({ data: Float64Array.of(score, 1, 2, 3, 4, 5), shape: [1, 6] }, [0], { steepness: 4 });
    expect(value).toBeLessThan(last + 1e-9);
    last = value;
  }
});

test.each([
  [
    'weights that do not sum to 1',
    () => topKClassificationLoss(logits(1, 6), [0], { weights: [0.5, 0.4] }),
    /weights: expected non-negative numbers that sum to 1, got a sum of 0.9/,
  ],
  ['a label out of range', () => topKClassificationLoss(logits(1, 6), [6]), /labels: expected labels from 0 to 5, got 6/],
  ['fewer labels than rows', () => topKClassificationLoss(logits(2, 6), [0]), /labels: expected 2 elements, got 1/],
  [
    'more candidates than classes',
    () => topKClassificationLoss(logits(1, 6), [0], { candidates: 7 }),
    /candidates: expected an integer from 5 to 6, got 7/,
  ],
])('%s are refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
