import { disagreement, numbersOf } from '../../src/bench/agreement.js';
import { median, quantile, repeatReach, slope, standardDeviation, studentOf, summarize } from '../../src/bench/statistics.js';
import { Random } from '../../src/core/random.js';
import { Instance } from '../../src/runtime/instance.js';

test('quantiles interpolate between neighbours', () => {
  expect(quantile([0, 10, 20, 30], 0.5)).toBe(15);
  expect(quantile([0, 10, 20, 30], 1)).toBe(30);
  expect(quantile([7], 0.25)).toBe(7);
});

test('the median does not care for order or for one wild value', () => {
  expect(median([3, 1, 1e9])).toBe(3);
});

test('a value far beyond the quartiles is an outlier, its neighbours are not', () => {
  const { outliers, spread, samples } = summarize([1, 2, 3, 4, 5, 6, 7, 100]);
  expect({ outliers, samples }).toEqual({ outliers: 1, samples: 8 });
  expect(spread).toBeCloseTo(3.5);
});

test('the slope of points on a line is that of the line', () => {
  expect(slope([0, 1, 2], [5, 3, 1])).toBeCloseTo(-2);
});

test.each([
  [5, 6.869],
  [10, 4.587],
  [30, 3.646],
])('one in a thousand by t with %i degrees of freedom is %f', (freedom, t) => {
  expect(Math.abs(studentOf(3.2905, freedom) / t - 1)).toBeLessThan(0.02);
});

test('the standard deviation is that of a sample', () => {
  expect(standardDeviation([1, 3])).toBeCloseTo(Math.SQRT2);
});

test.each([3, 7, 21])('of two medians of %i normal draws each, the second lies within the reach of the first 19 times of 20', (n) => {
  const random = new Random(n);
  const draw = () => [...random.fill(new Float64Array(n))];
  let inside = 0;
  for (let trial = 0; trial < 4000; trial++) {
    const [one, two] = [draw(), draw()];
    if (Math.abs(median(one) - median(two)) <= repeatReach(one, [])) inside++;
  }
  expect(inside / 4000).toBeGreaterThan(0.94);
  expect(inside / 4000).toBeLessThan(0.975);
});

test('fewer than three values say nothing of the next ones', () => {
  expect(repeatReach([1, 2], [])).toBeNaN();
});

test('two runs whose processes share a mood each lie within reach where the moods are known', () => {
  const random = new Random(5);
  const normal = () => random.fill(new Float64Array(1))[0] as number;
  const moods = Array.from({ length: 5000 }, normal);
  const draw = () => Array.from({ length: 7 }, () => 0.3 * normal());
  let inside = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const gap = median(draw()) + normal() - median(draw()) - normal();
    if (Math.abs(gap) <= repeatReach(draw(), moods)) inside++;
  }
  expect(inside / 2000).toBeGreaterThan(0.93);
});

test('results are read through records, arrays and blocks; functions are left out', () => {
  const { arena } = new Instance();
  const block = arena.put(Float32Array.of(4, 5));
  expect(numbersOf({ a: 1, b: [2, Int32Array.of(3)], c: block, plan: () => 6 }, arena)).toEqual([1, 2, 3, 4, 5]);
});

test('disagreement is relative in norm, and infinite for other lengths and lone NaNs', () => {
  expect(disagreement([3, 4], [3, 4])).toBe(0);
  expect(disagreement([3, 4.5], [3, 4])).toBeCloseTo(0.1);
  expect(disagreement([1], [1, 2])).toBe(Infinity);
  expect(disagreement([NaN, 1], [NaN, 1])).toBe(0);
  expect(disagreement([NaN], [1])).toBe(Infinity);
});
