import { bench, randomF32, randomF64 } from '../../src/bench/case.js';
import { cholesky, conjugateGradient, eigh, gemm, lanczos, matrixOperator, qr, solveTriangular, svd } from '../../src/linalg/index.js';

const matrix = (n: number, seed = 1) => ({ data: randomF64(n * n, seed), shape: [n, n] });

/** Symmetric, its spectrum around 2. */
function positive(n: number) {
  const data = new Float64Array(n * n);
  const draws = randomF64(n * n, 1);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) data[i * n + j] = data[j * n + i] = (i === j ? 2 : 0) + (0.3 * draws[i * n + j]!) / Math.sqrt(n);
  }
  return { data, shape: [n, n] };
}

const sizes = [[64], [256]];

export default [
  bench('linalg gemm, f32', {
    sizes: [[64], [512]],
    axes: ['n'],
    flops: ([n = 0]) => 2 * n ** 3,
    open: ([n = 0]) => {
      const [a, b] = [randomF32(n * n, 1), randomF32(n * n, 2)].map((data) => ({ data, shape: [n, n] })) as [never, never];
      return () => gemm(a, b).data;
    },
  }),
  bench('linalg cholesky', {
    sizes,
    axes: ['n'],
    flops: ([n = 0]) => n ** 3 / 3,
    precision: 'float64',
    open: ([n = 0]) => {
      const a = positive(n);
      return () => cholesky(a).data;
    },
  }),
  bench('linalg solveTriangular, n right-hand sides', {
    sizes,
    axes: ['n'],
    flops: ([n = 0]) => n ** 3,
    precision: 'float64',
    open: ([n = 0]) => {
      const [t, b] = [cholesky(positive(n)), matrix(n, 2)];
      return () => solveTriangular(t, b).data;
    },
  }),
  bench('linalg eigh', {
    sizes,
    axes: ['n'],
    open: ([n = 0]) => {
      const a = positive(n);
      return () => eigh(a).values;
    },
  }),
  bench('linalg svd', {
    sizes: [[32], [128]],
    axes: ['n'],
    open: ([n = 0]) => {
      const a = matrix(n);
      return () => svd(a).s;
    },
  }),
  bench('linalg qr', {
    sizes,
    axes: ['n'],
    open: ([n = 0]) => {
      const a = matrix(n);
      return () => qr(a).r.data;
    },
  }),
  bench('linalg lanczos, 30 steps', {
    sizes: [[256]],
    axes: ['n'],
    open: ([n = 0]) => {
      const op = matrixOperator(positive(n));
      return async () => (await lanczos(op, { steps: 30 })).alpha;
    },
  }),
  bench('linalg conjugateGradient', {
    sizes: [[256]],
    axes: ['n'],
    open: ([n = 0]) => {
      const [op, b] = [matrixOperator(positive(n)), randomF64(n, 2)];
      return async () => (await conjugateGradient(op, b)).x;
    },
  }),
];
