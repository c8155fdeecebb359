import type { Registry } from '../core/registry.js';
import { cholesky } from './cholesky.js';
import { conjugateGradient } from './conjugate-gradient.js';
import { eigh } from './eigh.js';
import { gemm } from './gemm.js';
import { lanczos } from './lanczos.js';
import { matrixOperator } from './operator.js';
import { powerIteration } from './power-iteration.js';
import { qr } from './qr.js';
import { solveTriangular } from './solve-triangular.js';
import { svd } from './svd.js';
import { eighTridiagonal } from './tridiagonal.js';

const dense = 'test/linalg/dense.test.ts';
const products = 'test/linalg/products.test.ts';
const krylov = 'test/linalg/krylov.test.ts';

/** The methods of this area. */
export const registry = {
  cholesky: { method: cholesky, summary: 'Cholesky factor of a positive definite matrix', test: products },
  'conjugate-gradient': { method: conjugateGradient, summary: 'Solve (A + λI)x = b; reports negative curvature', test: krylov },
  eigh: { method: eigh, summary: 'All eigenpairs of a symmetric matrix', test: dense },
  'eigh-tridiagonal': { method: eighTridiagonal, summary: 'Eigenpairs of a symmetric tridiagonal matrix', test: dense },
  gemm: { method: gemm, summary: 'Matrix product', test: products },
  lanczos: { method: lanczos, summary: 'Tridiagonalise a symmetric operator, re-orthogonalised', test: krylov },
  'matrix-operator': { method: matrixOperator, summary: 'A symmetric matrix as a linear operator', test: krylov },
  'power-iteration': { method: powerIteration, summary: 'Eigenvalue of largest magnitude in one vector of memory', test: krylov },
  qr: { method: qr, summary: 'QR decomposition by Householder reflections', test: dense },
  'solve-triangular': { method: solveTriangular, summary: 'Triangular systems', test: products },
  svd: { method: svd, summary: 'Singular value decomposition by one-sided Jacobi', test: dense },
} satisfies Registry;
