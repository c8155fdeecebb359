import { bench, randomF32, randomF64 } from '../../src/bench/case.js';
import { gemm } from '../../src/kernels/gemm.js';

const cube = ([n = 0]: readonly number[]): number => 2 * n ** 3;

export default [
  bench('sgemm', {
    sizes: [[128], [512], [1024]],
    axes: ['n'],
    flops: cube,
    bytes: ([n = 0]) => 12 * n * n,
    baselines: {
      javascript: ([n = 0]) => {
        if (n > 512) return undefined;
        const [a, b, c] = [randomF32(n * n, 1), randomF32(n * n, 2), new Float32Array(n * n)];
        return () => {
          c.fill(0);
          for (let i = 0; i < n; i++) {
            for (let k = 0; k < n; k++) {
              const factor = a[i * n + k] as number;
              for (let j = 0; j < n; j++) c[i * n + j] = (c[i * n + j] as number) + factor * (b[k * n + j] as number);
            }
          }
          return c;
        };
      },
    },
    setup: (arena, [n = 0]) => {
      const [a, b] = [arena.put(randomF32(n * n, 1)), arena.put(randomF32(n * n, 2))];
      const c = arena.alloc('f32', n * n);
      return () => {
        gemm(n, n, n, a, b, c);
        return c;
      };
    },
  }),
  bench('dgemm', {
    sizes: [[128], [512]],
    axes: ['n'],
    flops: cube,
    bytes: ([n = 0]) => 24 * n * n,
    precision: 'float64',
    setup: (arena, [n = 0]) => {
      const [a, b] = [arena.put(randomF64(n * n, 1)), arena.put(randomF64(n * n, 2))];
      const c = arena.alloc('f64', n * n);
      return () => {
        gemm(n, n, n, a, b, c);
        return c;
      };
    },
  }),
];
