import { bench, randomF32 } from '../../src/bench/case.js';
import { fakeQuantize, layerObs, magnitudePrune, nmPrune, obsPrune, wandaPrune } from '../../src/compression/index.js';
import { StaticMfac } from '../../src/mfac/index.js';

const matrix = (rows: number, cols: number, seed: number) => ({ data: randomF32(rows * cols, seed), shape: [rows, cols] });
const lengths = [[10_000], [1_000_000]];
const layers = [
  [64, 64],
  [256, 256],
];

export default [
  bench('magnitudePrune', {
    sizes: lengths,
    axes: ['d'],
    baselines: {
      'javascript, by sorting': ([d = 0]) => {
        const w = randomF32(d, 1);
        return () => {
          const threshold = w.map(Math.abs).sort()[0.9 * d] as number;
          return w.map((x) => (Math.abs(x) < threshold ? 0 : x));
        };
      },
    },
    open: ([d = 0]) => {
      const w = randomF32(d, 1);
      return () => magnitudePrune(w, { sparsity: 0.9 }).weights;
    },
  }),
  bench('nmPrune 2:4', {
    sizes: lengths,
    axes: ['d'],
    open: ([d = 0]) => {
      const w = randomF32(d, 1);
      return () => nmPrune(w).weights;
    },
  }),
  bench('fakeQuantize', {
    sizes: lengths,
    axes: ['d'],
    open: ([d = 0]) => {
      const w = randomF32(d, 1);
      return () => fakeQuantize(w).values;
    },
  }),
  ...(['independent', 'joint'] as const).map((update) =>
    bench(`obsPrune ${update}, factors given`, {
      sizes: [[64, 10_000]],
      axes: ['m', 'd'],
      open: ([m = 0, d = 0]) => {
        const [w, mfac] = [randomF32(d, 2), StaticMfac.buildSync(matrix(m, d, 1), { damping: 1e-3 })];
        return () => obsPrune(w, mfac, { sparsity: 0.9, update }).weights;
      },
    }),
  ),
  ...(['greedy', 'columns'] as const).map((method) =>
    bench(`layerObs ${method}`, {
      sizes: layers,
      axes: ['rows', 'cols'],
      open: ([rows = 0, cols = 0]) => {
        const [w, x] = [matrix(rows, cols, 1), matrix(512, cols, 2)];
        return () => layerObs(w, x, { sparsity: 0.5, method }).weights.data;
      },
    }),
  ),
  bench('wandaPrune', {
    sizes: layers,
    axes: ['rows', 'cols'],
    open: ([rows = 0, cols = 0]) => {
      const [w, x] = [matrix(rows, cols, 1), matrix(512, cols, 2)];
      return () => wandaPrune(w, x, { sparsity: 0.5 }).weights.data;
    },
  }),
];
