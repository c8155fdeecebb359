import { obsPrune } from '../../src/compression/index.js';
import { StaticMfac } from '../../src/mfac/index.js';
import { expectClose, randomF32, randomF64, relativeError } from '../helpers/close.js';
import { denseFisher, inverse, times } from '../mfac/dense.js';

const [m, d] = [12, 30];
const G = { data: randomF64(m * d, 1), shape: [m, d] };
const w = randomF64(d, 2);
const damping = 1e-2;

/** ½ δᵀFδ by dense algebra. */
function modelLoss(weights: ArrayLike<number>, blockSize = d): number {
  const delta = Float64Array.from(w, (v, k) => weights[k]! - v);
  const product = times(denseFisher(G.data, m, d, damping, blockSize), delta);
  return 0.5 * delta.reduce((sum, v, k) => sum + v * product[k]!, 0);
}

test.each([Infinity, 7, 20])(
  'systems/94 blocks of %p: joint is the minimum of the quadratic model over its mask, and no update beats it',
  (blockSize) => {
    const results = (['independent', 'joint', 'greedy'] as const).map((update) =>
      obsPrune(w, G, { sparsity: 0.5, damping, blockSize, update }),
    );
    const block = Math.min(d, blockSize);
    for (const { weights, predictedLoss, mask } of results) {
      expectClose(predictedLoss, modelLoss(weights, block), { rtol: 1e-9 });
      expect(mask.reduce((sum, v) => sum + v, 0)).toBe(15);
      expect(Array.from(weights, (v) => (v === 0 ? 0 : 1))).toEqual(Array.from(mask));
    }
    const [independent, joint, greedy] = results as [(typeof results)[0], (typeof results)[0], (typeof results)[0]];
    expect(joint.predictedLoss).toBeLessThanOrEqual(independent.predictedLoss);
    // The gradient of the model vanishes on the survivors.
    const F = denseFisher(G.data, m, d, damping, block);
    for (const { weights, mask } of [joint, greedy]) {
      const slope = times(
        F,
        Float64Array.from(w, (v, k) => weights[k]! - v),
      );
      expectClose(
        slope.filter((_, k) => mask[k]),
        new Float64Array(15),
        { atol: 1e-9 },
      );
    }
    expectClose(
      greedy.costs!.reduce((a, b) => a + b),
      greedy.predictedLoss,
      { rtol: 1e-9 },
    );
    expect(new Set(greedy.order).size).toBe(15);
  },
);

test('the cost of one removal is its saliency, for every update', () => {
  for (const update of ['independent', 'joint', 'greedy'] as const) {
    const { saliency, predictedLoss, mask } = obsPrune(w, G, { sparsity: 1 / d, damping, update });
    const k = mask.indexOf(0);
    expect(saliency[k]).toBe(Math.min(...saliency));
    expectClose(predictedLoss, saliency[k]!, { rtol: 1e-9 });
    const C = inverse(denseFisher(G.data, m, d, damping), d);
    expectClose(
      saliency,
      Float64Array.from(w, (v, i) => (v * v) / (2 * C[i * d + i]!)),
      { rtol: 1e-9 },
    );
  }
});

test('weights that may not be removed still move, and all of the others can go', () => {
  const prunable = Uint8Array.from(w, (_, k) => k % 2);
  for (const update of ['independent', 'joint', 'greedy'] as const) {
    const { mask, weights, saliency } = obsPrune(w, G, { sparsity: 1, damping, update, prunable });
    expect(Array.from(mask)).toEqual(Array.from(prunable, (v) => 1 - v));
    expect(saliency[0]).toBe(Infinity);
    expect(weights[0]).not.toBe(w[0]);
  }
});

test('nothing to remove leaves the weights as they are, with no predicted loss', () => {
  const { weights, predictedLoss } = obsPrune(w, G, { sparsity: 0, damping });
  expect(weights).toEqual(w);
  expect(predictedLoss).toBe(0);
});

test('streamed factors and f32 gradients agree with f64 to the rounding of f32', async () => {
  const [rows, size] = [10, 500];
  const data = randomF32(rows * size, 5);
  const start = randomF32(size, 6);
  const exact = { data: Float64Array.from(data), shape: [rows, size] };
  for (const update of ['independent', 'joint', 'greedy'] as const) {
    const want = obsPrune(Float64Array.from(start), exact, { sparsity: 0.6, damping: 1e-3, update });
    for (const memoryLimit of [2 ** 31, 0]) {
      using mfac = await StaticMfac.build({ data, shape: [rows, size] }, { damping: 1e-3, memoryLimit });
      const got = obsPrune(start, mfac, { sparsity: 0.6, update });
      expect(relativeError(got.weights, want.weights)).toBeLessThan(1e-4);
      expectClose(got.predictedLoss, want.predictedLoss, { rtol: 1e-3 });
    }
  }
});

test('bad input is refused by name', () => {
  expect(() => obsPrune(w, G, { sparsity: -0.1 })).toThrow(/sparsity: expected a number from 0 to 1/);
  expect(() => obsPrune(w.subarray(1), G, { sparsity: 0.5 })).toThrow(/w: expected 30 elements, got 29/);
  expect(() => obsPrune(w, G, { sparsity: 0.5, update: 'both' as never })).toThrow(
    /update: expected one of independent, joint, greedy, got 'both'/,
  );
  expect(() => obsPrune(w, null as never, { sparsity: 0.5 })).toThrow(/mfac: expected a StaticMfac or gradients/);
});
