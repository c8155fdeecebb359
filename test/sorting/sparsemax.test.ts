// systems/208
import fc from 'fast-check';
import { entmax15, entmax15Loss, sparsemax, sparsemaxLoss } from '../../src/sorting/index.js';
import { expectClose, numericalGradient, randomF64 } from '../helpers/close.js';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * (b[i] as number), 0);
const scores = fc.array(fc.oneof(fc.double({ min: -6, max: 6, noNaN: true }), fc.constantFrom(0, 1, -1)), { minLength: 1, maxLength: 30 });

/** max(scale·x − τ, 0)^power with τ by bisection. */
function byBisection(x: number[], scale: number, power: number): number[] {
  let low = Math.max(...x) * scale - 1;
  let high = Math.max(...x) * scale;
  const at = (tau: number) => x.map((v) => Math.max(0, scale * v - tau) ** power);
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (at(middle).reduce((a, b) => a + b, 0) > 1) low = middle;
    else high = middle;
  }
  return at((low + high) / 2);
}

test('both maps agree with a bisection for their threshold', () =>
  fc.assert(
    fc.property(scores, (x) => {
      expectClose(sparsemax(x).values, byBisection(x, 1, 1), { atol: 1e-12 });
      expectClose(entmax15(x).values, byBisection(x, 0.5, 2), { atol: 1e-10 });
      expectClose(
        dot(
          sparsemax(x).values,
          x.map(() => 1),
        ),
        1,
        { atol: 1e-12 },
      );
      expectClose(
        dot(
          entmax15(x).values,
          x.map(() => 1),
        ),
        1,
        { atol: 1e-10 },
      );
    }),
  ));

test('sparsemax meets the optimality conditions of a projection on the simplex', () =>
  fc.assert(
    fc.property(scores, (x) => {
      const p = sparsemax(x).values;
      const inside = x.map((v, i) => v - (p[i] as number)).filter((_, i) => (p[i] as number) > 0);
      const tau = inside[0] as number;
      for (const value of inside) expectClose(value, tau, { atol: 1e-12 });
      x.forEach((v, i) => {
        if (p[i] === 0) expect(v).toBeLessThanOrEqual(tau + 1e-12);
      });
    }),
  ));

test('gradients agree with differences away from the edge of the support', () => {
  const [x, g] = [randomF64(21, 3), randomF64(21, 4)];
  for (const map of [sparsemax, entmax15]) {
    const value = (data: Float64Array) => dot(map({ data, shape: [3, 7] }).values.data, g);
    expectClose(map({ data: x, shape: [3, 7] }).backward(g).data, numericalGradient(value, x), { atol: 1e-5 });
  }
  for (const loss of [sparsemaxLoss, entmax15Loss]) {
    const targets = { data: sparsemax({ data: randomF64(21, 9), shape: [3, 7] }).values.data, shape: [3, 7] };
    for (const wanted of [Int32Array.of(1, 0, 6), targets]) {
      const value = (data: Float64Array) => loss({ data, shape: [3, 7] }, wanted).value;
      expectClose(loss({ data: x, shape: [3, 7] }, wanted).grad.data, numericalGradient(value, x), { atol: 1e-8 });
    }
  }
});

test('for two classes the sparsemax loss is the Huber loss of the margin', () => {
  for (let margin = -4; margin <= 4; margin += 0.125) {
    const huber = margin >= 1 ? 0 : margin <= -1 ? -margin : (margin - 1) ** 2 / 4;
    expectClose(sparsemaxLoss([margin, 0], [0]).value, huber, { atol: 1e-14 });
  }
});

test('losses are 0 exactly when the map gives the target, and not negative', () =>
  fc.assert(
    fc.property(scores, fc.nat(), (x, draw) => {
      for (const [map, loss] of [
        [sparsemax, sparsemaxLoss],
        [entmax15, entmax15Loss],
      ] as const) {
        expect(loss(x, [draw % x.length]).value).toBeGreaterThanOrEqual(-1e-12);
        expectClose(loss(x, map(x).values).value, 0, { atol: 1e-9 });
      }
    }),
  ));

test('shifts change nothing, huge scores give the indicator of the largest, ties share', () => {
  for (const map of [sparsemax, entmax15]) {
    expectClose(map([1, 2, 1.5].map((v) => v + 1000)).values, map([1, 2, 1.5]).values, { atol: 1e-12 });
    expect([...map([1e300, -1e300, 0]).values]).toEqual([1, 0, 0]);
    expectClose(map(new Float32Array(1000)).values, new Float32Array(1000).fill(0.001), { rtol: 1e-5 });
    expect(map(new Float32Array(1000)).support[0]).toBe(1000);
  }
});

test.each([
  ['NaN', () => sparsemax([NaN]), /x: expected finite numbers, got NaN at index 0/],
  ['an infinity', () => entmax15([1, -Infinity]), /x: expected finite numbers, got -Infinity at index 1/],
  ['an empty row', () => sparsemax([]), /x: expected at least one element in a row, got none/],
  ['a class out of range', () => sparsemaxLoss([1, 2], [2]), /targets: expected labels from 0 to 1, got 2/],
  [
    'targets that do not sum to 1',
    () => entmax15Loss([1, 2], Float64Array.of(0.5, 0.1)),
    /targets: expected rows that are not negative and sum to 1/,
  ],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});

test('losses of scores far from 0 are those of the shifted scores, in single precision too', () => {
  for (const loss of [sparsemaxLoss, entmax15Loss]) {
    const near = loss([0.25, 0.125, -0.375], [1]).value;
    for (const shift of [-4096, 4096]) {
      expectClose(loss(Float32Array.from([0.25 + shift, 0.125 + shift, -0.375 + shift]), [1]).value, near, { rtol: 1e-6 });
      expectClose(loss([0.25 + shift * 2 ** 20, 0.125 + shift * 2 ** 20, -0.375 + shift * 2 ** 20], [1]).value, near, { rtol: 1e-12 });
    }
  }
});

test.each([sparsemax, entmax15])('%p: the gradient is that of the call, whatever was done to its values since', (map) => {
  const r = map([0.5, 0.25, -3]);
  const want = r.backward([1, 0, 2]).slice();
  r.values.fill(0);
  expectClose(r.backward([1, 0, 2]), want);
});
