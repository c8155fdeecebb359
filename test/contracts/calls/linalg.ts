import { ThreadPool } from '../../../src/threads/index.js';

type Area = typeof import('../../../src/linalg/index.js');

const operator = {
  size: 12,
  precision: 'float64' as const,
  apply(v: ArrayLike<number>, out: Float32Array | Float64Array) {
    for (let i = 0; i < 12; i++) out[i] = (i + 1) * v[i]!;
  },
};
const matrix = { data: Float64Array.of(4, 1, 0.5, 1, 3, -0.25, 0.5, -0.25, 2), shape: [3, 3] };

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown> = {
  cholesky: ({ cholesky }) => cholesky(matrix),
  'conjugate-gradient': ({ conjugateGradient }) => conjugateGradient(operator, new Float64Array(12).fill(1), { damping: 0.1 }),
  eig: ({ eig }) => eig({ data: Float64Array.of(4, 1, 0.5, -1, 3, -0.25, 0.5, 2, 2), shape: [3, 3] }),
  'hippo-legs': ({ hippoLegs }) => hippoLegs(4),
  'perturb-then-diagonalize': ({ perturbThenDiagonalize, hippoLegs }) =>
    perturbThenDiagonalize(hippoLegs(4).a, { epsilon: 0.01, draws: 2 }),
  'diagonal-ssm': ({ diagonalSsm, perturbThenDiagonalize, hippoLegs }) => {
    const { a, b } = hippoLegs(3);
    const ssm = diagonalSsm(perturbThenDiagonalize(a).system(b, [1, -1, 0.5]), { step: 0.1 });
    return { kernel: ssm.kernel(5), transfer: ssm.transfer([0, 1, 2]), impulse: ssm.impulse([0, 1]), run: ssm.run([1, 0, -1]) };
  },
  eigh: ({ eigh }) => eigh(matrix),
  'eigh-tridiagonal': ({ eighTridiagonal }) => eighTridiagonal([1, 2, 3], [0.5, 0.25]),
  gemm: ({ gemm }) => gemm(matrix, matrix, { transB: true }),
  lanczos: ({ lanczos }) => lanczos(operator, { steps: 6 }),
  'matrix-operator': ({ matrixOperator }) => {
    const out = new Float64Array(3);
    void matrixOperator(matrix).apply(Float64Array.of(1, 2, 3), out);
    return out;
  },
  'parallel-gemm': async ({ parallelGemm }) => {
    const pool = await ThreadPool.open({ threads: 2, eager: true });
    try {
      return await parallelGemm(matrix, matrix, { transB: true, pool });
    } finally {
      pool.close();
    }
  },
  'power-iteration': ({ powerIteration }) => powerIteration(operator, { maxIterations: 50 }),
  qr: ({ qr }) => qr(matrix),
  'solve-triangular': ({ solveTriangular }) => solveTriangular(matrix, { data: Float64Array.of(1, 2, 3), shape: [3] }),
  svd: ({ svd }) => svd(matrix),
  'cur-decomposition': ({ curDecomposition }) => curDecomposition(matrix, { rank: 2 }),
  'deep-conjugate-direction': ({ deepConjugateDirection }) =>
    deepConjugateDirection(
      operator,
      new Float64Array(12).fill(1),
      Float64Array.from({ length: 12 }, (_, i) => i - 4),
    ),
  'flexible-cg': ({ flexibleCg }) => flexibleCg(operator, new Float64Array(12).fill(1), (r) => r, { maxIterations: 6 }),
  'generalized-nystrom': ({ generalizedNystrom }) => generalizedNystrom(matrix, { rank: 2 }),
  'pinv-from-factors': ({ pinvFromFactors }) => pinvFromFactors(matrix, matrix),
  'pseudo-inverse': ({ pseudoInverse }) => pseudoInverse(matrix),
  'randomized-pinv': ({ randomizedPinv }) => randomizedPinv(matrix, { size: 2 }),
  utv: ({ utv }) => utv(matrix),
  'frechet-mean': ({ frechetMean }) => frechetMean({ data: Float64Array.of(0.1, 0.2, -0.3, 0.4, 0.5, 0), shape: [3, 2] }),
  'gyro-batch-norm': ({ gyroBatchNorm }) =>
    gyroBatchNorm({ data: Float64Array.of(2, 1, 1, 3, 1, 0, 0, 2), shape: [2, 2, 2] }, { space: 'spd', scale: 0.5 }),
  'poincare-add': ({ poincareAdd }) => poincareAdd([0.1, 0.2], [-0.3, 0.4]),
};
