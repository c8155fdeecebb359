import { bench, randomF32 } from '../../src/bench/case.js';
import { cholesky } from '../../src/kernels/cholesky.js';
import { expInto } from '../../src/kernels/exp.js';
import { gemv } from '../../src/kernels/gemv.js';
import { softmaxRows } from '../../src/kernels/softmax-rows.js';
import { syrk } from '../../src/kernels/syrk.js';
import { trsm } from '../../src/kernels/triangular.js';
import type { F32 } from '../../src/runtime/arena.js';

const matrix = ([m = 0, n = 0]: readonly number[]): number => 4 * m * n;

export default [
  ...([false, true] as const).map((transA) =>
    bench(transA ? 'gemv transposed' : 'gemv', {
      sizes: [
        [64, 2048],
        [1000, 1000],
        [512, 100_000],
      ],
      axes: ['m', 'n'],
      flops: ([m = 0, n = 0]) => 2 * m * n,
      bytes: matrix,
      setup: (arena, [m = 0, n = 0]) => {
        const a = arena.put(randomF32(m * n, 1));
        const x = arena.put(randomF32(transA ? m : n, 2));
        const y = arena.alloc('f32', transA ? n : m) as F32;
        return () => {
          gemv(m, n, a, x, y, { transA });
          return y;
        };
      },
    }),
  ),
  bench('syrk', {
    sizes: [
      [64, 10_000],
      [512, 10_000],
    ],
    axes: ['m', 'd'],
    flops: ([m = 0, d = 0]) => m * m * d,
    bytes: matrix,
    setup: (arena, [m = 0, d = 0]) => {
      const a = arena.put(randomF32(m * d, 1));
      const c = arena.alloc('f64', m * m);
      return () => {
        syrk(m, d, a, c);
        return c;
      };
    },
  }),
  bench('trsm', {
    sizes: [
      [64, 10_000],
      [512, 10_000],
    ],
    axes: ['m', 'n'],
    flops: ([m = 0, n = 0]) => m * m * n,
    bytes: (size) => 2 * matrix(size),
    setup: (arena, [m = 0, n = 0]) => {
      // A unit diagonal and little below it: the solution stays of one size however often it is solved in place.
      const t = arena.put(randomF32(m * m, 1).map((v, at) => (at % (m + 1) === 0 ? 1 : (1e-6 * v) / m)));
      const x = arena.put(randomF32(m * n, 2));
      return () => {
        trsm(m, n, t, x);
        return x;
      };
    },
  }),
  bench('cholesky', {
    sizes: [[128], [512], [1024]],
    axes: ['n'],
    flops: ([n = 0]) => n ** 3 / 3,
    bytes: ([n = 0]) => 16 * n * n,
    precision: 'float64',
    setup: (arena, [n = 0]) => {
      const start = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0.5 / n));
      const a = arena.put(start);
      return () => {
        arena.view(a).set(start);
        cholesky(n, a);
        return a;
      };
    },
  }),
  bench('softmax over rows', {
    sizes: [
      [1000, 10],
      [1000, 1000],
    ],
    axes: ['rows', 'cols'],
    bytes: (size) => 2 * matrix(size),
    baseline: 'reference',
    setup: (arena, [rows = 0, cols = 0]) => {
      const x = arena.put(randomF32(rows * cols, 1));
      const out = arena.alloc('f32', rows * cols) as F32;
      return () => {
        softmaxRows(out, x, rows, cols);
        return out;
      };
    },
  }),
  bench('exp', {
    sizes: [[4096], [1_000_000]],
    axes: ['n'],
    bytes: ([n = 0]) => 8 * n,
    baseline: 'reference',
    baselines: {
      javascript: ([n = 0]) => {
        const [x, y] = [randomF32(n, 1), new Float32Array(n)];
        return () => {
          for (let i = 0; i < n; i++) y[i] = Math.exp(x[i] as number);
          return y;
        };
      },
    },
    setup: (arena, [n = 0]) => {
      const x = arena.put(randomF32(n, 1));
      const y = arena.alloc('f32', n) as F32;
      return () => {
        expInto(x, y);
        return y;
      };
    },
  }),
];
