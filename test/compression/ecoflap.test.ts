import { layerObs, layerSparsityAllocation, wandaPrune, zerothOrderImportance } from '../../src/compression/index.js';
import { sizeOf } from '../../src/core/tensor.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { clusters, network, trained } from './trained.js';

const ranks = (values: ArrayLike<number>): number[] => {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  return order.map((_, i) => order.indexOf(i));
};
const rankCorrelation = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  const [x, y] = [ranks(a), ranks(b)];
  const n = x.length;
  return 1 - (6 * x.reduce((sum, v, i) => sum + (v - y[i]!) ** 2, 0)) / (n * (n * n - 1));
};

test('systems/86 forward passes estimate √(2/π)·‖gradient‖ of every tensor, squared ‖gradient‖², and rank the layers', async () => {
  const model = network([16, 24, 16, 12, 10]);
  const data = clusters(64, 3);
  const { grad } = await model.gradient(data);
  const norms = model.layout.map(({ offset, shape }) =>
    Math.sqrt(Array.from(grad.subarray(offset, offset + sizeOf(shape))).reduce((s, v) => s + v * v, 0)),
  );
  const before = model.getParameters();
  const probes = 120;
  const absolute = await zerothOrderImportance(model, data, { probes });
  // |N(0, σ²)| has mean σ√(2/π) and standard deviation σ√(1 − 2/π): five standard errors.
  for (const [i, norm] of norms.entries())
    expectClose(absolute[i]!, norm * Math.sqrt(2 / Math.PI), { atol: 5 * norm * Math.sqrt((1 - 2 / Math.PI) / probes) + 1e-4 });
  const squared = await zerothOrderImportance(model, data, { probes, form: 'squared', seed: 1 });
  for (const [i, norm] of norms.entries()) expectClose(squared[i]!, norm * norm, { atol: 5 * norm * norm * Math.sqrt(2 / probes) + 1e-4 });
  expect(rankCorrelation(absolute, norms)).toBeGreaterThan(0.9);
  expect(model.getParameters()).toEqual(before);
});

test('systems/86 the allocation meets the total exactly, keeps the cap, and follows the scores', () => {
  for (const [scores, sizes, sparsity] of [
    [[1, 2, 3], [100, 200, 50], 0.5],
    [[0, 0, 0, 0], [7, 11, 13, 1], 0.3],
    [[1000, 1, 1], [10, 500, 500], 0.7],
    [[5, 4, 3, 2, 1], [1, 1, 1, 1, 1], 0.4],
    [[1, 1], [10, 10], 0],
    [[1, 1], [10, 10], 1],
  ] as const) {
    const { keep, sparsities } = layerSparsityAllocation(scores, sizes, { sparsity });
    const total = sizes.reduce<number>((a, b) => a + b, 0);
    // The released trimming loop adds where it should take away and misses this by a few.
    expect(keep.reduce((a, b) => a + b, 0)).toBe(total - Math.floor(sparsity * total + 1e-9));
    keep.forEach((k, i) => {
      expect(k).toBeLessThanOrEqual(sizes[i]!);
      if (sizes[i]! > 5) expect(sparsities[i]!).toBeLessThanOrEqual(Math.min(1, sparsity + 0.1) + 1e-9);
    });
  }
  const { sparsities } = layerSparsityAllocation([1, 4], [1000, 1000], { sparsity: 0.5, maxSparsity: 0.9 });
  expectClose(sparsities, [0.74, 0.26], { atol: 2e-3 });
});

test('systems/86 Wanda takes the smallest |w|·rms(x) of every row, as by brute force, ties by index', () => {
  const [rows, cols, n] = [6, 12, 20];
  const w = randomF32(rows * cols, 1);
  w.fill(0.5, 0, 6);
  const x = randomF32(n * cols, 2).map((v, k) => v * ((k % cols) + 1));
  const { mask, weights, saliency } = wandaPrune({ data: w, shape: [rows, cols] }, { data: x, shape: [n, cols] }, { sparsity: 0.5 });
  for (let i = 0; i < rows; i++) {
    const scores = Array.from({ length: cols }, (_, j) => {
      let sum = 0;
      for (let s = 0; s < n; s++) sum += x[s * cols + j]! ** 2;
      return Math.abs(w[i * cols + j]!) * Math.sqrt(sum / n);
    });
    expectClose(saliency.subarray(i * cols, (i + 1) * cols), scores, { rtol: 1e-12 });
    const gone = scores
      .map((_, j) => j)
      .sort((a, b) => scores[a]! - scores[b]! || a - b)
      .slice(0, cols / 2);
    for (let j = 0; j < cols; j++) {
      expect(mask[i * cols + j]).toBe(gone.includes(j) ? 0 : 1);
      expect(weights.data[i * cols + j]).toBe(gone.includes(j) ? 0 : w[i * cols + j]);
    }
  }
  const { mask: nm } = wandaPrune({ data: w, shape: [rows, cols] }, { data: x, shape: [n, cols] }, { pattern: { n: 1, m: 3 } });
  for (let k = 0; k < nm.length; k += 3) expect(nm.subarray(k, k + 3).reduce((a, b) => a + b, 0)).toBe(1);
});

test('Wanda lies between magnitude and second order in the error of the outputs', () => {
  const [rows, cols, n] = [10, 32, 200];
  const w = { data: randomF64(rows * cols, 1), shape: [rows, cols] };
  const x = { data: randomF64(n * cols, 2).map((v, k) => v * 1.3 ** ((k % cols) % 9)), shape: [n, cols] };
  const error = (pruned: ArrayLike<number>): number => {
    let sum = 0;
    for (let s = 0; s < n; s++)
      for (let i = 0; i < rows; i++) {
        let out = 0;
        for (let j = 0; j < cols; j++) out += (w.data[i * cols + j]! - pruned[i * cols + j]!) * x.data[s * cols + j]!;
        sum += out * out;
      }
    return sum / n;
  };
  const magnitude = wandaPrune(w, { data: new Float64Array(cols).fill(1), shape: [1, cols] }, { sparsity: 0.5 });
  const wanda = error(wandaPrune(w, x, { sparsity: 0.5 }).weights.data);
  expect(wanda).toBeLessThan(error(magnitude.weights.data));
  expect(layerObs(w, x, { sparsity: 0.5 }).error).toBeLessThan(wanda);
});

test('systems/86 at 70 % sparsity, shares by importance give a lower loss than one share for layers that differ', async () => {
  const model = await trained([16, 96, 24, 10]);
  const data = clusters(400, 7);
  const slots = model.layout.map((slot, i) => ({ ...slot, i })).filter(({ role }) => role === 'weight');
  const scores = await zerothOrderImportance(model, data, { probes: 24 });
  const sizes = slots.map(({ shape }) => sizeOf(shape));
  const original = model.getParameters();
  const lossAt = async (sparsities: ArrayLike<number>): Promise<number> => {
    const w = original.slice();
    for (const [s, { offset, shape }] of slots.entries()) {
      const part = w.subarray(offset, offset + sizeOf(shape));
      const order = Array.from(part.keys()).sort((a, b) => Math.abs(part[a]!) - Math.abs(part[b]!));
      for (const k of order.slice(0, Math.round(sparsities[s]! * part.length))) part[k] = 0;
    }
    model.setParameters(w);
    const loss = await model.loss(data);
    model.setParameters(original);
    return loss;
  };
  const { sparsities } = layerSparsityAllocation(
    slots.map(({ i }) => scores[i]!),
    sizes,
    { sparsity: 0.7, maxSparsity: 0.8 },
  );
  expect(await lossAt(sparsities)).toBeLessThan(await lossAt(slots.map(() => 0.7)));
});

test('bad input is refused by name', async () => {
  const w = { data: randomF32(6), shape: [2, 3] };
  expect(() => wandaPrune(w, { data: randomF32(4), shape: [2, 2] }, { sparsity: 0.5 })).toThrow(
    /inputs: expected activations \[n, 3\], got \[2, 2\]/,
  );
  expect(() => wandaPrune(w, w, {})).toThrow(/sparsity: expected either/);
  expect(() => layerSparsityAllocation([1, -1], [3, 3], { sparsity: 0.5 })).toThrow(/scores: expected numbers >= 0/);
  expect(() => layerSparsityAllocation([1], [3], { sparsity: 0.5, maxSparsity: 0.4 })).toThrow(
    /maxSparsity: expected a number from 0.5 to 1/,
  );
  await expect(zerothOrderImportance(network([16, 10]), clusters(4, 1), { probes: 0 })).rejects.toThrow(/probes: expected an integer >= 1/);
});
