// systems/172
import fc from 'fast-check';
import { argsort, featureChoice, mutualChoice, topK, zipfCounts } from '../../src/sorting/index.js';
import { randomF64 } from '../helpers/close.js';

const matrices = fc.record({
  tokens: fc.integer({ min: 1, max: 8 }),
  features: fc.integer({ min: 1, max: 7 }),
  seed: fc.nat(1000),
  ties: fc.boolean(),
});
const make = ({ tokens, features, seed, ties }: { tokens: number; features: number; seed: number; ties: boolean }) => ({
  data: randomF64(tokens * features, seed).map((v) => (ties ? Math.round(v) : v)),
  shape: [tokens, features],
});

test('mutual choice takes exactly the budget, the first of the stable order', () =>
  fc.assert(
    fc.property(matrices, fc.nat(), (extents, draw) => {
      const scores = make(extents);
      const budget = 1 + (draw % scores.data.length);
      const { mask, threshold } = mutualChoice(scores, { budget });
      const want = argsort(scores.data, { direction: 'descending' }).subarray(0, budget);
      expect([...mask].flatMap((on, i) => (on ? [i] : []))).toEqual([...want].sort((a, b) => a - b));
      expect(threshold).toBe(scores.data[want[budget - 1] as number]);
    }),
  ));

test('feature choice takes exactly its count in every column, ties to the lower token', () =>
  fc.assert(
    fc.property(matrices, (extents) => {
      const scores = make(extents);
      const [tokens, features] = [extents.tokens, extents.features];
      const counts = Array.from({ length: features }, (_, f) => (f * 3 + extents.seed) % (tokens + 1));
      const { mask } = featureChoice(scores, { counts });
      for (let f = 0; f < features; f++) {
        const column = Float64Array.from({ length: tokens }, (_, t) => scores.data[t * features + f] as number);
        const want = argsort(column, { direction: 'descending' }).subarray(0, counts[f]);
        const got = Array.from({ length: tokens }, (_, t) => t).filter((t) => mask[t * features + f]);
        expect(got).toEqual([...want].sort((a, b) => a - b));
      }
    }),
  ));

test('for orthonormal features a batch-wide choice loses no more than the same budget spent token by token', () => {
  // With orthonormal decoders the error of a mask is the energy of the scores it leaves out.
  const [tokens, features, k] = [20, 12, 3];
  const energy = randomF64(tokens * features, 7).map((v) => v * v);
  const left = (mask: ArrayLike<number>) => energy.reduce((sum, e, i) => sum + (mask[i] ? 0 : e), 0);
  const perToken = new Uint8Array(energy.length);
  topK({ data: energy, shape: [tokens, features] }, k).indices.forEach((feature, at) => {
    perToken[Math.floor(at / k) * features + feature] = 1;
  });
  const { mask } = mutualChoice({ data: energy, shape: [tokens, features] }, { budget: tokens * k });
  expect(left(mask)).toBeLessThanOrEqual(left(perToken));
});

test('Zipf counts sum to the budget, fall, and respect the limit', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      fc.constantFrom(0, 0.7, 1, 2),
      fc.constantFrom(0, 3.5),
      (features, most, draw, exponent, offset) => {
        const budget = draw % (features * most + 1);
        const counts = zipfCounts({ features, budget, most, exponent, offset });
        expect(counts.reduce((a, b) => a + b, 0)).toBe(budget);
        for (let f = 0; f < features; f++) {
          expect(counts[f]).toBeLessThanOrEqual(most);
          if (f > 0) expect(counts[f]).toBeLessThanOrEqual((counts[f - 1] as number) + 1);
        }
      },
    ),
  ));

test('an uncut law gives the printed proportions', () => {
  expect([...zipfCounts({ features: 4, budget: 25, most: 100 })]).toEqual([12, 6, 4, 3]);
});

test.each([
  [
    'a budget of 0',
    () => mutualChoice({ data: Float64Array.of(1), shape: [1, 1] }, { budget: 0 }),
    /budget: expected an integer from 1 to 1, got 0/,
  ],
  [
    'a vector',
    () => mutualChoice({ data: Float64Array.of(1), shape: [1] }, { budget: 1 }),
    /scores: expected shape \[tokens, features\], got \[1\]/,
  ],
  [
    'a count above the tokens',
    () => featureChoice({ data: Float64Array.of(1), shape: [1, 1] }, { counts: [2] }),
    /counts: expected an integer from 0 to 1, got 2/,
  ],
  ['a budget that does not fit', () => zipfCounts({ features: 2, budget: 5, most: 2 }), /budget: expected at most 4/],
])('%s is refused by name', (_what, call, message) => {
  expect(call).toThrow(message);
});
