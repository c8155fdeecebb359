/** Linear algebra: Krylov methods on operators known by their products, and small dense decompositions in f64. */
export { cholesky } from './cholesky.js';
export { type ConjugateGradientOptions, type ConjugateGradientResult, conjugateGradient } from './conjugate-gradient.js';
export { eigh } from './eigh.js';
export { type DirectionOracle, deepConjugateDirection, flexibleCg } from './flexible-cg.js';
export { gemm } from './gemm.js';
export { frechetMean, type GyroOptions, gyroBatchNorm, poincareAdd } from './gyro-batch-norm.js';
export { type LanczosOptions, type LanczosResult, lanczos } from './lanczos.js';
export { curDecomposition, generalizedNystrom, utv } from './meta-factorization.js';
export { matrixOperator } from './operator.js';
export { parallelGemm } from './parallel-gemm.js';
export { type PowerIterationOptions, powerIteration } from './power-iteration.js';
export { pinvFromFactors, pseudoInverse, randomizedPinv } from './pseudo-inverse.js';
export { qr } from './qr.js';
export { solveTriangular } from './solve-triangular.js';
export { svd } from './svd.js';
export { eighTridiagonal } from './tridiagonal.js';
