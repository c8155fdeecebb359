/** Linear algebra: Krylov methods on operators known by their products, and small dense decompositions in f64. */
export { cholesky } from './cholesky.js';
export { type ConjugateGradientOptions, type ConjugateGradientResult, conjugateGradient } from './conjugate-gradient.js';
export { eigh } from './eigh.js';
export { gemm } from './gemm.js';
export { type LanczosOptions, type LanczosResult, lanczos } from './lanczos.js';
export { matrixOperator } from './operator.js';
export { type PowerIterationOptions, powerIteration } from './power-iteration.js';
export { qr } from './qr.js';
export { solveTriangular } from './solve-triangular.js';
export { svd } from './svd.js';
export { eighTridiagonal } from './tridiagonal.js';
