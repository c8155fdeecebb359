import { bench, randomF32 } from '../../src/bench/case.js';
import { entmax15, logSoftTopK, softRank, softSort, softTopK, sparsemax } from '../../src/sorting/index.js';

const lengths = [[100], [1000], [10_000]];

/** Sum to k by 60 bisections, in plain JavaScript. */
function bisect(x: Float32Array, n: number, k: number, alpha: number): Float32Array {
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += n) {
    const row = x.subarray(start, start + n);
    const margin = (10 + Math.log(n)) / alpha;
    let low = -Math.max(...row) - margin;
    let high = -Math.min(...row) + margin;
    for (let round = 0; round < 60; round++) {
      const t = (low + high) / 2;
      let sum = 0;
      for (const value of row) sum += 1 / (1 + Math.exp(-alpha * (value + t)));
      if (sum < k) low = t;
      else high = t;
    }
    for (let i = 0; i < n; i++) out[start + i] = 1 / (1 + Math.exp(-alpha * ((row[i] as number) + low)));
  }
  return out;
}

export default [
  ...(['l2', 'kl'] as const).map((regularization) =>
    bench(`softRank ${regularization}`, {
      sizes: lengths,
      axes: ['n'],
      open: ([n = 0]) => {
        const x = randomF32(n);
        return () => softRank(x, { regularization }).values;
      },
    }),
  ),
  ...(['l2', 'kl'] as const).map((regularization) =>
    bench(`softSort ${regularization}, forward and backward`, {
      sizes: lengths,
      axes: ['n'],
      open: ([n = 0]) => {
        const [x, g] = [randomF32(n, 1), randomF32(n, 2)];
        return () => softSort(x, { regularization }).backward(g);
      },
    }),
  ),
  bench('softTopK(5)', {
    sizes: [
      [128, 1000],
      [128, 10_000],
    ],
    axes: ['rows', 'n'],
    baselines: {
      'javascript, bisection': ([rows = 0, n = 0]) => {
        const x = randomF32(rows * n);
        return () => bisect(x, n, 5, 2);
      },
    },
    open: ([rows = 0, n = 0]) => {
      const x = { data: randomF32(rows * n), shape: [rows, n] };
      return () => softTopK(x, { k: 5 }).values.data;
    },
  }),
  bench('logSoftTopK(5), forward and backward', {
    sizes: [
      [128, 1000],
      [128, 10_000],
    ],
    axes: ['rows', 'n'],
    open: ([rows = 0, n = 0]) => {
      const x = { data: randomF32(rows * n, 1), shape: [rows, n] };
      const g = randomF32(rows * n, 2);
      return () => logSoftTopK(x, { k: 5 }).backward(g).data;
    },
  }),
  ...([sparsemax, entmax15] as const).map((method) =>
    bench(`${method.name}, forward and backward`, {
      sizes: [
        [128, 100],
        [128, 10_000],
      ],
      axes: ['rows', 'n'],
      open: ([rows = 0, n = 0]) => {
        const x = { data: randomF32(rows * n, 1), shape: [rows, n] };
        const g = randomF32(rows * n, 2);
        return () => method(x).backward(g).data;
      },
    }),
  ),
];
