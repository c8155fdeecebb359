import fc from 'fast-check';
import { magnitudePrune } from '../../src/compression/index.js';
import { randomF32 } from '../helpers/close.js';

test('systems/84 the mask is that of a full stable sort, ties by index', () =>
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, sparsity) => {
        const { mask, weights } = magnitudePrune(values, { sparsity });
        const count = Math.floor(sparsity * values.length * (1 + 4 * Number.EPSILON));
        const order = values.map((_, k) => k).sort((a, b) => Math.abs(values[a]!) - Math.abs(values[b]!) || a - b);
        const want = new Uint8Array(values.length).fill(1);
        for (const k of order.slice(0, count)) want[k] = 0;
        expect(mask).toEqual(want);
        expect(Array.from(weights)).toEqual(values.map((v, k) => (want[k] ? v : 0)));
      },
    ),
  ));

test('exactly the asked share of the prunable weights goes, the others are untouched', () => {
  const w = randomF32(1000, 1);
  const prunable = Uint8Array.from(w, (_, k) => (k % 4 ? 1 : 0));
  for (const [sparsity, count] of [
    [0, 0],
    [0.1, 75],
    [0.29, 217],
    [0.5, 375],
    [0.7, 525],
    [0.9, 675],
    [1, 750],
  ] as const) {
    const { mask, weights } = magnitudePrune(w, { sparsity, prunable });
    expect(mask.reduce((n, v) => n + (v ? 0 : 1), 0)).toBe(count);
    for (let k = 0; k < 1000; k += 4) expect(weights[k]).toBe(w[k]);
  }
});

test('systems/84 a layer of tiny weights dies under one threshold, and lives with a minimum per layer at the same sparsity', () => {
  const w = new Float32Array([...randomF32(80, 1), ...randomF32(20, 2).map((v) => v / 1000)]);
  const layout = [
    { offset: 0, shape: [8, 10] },
    { offset: 80, shape: [20] },
  ];
  const kept = (mask: Uint8Array): number[] => [mask.subarray(0, 80), mask.subarray(80)].map((m) => m.reduce((a, b) => a + b, 0));
  expect(kept(magnitudePrune(w, { sparsity: 0.8 }).mask)).toEqual([20, 0]);
  expect(kept(magnitudePrune(w, { sparsity: 0.8, layout, minimumPerLayer: 3 }).mask)).toEqual([17, 3]);
  expect(kept(magnitudePrune(w, { sparsity: 0.8, layout, minimumPerLayer: 0.1 }).mask)).toEqual([18, 2]);
  const { mask } = magnitudePrune(w, { sparsity: 1, layout, minimumPerLayer: 5 });
  expect(kept(mask)).toEqual([5, 5]);
});

test('bad input is refused by name', () => {
  expect(() => magnitudePrune([1, 2], { sparsity: 1.2 })).toThrow(/sparsity: expected a number from 0 to 1, got 1.2/);
  expect(() => magnitudePrune([1, NaN], { sparsity: 0.5 })).toThrow(/w: expected finite numbers, got NaN at index 1/);
  expect(() => magnitudePrune([1, 2], { sparsity: 0.5, prunable: new Uint8Array(3) })).toThrow(/prunable: expected 2 elements, got 3/);
  expect(() => magnitudePrune([1, 2], { sparsity: 0.5, minimumPerLayer: 1 })).toThrow(/layout: expected the tensors/);
  expect(magnitudePrune([], { sparsity: 0.5 }).weights.length).toBe(0);
});
