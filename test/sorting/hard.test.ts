import fc from 'fast-check';
import { Random } from '../../src/core/random.js';
import { argsort, quantile, quickSelect, rank, sort, topK } from '../../src/sorting/index.js';
import { expectClose } from '../helpers/close.js';
import { fillers, lengths } from './inputs.js';

const arrays = { f32: Float32Array, f64: Float64Array, i32: Int32Array, u32: Uint32Array };
type Any = Float32Array;
const same = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let equal = a.length === b.length;
  for (let i = 0; equal && i < a.length; i++) equal = Object.is(a[i], b[i]);
  return equal;
};

describe.each(Object.entries(arrays))('%s', (_name, Type) => {
  test.each(Object.entries(fillers))('sort of %s numbers equals the sort of the engine at every length', (_filler, fill) => {
    for (const n of lengths) {
      const x = Type.from(fill(n, new Random(n))) as Any;
      if (!same(sort(x), x.slice().sort())) throw new Error(`differs at length ${n}`);
    }
    expect(lengths.length).toBeGreaterThan(100);
  });

  test.each(Object.entries(fillers))('argsort of %s numbers is a stable order in both directions', (_filler, fill) => {
    for (const n of lengths) {
      const x = Type.from(fill(n, new Random(n))) as Any;
      const sorted = x.slice().sort();
      for (const direction of ['ascending', 'descending'] as const) {
        const order = argsort(x, { direction });
        if (new Set(order).size !== n) throw new Error(`not a permutation at length ${n}`);
        const nans = sorted.filter(Number.isNaN);
        const want = direction === 'ascending' ? sorted : [...sorted.filter((v) => !Number.isNaN(v)).reverse(), ...nans];
        if (
          !same(
            Array.from(order, (i) => x[i] as number),
            want,
          )
        )
          throw new Error(`${direction} order wrong at length ${n}`);
        if (!same(sort(x, { direction }), want)) throw new Error(`${direction} sort wrong at length ${n}`);
        for (let i = 1; i < n; i++) {
          const tie = Object.is(x[order[i]!], x[order[i - 1]!]);
          if (tie && (order[i] as number) < (order[i - 1] as number)) throw new Error(`unstable at length ${n}`);
        }
      }
    }
  });

  test.each(Object.entries(fillers))('topK and quickSelect of %s numbers are parts of the stable order', (_filler, fill) => {
    for (const n of [1, 2, 5, 17, 64, 100, 1025, 6001]) {
      const x = Type.from(fill(n, new Random(n))) as Any;
      for (const k of new Set([1, Math.ceil(n / 3), n])) {
        for (const largest of [true, false]) {
          const order = argsort(x, { direction: largest ? 'descending' : 'ascending' }).subarray(0, k);
          const { values, indices } = topK(x, { k, largest });
          expect(same(indices, order)).toBe(true);
          expect(
            same(
              values,
              Array.from(order, (i) => x[i] as number),
            ),
          ).toBe(true);
          expect(Object.is(quickSelect(x, { k, largest }), x[order[k - 1] as number])).toBe(true);
        }
      }
    }
  });
});

test('NaNs with the sign bit set come last like the others, by index', () => {
  const x = new Float32Array(200).map((_, i) => (i % 3 === 0 ? NaN : i % 7));
  const bits = new Uint32Array(x.buffer);
  for (let i = 0; i < 200; i += 6) bits[i] = 0xffc00001;
  const order = argsort(x);
  const nans = Array.from(x, (_, i) => i).filter((i) => Number.isNaN(x[i]));
  expect(Array.from(order.slice(-nans.length))).toEqual(nans);
  expect(sort(x).slice(-nans.length).every(Number.isNaN)).toBe(true);
});

test('top-k over rising, falling and tied data of a million elements agrees with the stable order', () => {
  const n = 1e6;
  for (const value of [(i: number) => i, (i: number) => -i, (i: number) => i % 5, (i: number) => (i % 2 ? -0 : 0)]) {
    const x = Float32Array.from({ length: n }, (_, i) => value(i));
    const { indices } = topK(x, 100);
    expect(same(indices, argsort(x, { direction: 'descending' }).subarray(0, 100))).toBe(true);
  }
});

test('rows of a tensor are sorted each for itself, and the result has their form', () => {
  const x = { data: Float32Array.of(3, 1, 2, 9, 8, 7), shape: [2, 3] };
  const sorted = sort(x);
  expect([sorted.shape, [...sorted.data], [...sorted]]).toEqual([
    [2, 3],
    [1, 2, 3, 7, 8, 9],
    [1, 2, 3, 7, 8, 9],
  ]);
  expect([...argsort(x)]).toEqual([1, 2, 0, 2, 1, 0]);
  const { values, indices } = topK(x, { k: 2 });
  expect([values.shape, [...values], indices.shape, [...indices]]).toEqual([
    [2, 2],
    [3, 2, 9, 8],
    [2, 2],
    [0, 2, 0, 1],
  ]);
  expect(quickSelect(x, { k: 2 })).toEqual(Float32Array.of(2, 8));
  expect([...sort({ data: Float32Array.of(3, 1), dims: [2] })]).toEqual([1, 3]);
  // A result is accepted as what it is: rows.
  expect([...rank(sorted).shape]).toEqual([2, 3]);
});

test('results go into a given array, also into x itself', () => {
  const x = Float32Array.of(3, NaN, -1, 0);
  const order = new Int32Array(4);
  expect(argsort(x, { out: order })).toBe(order);
  expect([...order]).toEqual([2, 3, 0, 1]);
  expect(sort(x, { out: x })).toBe(x);
  expect([...x]).toEqual([-1, 0, 3, NaN]);
});

test('segments of any length, empty ones too, are sorted each for itself', () => {
  const x = Float64Array.from({ length: 500 }, (_, i) => (i * 7919) % 101);
  const segments = [0, 0, 1, 50, 50, 499, 500];
  const sorted = sort(x, { segments });
  const order = argsort(x, { segments });
  for (let s = 1; s < segments.length; s++) {
    const [from, to] = [segments[s - 1] as number, segments[s] as number];
    expect(sorted.slice(from, to)).toEqual(x.slice(from, to).sort());
    expect(Float64Array.from(order.slice(from, to), (i) => x[from + i] as number)).toEqual(x.slice(from, to).sort());
  }
});

test('ranks of 3, 1, 4, 1, 5 under each rule for ties', () => {
  const x = [3, 1, 4, 1, 5];
  expect([...rank(x)]).toEqual([3, 1.5, 4, 1.5, 5]);
  expect([...rank(x, { ties: 'min' })]).toEqual([3, 1, 4, 1, 5]);
  expect([...rank(x, { ties: 'max' })]).toEqual([3, 2, 4, 2, 5]);
  expect([...rank(x, { ties: 'dense' })]).toEqual([2, 1, 3, 1, 4]);
  expect([...rank(x, { ties: 'ordinal' })]).toEqual([3, 1, 4, 2, 5]);
  expect([...rank(x, { direction: 'descending' })]).toEqual([3, 4.5, 2, 4.5, 1]);
  expect([...rank([0, NaN, -0, NaN])]).toEqual([1.5, 3.5, 1.5, 3.5]);
});

test('ranks do not change under a rising function and follow a permutation', () =>
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 40 }), fc.integer(), (x, seed) => {
      const ranks = rank(x);
      expect(rank(x.map((v) => v ** 3 + v))).toEqual(ranks);
      const order = new Random(seed).permutation(x.length);
      expect(rank(Array.from(order, (i) => x[i] as number))).toEqual(Float64Array.from(order, (i) => ranks[i] as number));
      expectClose(
        ranks.reduce((a, b) => a + b, 0),
        (x.length * (x.length + 1)) / 2,
        { rtol: 1e-12 },
      );
    }),
  ));

test('quantiles of 1 … 5 by every method', () => {
  const x = [5, 3, 1, 2, 4];
  expect([...quantile(x, { q: [0, 0.3, 0.5, 1] })]).toEqual([1, 2.2, 3, 5]);
  expect([...quantile(x, { q: 0.3, method: 'lower' })]).toEqual([2]);
  expect([...quantile(x, { q: 0.3, method: 'higher' })]).toEqual([3]);
  expect([...quantile(x, { q: [0.125, 0.375, 0.3], method: 'nearest' })]).toEqual([1, 3, 2]);
  expect([...quantile(x, { q: 0.3, method: 'midpoint' })]).toEqual([2.5]);
  const medians = quantile({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] }, { q: 0.5 });
  expect([medians.shape, [...medians]]).toEqual([
    [2, 1],
    [1.5, 3.5],
  ]);
});

test.each([
  ['k larger than a row', () => topK([1, 2], { k: 3 }), /k: expected an integer from 1 to 2, got 3/],
  ['k = 0', () => topK([1, 2], 0), /k: expected an integer from 1 to 2, got 0/],
  ['k = 0 of a selection', () => quickSelect([1, 2], { k: 0 }), /k: expected an integer from 1 to 2, got 0/],
  ['an empty row', () => topK([], { k: 1 }), /k: expected an integer from 1 to 0, got 1/],
  [
    'an unknown direction',
    () => sort([1], { direction: 'up' as 'ascending' }),
    /direction: expected one of ascending, descending, got 'up'/,
  ],
  ['an unknown rule', () => rank([1], { ties: 'first' as 'min' }), /ties: expected one of average/],
  [
    'an out of another type',
    () => sort([1, 2], { out: new Float32Array(2) }),
    /out: expected Float64Array of 2 elements, got Float32Array of 2/,
  ],
  [
    'an out that is too short',
    () => argsort([1, 2], { out: new Int32Array(1) }),
    /out: expected Int32Array of 2 elements, got Int32Array of 1/,
  ],
  ['segments that fall', () => sort([1, 2, 3], { segments: [0, 2, 1, 3] }), /segments: expected limits that do not fall, got 1 after 2/],
  ['segments that are no integers', () => sort([1, 2, 3], { segments: [0, 1.7, 3] }), /segments: expected an integer from 0 to 3, got 1.7/],
  ['segments that end early', () => sort([1, 2, 3], { segments: [0, 2] }), /segments: expected limits from 0 to 3/],
  ['a probability above 1', () => quantile([1], { q: 1.5 }), /q: expected a number from 0 to 1, got 1.5/],
  ['a quantile of NaN', () => quantile([1, NaN], { q: 0.5 }), /x: expected finite numbers, got NaN at index 1/],
  ['a quantile of nothing', () => quantile([], { q: 0.5 }), /x: expected at least one element in a row, got none/],
  ['a string', () => sort('321' as never), /x: expected an array of numbers or a tensor/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
