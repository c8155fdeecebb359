import fc from 'fast-check';
import { nmPrune } from '../../src/compression/index.js';
import { Random } from '../../src/core/random.js';
import { StaticMfac } from '../../src/mfac/index.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { denseFisher, times } from '../mfac/dense.js';

test('every whole group keeps its n largest weights, ties by index', () =>
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      (w, a, b) => {
        const [n, m] = [Math.min(a, b), Math.max(a, b)];
        const { mask, weights } = nmPrune(w, { n, m });
        for (let k = 0; k < w.length; k += m) {
          const group = Array.from({ length: Math.min(m, w.length - k) }, (_, i) => k + i);
          const gone = group.length < m ? [] : [...group].sort((i, j) => Math.abs(w[i]!) - Math.abs(w[j]!) || i - j).slice(0, m - n);
          for (const i of group) {
            expect(mask[i]).toBe(gone.includes(i) ? 0 : 1);
            expect(weights[i]).toBe(gone.includes(i) ? 0 : w[i]);
          }
        }
      },
    ),
  ));

test('groups stay inside the rows of the tensors given, and other weights are left alone', () => {
  const w = randomF32(40, 1);
  const { mask } = nmPrune(w, { layout: [{ offset: 5, shape: [3, 2, 3] }] }); // three rows of six: one group and two more each
  const kept = (from: number, to: number): number => mask.subarray(from, to).reduce((a, b) => a + b, 0);
  for (const row of [5, 11, 17]) expect([kept(row, row + 4), kept(row + 4, row + 6)]).toEqual([2, 2]);
  expect(kept(0, 5) + kept(23, 40)).toBe(22);
});

test('with second order every group keeps the set whose removal alone costs least', async () => {
  const [rows, d] = [9, 16];
  const G = randomF64(rows * d, 1);
  const w = randomF64(d, 2);
  const F = denseFisher(G, rows, d, 0.01);
  const loss = (weights: ArrayLike<number>): number => {
    const delta = Float64Array.from(w, (v, k) => weights[k]! - v);
    return 0.5 * times(F, delta).reduce((sum, v, k) => sum + v * delta[k]!, 0);
  };
  using mfac = await StaticMfac.build({ data: G, shape: [rows, d] }, { damping: 0.01 });
  const first = nmPrune(w, { mfac, layout: [{ offset: 4, shape: [1, 4] }] });
  for (let set = 0; set < 16; set++) {
    const gone = [0, 1, 2, 3].filter((i) => set & (1 << i));
    if (gone.length !== 2) continue;
    const mask = new Uint8Array(d).fill(1);
    for (const i of gone) mask[4 + i] = 0;
    const change = mfac.blocks[0]!.project(w, mask);
    expect(first.predictedLoss!).toBeLessThanOrEqual(loss(w.map((v, k) => v + change[k]!)) * (1 + 1e-9));
  }
  expectClose(first.predictedLoss!, loss(first.weights), { rtol: 1e-9 });
  // Every group at once, the survivors moved together, beats magnitude in the model.
  expect(nmPrune(w, { mfac }).predictedLoss!).toBeLessThan(loss(nmPrune(w).weights));
});

test('a saliency given takes the place of the magnitude', () => {
  expect(Array.from(nmPrune([9, 1, 1, 9], { saliency: [0, 1, 2, 3] }).mask)).toEqual([0, 0, 1, 1]);
});

test('bad input is refused by name', () => {
  expect(() => nmPrune([1, 2, 3, 4], { n: 5, m: 4 })).toThrow(/pattern.n: expected an integer from 1 to 4/);
  expect(() => nmPrune([1, 2], { layout: [{ offset: 1, shape: [2, 2] }] })).toThrow(
    /layout: expected tensors inside 2 weights, got 4 from 1/,
  );
  expect(() => nmPrune([1, 2], { saliency: [1] })).toThrow(/saliency: expected 2 elements, got 1/);
});

test('groups of any width lose their smallest weights, the earlier of equal ones, whichever way they are found', () => {
  const random = new Random(5);
  for (const [n, m] of [
    [1, 2],
    [2, 4],
    [3, 7],
    [8, 32],
    [10, 40],
    [1, 33],
  ] as const) {
    const w = Float64Array.from({ length: 3 * m }, () => Math.round(4 * random.uniform()) - 2);
    const want = Uint8Array.from(w, (v, k) => {
      const group = w.subarray(k - (k % m), k - (k % m) + m);
      const before = group.reduce((sum, u, i) => sum + Number(Math.abs(u) < Math.abs(v) || (Math.abs(u) === Math.abs(v) && i < k % m)), 0);
      return Number(before >= m - n);
    });
    expect(nmPrune(w, { n, m }).mask).toEqual(want);
  }
});

test('a saliency that is no number is refused by name', () => {
  expect(() => nmPrune([1, 2, 3, 4], { saliency: [0, 1, Number.NaN, 3] })).toThrow('saliency: expected numbers, got NaN at index 2');
});
