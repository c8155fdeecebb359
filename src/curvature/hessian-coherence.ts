import { samplesOf } from '../core/batches.js';
import { asRecord, checkArray, checkFiniteNumber, checkInteger, checkNonNegative, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { type OnIteration, readIterative } from '../core/iterations.js';
import type { Batch, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { square } from '../core/square.js';
import type { Tensor, TensorLike } from '../core/tensor.js';
import { asFloats, asTensor } from '../core/tensor.js';
import { syrk } from '../kernels/syrk.js';
import { eigh } from '../linalg/eigh.js';
import { readSymmetric } from '../linalg/matrix.js';
import { matrixOperator } from '../linalg/operator.js';
import { withArena } from '../runtime/instance.js';
import { checkModel } from './operators.js';
import { gaussNewtonRows } from './sample-losses.js';
import { topEigenvalues } from './top-eigenvalues.js';

export interface HessianCoherence {
  /** S_ij = ‖H_i^½ H_j^½‖_F = √tr(H_i H_j) [n, n]. */
  readonly coherence: Tensor<Float64Array>;
  /** λ₁(S) / max_i λ₁(H_i): 1 for orthogonal curvature directions, n for identical rank-one H_i. */
  readonly sigma: number;
  readonly lambda1Coherence: number;
  /** λ₁(H_i) of each sample [n]. */
  readonly lambda1PerSample: Float64Array;
  /** λ₁ of the mean H = (1/n) Σ H_i. */
  readonly lambda1Mean: number;
}

/**
 * The coherence of per-sample Hessians, which decides how much small batches shrink the largest stable learning rate.
 *   H_i: the Gauss–Newton matrix of sample i (positive semidefinite; not divided by n), S_ij = √tr(H_i H_j), σ = λ₁(S)/max λ₁(H_i)
 * Computed from Gram blocks ‖A_i A_jᵀ‖_F with H_i = A_iᵀA_i: n·k rows of d numbers are held, k the number of outputs.
 *
 * @param model any DifferentiableModel with logits [n, k]; @param batch n samples
 * @param options `signal`, looked at before each of the k outputs; `onProgress`
 * @returns `coherence` S, `sigma`, `lambda1Coherence`, `lambda1PerSample` [n], `lambda1Mean`; sigma is NaN when every H_i is 0
 * @throws {ShapeError} when the batch is empty or the model's outputs are not [n, k]
 * @see Dexter et al. 2024, arXiv:2401.12332, Definition 1
 */
export async function hessianCoherence(model: DifferentiableModel, batch: Batch, options: LongOptions = {}): Promise<HessianCoherence> {
  checkModel(model, 'predict', 'perSampleGradients');
  if (samplesOf(batch) === 0) throw new ShapeError('batch: expected at least one sample, got none');
  const { rows, n, k } = await gaussNewtonRows(model, batch, options);
  return coherenceOf(rows, n, k);
}

/** Coherence of n groups of k rows [n·k, d]: H_i = A_iᵀA_i. */
export async function coherenceOf(rows: TensorLike, n: number, k: number): Promise<HessianCoherence> {
  const { data, shape } = asTensor('rows', rows);
  const size = n * k;
  const d = shape[1] ?? 0;
  if (shape[0] !== size) throw new ShapeError(`rows: expected ${size} rows, got ${shape[0]}`);
  const gram = withArena((arena) => {
    const out = arena.zeros('f64', size * size);
    syrk(size, d, arena.put(asFloats('rows', data)), out);
    return arena.take(out);
  });
  const S = new Float64Array(n * n);
  const lambda1PerSample = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let squares = 0;
      for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) squares += square(gram[(i * k + a) * size + j * k + b]!);
      S[i * n + j] = S[j * n + i] = Math.sqrt(squares);
    }
    const block = new Float64Array(k * k);
    for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) block[a * k + b] = gram[(i * k + a) * size + i * k + b]!;
    lambda1PerSample[i] = eigh({ data: block, shape: [k, k] }, { vectors: false }).values.at(-1)!;
  }
  const top = async (matrix: Float64Array, order: number) =>
    (await topEigenvalues(matrixOperator({ data: matrix, shape: [order, order] }), { tolerance: 1e-10 })).values[0]!;
  const lambda1Coherence = await top(S, n);
  const largest = lambda1PerSample.reduce((a, b) => Math.max(a, b), 0);
  return {
    coherence: { data: S, shape: [n, n] },
    sigma: lambda1Coherence / largest,
    lambda1Coherence,
    lambda1PerSample,
    lambda1Mean: (await top(gram, size)) / n,
  };
}

/**
 * When SGD must leave a minimum: with Bernoulli batches of mean size B it is unstable if
 *   λ₁(H) > 2/η, or λ₁(H) > (σ/η)·(n/B − 1)^(−½)
 * (sufficient for divergence, not necessary; `secondMomentRadius` decides exactly for small problems).
 *
 * @param problem `lambda1` of the mean Hessian, `sigma` from `hessianCoherence`, `n` samples, `batchSize` B ≤ n
 * @param learningRate η
 * @returns `unstable`, and `largestLearningRate`: the η at which the first of the two conditions starts to hold
 * @throws {DomainError} on numbers outside their range
 * @see Dexter et al. 2024, arXiv:2401.12332, Theorem 1
 */
export function sgdStabilityCondition(
  problem: { lambda1: number; sigma: number; n: number; batchSize: number },
  learningRate: number,
): { unstable: boolean; largestLearningRate: number; gradientDescentLimit: number; stochasticLimit: number } {
  const { lambda1, sigma, n, batchSize } = asRecord('problem', problem, '{ lambda1, sigma, n, batchSize }');
  checkNonNegative('lambda1', lambda1);
  checkPositive('sigma', sigma);
  checkInteger('n', n, 1);
  checkPositive('batchSize', batchSize);
  checkPositive('learningRate', learningRate);
  if (batchSize > n) throw new DomainError(`batchSize: expected at most n = ${n}, got ${batchSize}`);
  const gradientDescentLimit = 2 / lambda1;
  const stochasticLimit = sigma / (lambda1 * Math.sqrt(n / batchSize - 1));
  const largestLearningRate = Math.min(gradientDescentLimit, stochasticLimit);
  return { unstable: learningRate > largestLearningRate, largestLearningRate, gradientDescentLimit, stochasticLimit };
}

/**
 * Exact mean-square stability of linearised SGD: the spectral radius of
 *   M → J M J + (η²/n²)(n/B − 1) Σ H_i M H_i,  J = I − η H,  H = mean of H_i
 * on symmetric matrices. SGD with Bernoulli batches of mean size B diverges in mean square exactly when it is above 1. The map keeps
 * positive semidefinite matrices, so power iteration from I finds its radius.
 *
 * @param hessians symmetric [d, d] each, d small: a step costs O(n d³)
 * @param options `learningRate` η, `batchSize` B, `tolerance` (1e-10), `maxIterations` (10000), `onIteration` (return false to stop)
 * @returns `radius`, `iterations`, `converged`
 * @throws {ShapeError | DomainError} on matrices that are not symmetric or of different orders
 * @see Dexter et al. 2024, arXiv:2401.12332, proof of Theorem 1
 */
export function secondMomentRadius(
  hessians: readonly TensorLike[],
  options: { learningRate: number; batchSize: number; tolerance?: number; maxIterations?: number; onIteration?: OnIteration },
): { radius: number; iterations: number; converged: boolean } {
  const {
    learningRate,
    batchSize,
    tolerance = 1e-10,
    maxIterations = 10_000,
    onIteration,
  } = readIterative(options, '{ learningRate, batchSize }');
  checkFiniteNumber('learningRate', learningRate);
  checkPositive('batchSize', batchSize);
  checkArray('hessians', hessians);
  const n = hessians.length;
  if (n === 0) throw new ShapeError('hessians: expected at least one matrix, got none');
  const read = hessians.map((h, i) => readSymmetric(`hessians[${i}]`, h));
  const d = read[0]!.rows;
  read.forEach(({ rows }, i) => {
    if (rows !== d) throw new ShapeError(`hessians[${i}]: expected order ${d}, got ${rows}`);
  });
  const J = new Float64Array(d * d);
  for (let i = 0; i < d * d; i++) J[i] = (i % (d + 1) === 0 ? 1 : 0) - learningRate * read.reduce((sum, h) => sum + h.data[i]! / n, 0);
  const noise = ((learningRate * learningRate) / (n * n)) * (n / batchSize - 1);
  let M = Float64Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 1 / Math.sqrt(d) : 0));
  let radius = 0;
  for (let iteration = 1; iteration <= maxIterations; iteration++) {
    const next = sandwich(J, M, d);
    if (noise !== 0) {
      for (const { data } of read) {
        const part = sandwich(data, M, d);
        for (let i = 0; i < next.length; i++) next[i] = next[i]! + noise * part[i]!;
      }
    }
    const before = radius;
    radius = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0));
    if (radius === 0) return { radius, iterations: iteration, converged: true };
    M = next.map((x) => x / radius);
    const error = Math.abs(radius - before) / radius;
    const stopped = onIteration?.({ iteration, error }) === false;
    if (error <= tolerance || stopped) return { radius, iterations: iteration, converged: error <= tolerance };
  }
  return { radius, iterations: maxIterations, converged: false };
}

/** A M A for symmetric A and M [d, d]. */
function sandwich(A: Float64Array, M: Float64Array, d: number): Float64Array {
  const product = (x: Float64Array, y: Float64Array) => {
    const out = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let l = 0; l < d; l++) {
        const factor = x[i * d + l]!;
        for (let j = 0; j < d; j++) out[i * d + j] = out[i * d + j]! + factor * y[l * d + j]!;
      }
    }
    return out;
  };
  return product(product(A, M), A);
}
