import { bench, randomF32 } from '../../src/bench/case.js';
import { argsort, quickSelect, sort, sortingNetwork, topK } from '../../src/sorting/index.js';

const sizes = [[1000], [30_000], [1_000_000]];

export default [
  bench('sort', {
    sizes,
    axes: ['n'],
    bytes: ([n = 0]) => 8 * n,
    baselines: {
      'Float32Array.prototype.sort': ([n = 0]) => {
        const x = randomF32(n);
        return () => x.slice().sort();
      },
    },
    open: ([n = 0]) => {
      const x = randomF32(n);
      return () => sort(x);
    },
  }),
  bench('argsort', {
    sizes,
    axes: ['n'],
    bytes: ([n = 0]) => 8 * n,
    baselines: {
      'sort of indices by a comparator': ([n = 0]) => {
        if (n > 100_000) return undefined; // seconds
        const x = randomF32(n);
        return () => Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => (x[a] as number) - (x[b] as number));
      },
    },
    open: ([n = 0]) => {
      const x = randomF32(n);
      return () => argsort(x);
    },
  }),
  bench('topK(100)', {
    sizes,
    axes: ['n'],
    bytes: ([n = 0]) => 4 * n,
    baselines: {
      'Float32Array.prototype.sort': ([n = 0]) => {
        const x = randomF32(n);
        return () => x.slice().sort().slice(-100).reverse();
      },
    },
    open: ([n = 0]) => {
      const x = randomF32(n);
      return () => topK(x, { k: 100 }).values;
    },
  }),
  bench('quickSelect of the median', {
    sizes,
    axes: ['n'],
    bytes: ([n = 0]) => 4 * n,
    open: ([n = 0]) => {
      const x = randomF32(n);
      return () => quickSelect(x, { k: n / 2 });
    },
  }),
  bench('sortingNetwork.sort', {
    sizes: [
      [12_500, 8],
      [6250, 16],
      [3125, 32],
    ],
    axes: ['rows', 'n'],
    bytes: ([rows = 0, n = 0]) => 8 * rows * n,
    baselines: {
      'Float32Array.prototype.sort': ([rows = 0, n = 0]) => {
        const x = randomF32(rows * n);
        return () => {
          const out = x.slice();
          for (let row = 0; row < rows; row++) out.subarray(row * n, (row + 1) * n).sort();
          return out;
        };
      },
    },
    open: ([rows = 0, n = 0]) => {
      const x = { data: randomF32(rows * n), shape: [rows, n] };
      const network = sortingNetwork({ n });
      return () => network.sort(x).data;
    },
  }),
];
