import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { type Distribution, diffSort, sort } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF32, randomF64 } from '../helpers/close.js';

const all: Distribution[] = ['logistic', 'logistic-phi', 'gaussian', 'reciprocal', 'cauchy', 'optimal'];
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);
const rows = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 12 });

describe.each(['odd-even', 'bitonic'] as const)('%s', (network) => {
  describe.each(all)('%s', (distribution) => {
    test('two wires: the closed form of one comparator', () => {
      const [a, b] = [0.3, 0.45];
      const v = 4 * (b - a);
      const alpha = {
        logistic: 1 / (1 + Math.exp(-v)),
        'logistic-phi': 1 / (1 + Math.exp(-v / (b - a) ** 0.25)),
        gaussian: 0.7257468822499265, // Φ(0.6)
        reciprocal: 0.5 * (v / (2 + v) + 1),
        cauchy: Math.atan(v) / Math.PI + 0.5,
        optimal: 1 - 1 / (16 * v),
      }[distribution];
      const { sorted, permutation } = diffSort([a, b], { network, distribution, steepness: 4 });
      expectClose(sorted, [alpha * a + (1 - alpha) * b, (1 - alpha) * a + alpha * b], { atol: 1e-9 });
      expectClose(permutation().data, [alpha, 1 - alpha, 1 - alpha, alpha], { atol: 1e-9 });
    });

    test.each([2, 5, 17, 23])('the gradient of values, permutation and propagated groups at n = %i agrees with differences', (n) => {
      const options = { network, distribution, steepness: 2 } as const;
      // Points of a grid, shuffled and nudged: no two are near each other, where logistic-phi and optimal have kinks.
      const nudge = randomF64(2 * n, 1);
      const order = [...new Random(2).permutation(n), ...new Random(3).permutation(n)];
      const x = Float64Array.from(order, (place, i) => place * 0.37 + 0.05 * Math.tanh(nudge[i] as number));
      const [gy, gP, U, gZ] = [randomF64(2 * n, 4), randomF64(2 * n * n, 5), randomF64(3 * n, 6), randomF64(6 * n, 7)];
      const places = { data: U, shape: [3, n] };
      const value = (data: Float64Array) => {
        const result = diffSort({ data, shape: [2, n] }, options);
        return dot(result.sorted.data, gy) + dot(result.permutation().data, gP) + dot(result.propagate(places).data, gZ);
      };
      const { data } = diffSort({ data: x, shape: [2, n] }, options).backward({
        sorted: gy,
        permutation: gP,
        propagated: { places, grad: gZ },
      });
      expectClose(data, numericalGradient(value, x, 1e-6), { rtol: 2e-5, atol: 2e-5 });
    });

    test('a steep comparison gives the hard sort, in both directions', () => {
      const x = Float64Array.from(new Random(1).permutation(19), (v) => v / 2);
      for (const direction of ['ascending', 'descending'] as const) {
        const { sorted } = diffSort(x, { network, distribution, steepness: 1e7, direction });
        expectClose(sorted, sort(x, { direction }), { atol: 1e-4 });
      }
    });
  });

  test('P is doubly stochastic, sorted = P x, and propagated weights are U P', () =>
    fc.assert(
      fc.property(rows, fc.constantFrom(...all), fc.constantFrom(0.5, 5, 50), (x, distribution, steepness) => {
        const n = x.length;
        const { sorted, permutation, propagate } = diffSort(x, { network, distribution, steepness });
        const P = permutation().data;
        const U = randomF64(2 * n);
        for (let i = 0; i < n; i++) {
          expectClose(dot(P.subarray(i * n, (i + 1) * n), new Float64Array(n).fill(1)), 1, { atol: 1e-12 });
          expectClose(
            Array.from({ length: n }, (_, r) => P[r * n + i] as number).reduce((a, b) => a + b, 0),
            1,
            { atol: 1e-12 },
          );
          expectClose(dot(P.subarray(i * n, (i + 1) * n), x), sorted[i] as number, { atol: 1e-11 });
        }
        const product = Float64Array.from({ length: 2 * n }, (_, at) => {
          const [k, j] = [Math.floor(at / n), at % n];
          return Array.from({ length: n }, (_, r) => (U[k * n + r] as number) * (P[r * n + j] as number)).reduce((a, b) => a + b, 0);
        });
        expectClose(propagate({ data: U, shape: [2, n] }).data, product, { atol: 1e-11 });
      }),
    ));

  test('sums are preserved, shifts shift, and a scaled input with a scaled steepness scales', () =>
    fc.assert(
      fc.property(rows, fc.constantFrom(...all.filter((d) => d !== 'logistic-phi')), (x, distribution) => {
        const options = { network, distribution, steepness: 3 } as const;
        const { sorted } = diffSort(x, options);
        expectClose(dot(sorted, new Float64Array(x.length).fill(1)), dot(x, new Float64Array(x.length).fill(1)), { atol: 1e-11 });
        expectClose(
          diffSort(
            x.map((v) => v + 7),
            options,
          ).sorted,
          sorted.map((v) => v + 7),
          { atol: 1e-9 },
        );
        expectClose(
          diffSort(
            x.map((v) => v * 4),
            { ...options, steepness: 0.75 },
          ).sorted,
          sorted.map((v) => v * 4),
          { atol: 1e-9 },
        );
      }),
    ));
});

test.each(['reciprocal', 'cauchy', 'optimal'] as const)('%s keeps its promise: a swap of two wires is monotonic', (distribution) => {
  let last = -Infinity;
  for (let b = -5; b <= 5; b += 0.01) {
    const low = diffSort([0, b], { distribution, steepness: 3 }).sorted[0] as number;
    expect(low).toBeGreaterThanOrEqual(last);
    last = low;
  }
});

test('rows of a batch do not touch each other, whatever its size', () => {
  for (const batch of [1, 2, 3, 4, 5, 9]) {
    const data = randomF32(batch * 7);
    const whole = diffSort({ data, shape: [batch, 7] }).backward({ sorted: new Float32Array(batch * 7).map((_, i) => i % 5) }).data;
    for (let b = 0; b < batch; b++) {
      const one = diffSort(data.slice(b * 7, b * 7 + 7)).backward({ sorted: Array.from({ length: 7 }, (_, i) => (b * 7 + i) % 5) });
      expect(whole.slice(b * 7, b * 7 + 7)).toEqual(one);
    }
  }
});

test('huge and tiny differences give finite values and gradients in f32', () => {
  for (const distribution of all) {
    for (const scale of [1e30, 1e-30, 0]) {
      const result = diffSort(
        Float32Array.of(3, -1, 2).map((v) => v * scale),
        { distribution },
      );
      const grad = result.backward({ sorted: [1, 2, 3], permutation: new Float32Array(9).fill(0.5) });
      for (const value of [...result.sorted, ...result.permutation().data, ...grad]) expect(Number.isFinite(value)).toBe(true);
    }
  }
});

test.each([
  ['steepness 0', () => diffSort([1, 2], { steepness: 0 }), /steepness: expected a number > 0, got 0/],
  ['a NaN', () => diffSort([1, NaN]), /x: expected finite numbers, got NaN at index 1/],
  ['an empty row', () => diffSort([]), /x: expected at least one element in a row, got none/],
  ['an unknown relaxation', () => diffSort([1], { distribution: 'probit' as 'cauchy' }), /distribution: expected one of logistic/],
  ['a gradient of another size', () => diffSort([1, 2]).backward({ sorted: [1] }), /sorted: expected 2 elements, got 1/],
  ['weights on other places', () => diffSort([1, 2]).propagate([1, 2, 3]), /places: expected rows of 2 elements, got 3/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});

test.each(all)('%s: differences beyond the range of numbers are hard comparisons', (distribution) => {
  const x = Float32Array.from([1e38, -1e38]);
  const { sorted, permutation } = diffSort(x, { distribution, steepness: 100 });
  expectClose(sorted, [-1e38, 1e38], { rtol: 1e-6 });
  expectClose(permutation(), [0, 1, 1, 0], { atol: 1e-6 });
});
