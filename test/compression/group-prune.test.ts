import { groupPrune, obsPrune } from '../../src/compression/index.js';
import { StaticMfac } from '../../src/mfac/index.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { denseFisher, inverse } from '../mfac/dense.js';

const [m, d] = [10, 26];
const G = { data: randomF64(m * d, 1), shape: [m, d] };
const w = randomF64(d, 2);

test.each([Infinity, 9])('blocks of %p: the cost of a group is that of removing it alone and moving the rest', async (blockSize) => {
  for (const form of ['gram', 'covariance'] as const) {
    using mfac = await StaticMfac.build(G, { damping: 0.01, blockSize, form });
    const { saliency } = groupPrune(w, mfac, { sparsity: 0 });
    const starts = mfac.blocks.flatMap(({ start, width }) => Array.from({ length: Math.floor(width / 4) }, (_, g) => start + 4 * g));
    expect(saliency.length).toBe(starts.length);
    const F = denseFisher(G.data, m, d, 0.01, Math.min(d, blockSize));
    const C = inverse(F, d);
    for (const [g, start] of starts.entries()) {
      const part = inverse(
        Float64Array.from({ length: 16 }, (_, at) => C[(start + (at >> 2)) * d + start + (at & 3)]!),
        4,
      );
      let cost = 0;
      for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) cost += 0.5 * w[start + i]! * part[i * 4 + j]! * w[start + j]!;
      expectClose(saliency[g]!, cost, { rtol: 1e-8 });
      const alone = Uint8Array.from(w, (_, k) => (k >= start && k < start + 4 ? 1 : 0));
      const one = groupPrune(w, mfac, { sparsity: 1, prunable: alone });
      if (one.mask.includes(0)) expectClose(one.predictedLoss, cost, { rtol: 1e-8 });
    }
  }
});

test('groups of one are the unstructured rule', async () => {
  using mfac = await StaticMfac.build(G, { damping: 0.01 });
  for (const update of ['joint', 'independent'] as const) {
    const group = groupPrune(w, mfac, { sparsity: 0.5, size: 1, update });
    const single = obsPrune(w, mfac, { sparsity: 0.5, update });
    expect(group.mask).toEqual(single.mask);
    expectClose(group.weights, single.weights, { rtol: 1e-12, atol: 1e-12 });
    expectClose(group.saliency, single.saliency, { rtol: 1e-9 });
  }
});

test('a group with a weight that must stay is never chosen', async () => {
  using mfac = await StaticMfac.build(G, { damping: 0.01 });
  const prunable = new Uint8Array(d).fill(1);
  prunable[5] = 0;
  const { mask, saliency } = groupPrune(w, mfac, { sparsity: 1, prunable });
  expect(saliency[1]).toBe(Infinity);
  expect(Array.from(mask.subarray(4, 8))).toEqual([1, 1, 1, 1]);
  expect(mask.reduce((a, b) => a + b, 0)).toBe(d - 4 * 5);
});
