import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { softSort, sort } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);
const rows = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 14 });
const settings = fc.record({
  regularization: fc.constantFrom('l2' as const, 'kl' as const),
  strength: fc.constantFrom(0.01, 0.3, 1, 20),
  direction: fc.constantFrom('ascending' as const, 'descending' as const),
});

test('the printed example: [5, 1, 2] at strength 1', () => {
  expectClose(softSort([5, 1, 2]).values, [5 / 3, 8 / 3, 11 / 3], { atol: 1e-12 });
});

test('values are in order, do not depend on the order of x, and keep its sum (l2)', () =>
  fc.assert(
    fc.property(rows, settings, fc.integer(), (x, setting, seed) => {
      const values = softSort(x, setting).values;
      const sign = setting.direction === 'ascending' ? 1 : -1;
      for (let i = 1; i < x.length; i++) expect(sign * ((values[i] as number) - (values[i - 1] as number))).toBeGreaterThanOrEqual(-1e-10);
      const order = new Random(seed).permutation(x.length);
      expectClose(
        softSort(
          Array.from(order, (i) => x[i] as number),
          setting,
        ).values,
        values,
        { atol: 1e-11 },
      );
      if (setting.regularization === 'l2')
        expectClose(
          dot(
            values,
            x.map(() => 1),
          ),
          dot(
            x,
            x.map(() => 1),
          ),
          { atol: 1e-10 },
        );
      // Σ e^value = Σ e^x for the kl form of the largest first; ascending it is the same for −x.
      else
        expectClose(
          dot(
            values.map((v) => Math.exp(-sign * v)),
            x.map(() => 1),
          ),
          dot(
            x.map((v) => Math.exp(-sign * v)),
            x.map(() => 1),
          ),
          { rtol: 1e-10 },
        );
    }),
  ));

test('strength 0 is the hard sort, its gradient the permutation, and small strengths reach both', () => {
  const x = [3, 1, 4, 1.5, 5, 9, 2, 6];
  const g = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const regularization of ['l2', 'kl'] as const) {
    for (const strength of [0, 1e-9, 1e-200, 5e-324]) {
      const { values, backward } = softSort(x, { regularization, strength });
      expectClose(values, sort(x), { atol: 1e-12 });
      expectClose(backward(g), [4, 1, 5, 2, 6, 8, 3, 7], { atol: 1e-12 });
    }
  }
});

test.each([
  ['l2', 'absolute', 0.8],
  ['l2', 'range', 0.3],
  ['kl', 'absolute', 0.8],
  ['kl', 'range', 0.3],
] as const)('the gradient (%s, strength %s) agrees with differences', (regularization, units, strength) => {
  for (const direction of ['ascending', 'descending'] as const) {
    const options = { regularization, units, strength, direction };
    const [x, g] = [randomF64(20, 3), randomF64(20, 4)];
    const value = (data: Float64Array) => dot(softSort({ data, shape: [2, 10] }, options).values.data, g);
    expectClose(softSort({ data: x, shape: [2, 10] }, options).backward(g).data, numericalGradient(value, x, 1e-6), { atol: 1e-6 });
  }
});

test('the kl gradient takes the softmax of the sorted values over a pool; over the slopes, as a common package does, it is wrong', () => {
  const x = Float64Array.of(0.3, -1.2, 0.9, 0.1, -0.4);
  const g = Float64Array.of(1, -2, 0.5, 1.5, -3);
  const strength = 100; // one pool: values = const − slopes' softmax terms, descending
  const { values, backward } = softSort(x, { regularization: 'kl', strength, direction: 'descending' });
  const differences = numericalGradient(
    (data) => dot(softSort(data, { regularization: 'kl', strength, direction: 'descending' }).values, g),
    x,
  );
  const softmax = (v: number[]) => {
    const e = v.map(Math.exp);
    return e.map((p) => p / e.reduce((a, b) => a + b, 0));
  };
  const total = g.reduce((a, b) => a + b, 0);
  expectClose(
    backward(g),
    softmax([...x]).map((p) => p * total),
    { atol: 1e-12 },
  );
  expectClose(backward(g), differences, { atol: 1e-7 });
  const slopes = softmax([5, 4, 3, 2, 1].map((v) => v / strength)).map((p) => p * total);
  const order = [...x.keys()].sort((a, b) => (x[b] as number) - (x[a] as number));
  const published = order.reduce((out, i, place) => ((out[i] = slopes[place] as number), out), new Array<number>(5));
  expect(Math.max(...published.map((p, i) => Math.abs(p - (differences[i] as number))))).toBeGreaterThan(0.1 * Math.abs(total));
  expect(values.length).toBe(5);
});

test.each([
  ['a negative strength', () => softSort([1], { strength: -1 }), /strength: expected a number >= 0, got -1/],
  ['an infinity', () => softSort([1, Infinity]), /x: expected finite numbers, got Infinity at index 1/],
  ['an empty row', () => softSort({ data: new Float32Array(0), shape: [2, 0] }), /x: expected at least one element in a row, got none/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
