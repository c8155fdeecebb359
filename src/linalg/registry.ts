import type { Registry } from '../core/registry.js';
import { cholesky } from './cholesky.js';
import { conjugateGradient } from './conjugate-gradient.js';
import { eig } from './eig.js';
import { eigh } from './eigh.js';
import { deepConjugateDirection, flexibleCg } from './flexible-cg.js';
import { gemm } from './gemm.js';
import { frechetMean, gyroBatchNorm, poincareAdd } from './gyro-batch-norm.js';
import { lanczos } from './lanczos.js';
import { curDecomposition, generalizedNystrom, utv } from './meta-factorization.js';
import { matrixOperator } from './operator.js';
import { parallelGemm } from './parallel-gemm.js';
import { powerIteration } from './power-iteration.js';
import { pinvFromFactors, pseudoInverse, randomizedPinv } from './pseudo-inverse.js';
import { qr } from './qr.js';
import { solveTriangular } from './solve-triangular.js';
import { diagonalSsm, hippoLegs, perturbThenDiagonalize } from './state-space.js';
import { svd } from './svd.js';
import { eighTridiagonal } from './tridiagonal.js';

const dense = 'test/linalg/dense.test.ts';
const products = 'test/linalg/products.test.ts';
const flexible = 'test/linalg/flexible-cg.test.ts';
const gyro = 'test/linalg/gyro-batch-norm.test.ts';
const inverse = 'test/linalg/pseudo-inverse.test.ts';
const meta = 'test/linalg/meta-factorization.test.ts';
const threads = 'test/threads/parallel.test.ts';
const states = 'test/linalg/state-space.test.ts';
const krylov = 'test/linalg/krylov.test.ts';

/** The methods of this area. */
export const registry = {
  cholesky: { method: cholesky, summary: 'Cholesky factor of a positive definite matrix', test: products },
  'conjugate-gradient': { method: conjugateGradient, summary: 'Solve (A + λI)x = b; reports negative curvature', test: krylov },
  eig: { method: eig, summary: 'All eigenpairs of a matrix that need not be symmetric', test: states },
  'diagonal-ssm': {
    method: diagonalSsm,
    summary: 'Kernel, transfer function and recurrence of a diagonal state-space model',
    papers: [244],
    test: states,
  },
  'hippo-legs': { method: hippoLegs, summary: 'The state matrix that remembers in Legendre polynomials', papers: [244], test: states },
  'perturb-then-diagonalize': {
    method: perturbThenDiagonalize,
    summary: 'Eigenvectors of a matrix that has none that are well conditioned, after a small perturbation',
    papers: [244],
    test: states,
  },
  eigh: { method: eigh, summary: 'All eigenpairs of a symmetric matrix', test: dense },
  'eigh-tridiagonal': { method: eighTridiagonal, summary: 'Eigenpairs of a symmetric tridiagonal matrix', test: dense },
  gemm: { method: gemm, summary: 'Matrix product', test: products },
  lanczos: { method: lanczos, summary: 'Tridiagonalise a symmetric operator, re-orthogonalised', test: krylov },
  'matrix-operator': { method: matrixOperator, summary: 'A symmetric matrix as a linear operator', test: krylov },
  'parallel-gemm': { method: parallelGemm, summary: 'Matrix product on a pool of threads', test: threads },
  'power-iteration': { method: powerIteration, summary: 'Eigenvalue of largest magnitude in one vector of memory', test: krylov },
  qr: { method: qr, summary: 'QR decomposition by Householder reflections', test: dense },
  'solve-triangular': { method: solveTriangular, summary: 'Triangular systems', test: products },
  svd: { method: svd, summary: 'Singular value decomposition by one-sided Jacobi', test: dense },
  'cur-decomposition': { method: curDecomposition, summary: 'A ≈ C U R with actual columns and rows', papers: [213], test: meta },
  'deep-conjugate-direction': {
    method: deepConjugateDirection,
    summary: 'Training loss of a direction oracle',
    papers: [40],
    test: flexible,
  },
  'flexible-cg': { method: flexibleCg, summary: 'Conjugate gradients along the directions of any oracle', papers: [40], test: flexible },
  'generalized-nystrom': { method: generalizedNystrom, summary: 'Low rank from two sketches in one pass', papers: [213], test: meta },
  'pinv-from-factors': { method: pinvFromFactors, summary: 'Pseudoinverse of a product of any rank', papers: [221], test: inverse },
  'pseudo-inverse': { method: pseudoInverse, summary: 'Moore–Penrose pseudoinverse', papers: [221], test: inverse },
  'randomized-pinv': { method: randomizedPinv, summary: 'Pseudoinverse of a low-rank matrix from sketches', papers: [221], test: inverse },
  utv: { method: utv, summary: 'Complete orthogonal decomposition', papers: [213], test: meta },
  'frechet-mean': { method: frechetMean, summary: 'Mean of points on a manifold', papers: [226], test: gyro },
  'gyro-batch-norm': { method: gyroBatchNorm, summary: 'Batch normalisation on a manifold', papers: [226], test: gyro },
  'poincare-add': { method: poincareAdd, summary: 'Möbius addition in the Poincaré ball', papers: [226], test: gyro },
} satisfies Registry;
