// The entropic mean of several histograms.
import { checkInteger, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { NumberArray } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { exp, log } from '../kernels/scalar.js';
import { withArena } from '../runtime/instance.js';
import { type Matrix, readMatrix, readWeights, total } from './problem.js';

export interface BarycenterProblem {
  /** [n, m] from the support of the barycenter to that of the histograms. */
  readonly cost: Matrix;
  /** [S, m] non-negative rows of total 1. */
  readonly histograms: Matrix;
  /** [S] ≥ 0; equal if left out. */
  readonly weights?: NumberArray;
}
export interface BarycenterResult {
  /** [n], total 1. */
  readonly barycenter: Float64Array;
  /** Largest L1 distance between the barycenter and a first marginal. */
  readonly error: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * Fixed-support barycenter: argmin over p of Σ_s w_s OT_ε(p, b_s), by iterated Bregman projections on all histograms at once. Computed in
 * f64 on a kernel matrix; ε below max(cost)/600 is refused, because that matrix would underflow.
 *
 * @param problem `cost` [n, m], `histograms` [S, m], `weights` [S] (equal)
 * @param options `epsilon` (0.05), `tolerance` (1e-8), `maxIterations` (10 000)
 * @returns `barycenter` [n], `error`, `iterations`, `converged`
 * @throws {DomainError} for negative histograms, epsilon ≤ 0 or too small; {ShapeError} when shapes do not fit
 * @see Benamou, Carlier, Cuturi, Nenna & Peyré 2015, arXiv:1412.5154, §3.2
 */
export function sinkhornBarycenter(
  problem: BarycenterProblem,
  options: { epsilon?: number; tolerance?: number; maxIterations?: number } = {},
): BarycenterResult {
  const { epsilon = 0.05, tolerance = 1e-8, maxIterations = 10_000 } = options;
  checkPositive('epsilon', epsilon);
  checkInteger('maxIterations', maxIterations, 1);
  const given = readMatrix('histograms', problem.histograms);
  const { rows: S, cols: m } = given;
  const { data: cost, rows: n } = readMatrix('cost', problem.cost, { cols: m });
  const weights = readWeights('weights', problem.weights, S);
  const sum = total(weights);
  const B = new Float64Array(m * S); // [m, S]
  for (let s = 0; s < S; s++) {
    const row = readWeights('histograms', given.data.subarray(s * m, (s + 1) * m), m);
    const mass = total(row);
    for (let j = 0; j < m; j++) B[j * S + s] = row[j]! / mass;
  }
  let [least, most] = [Infinity, -Infinity];
  for (const c of cost) {
    least = Math.min(least, c);
    most = Math.max(most, c);
  }
  if (most - least > 600 * epsilon)
    throw new DomainError(`epsilon: expected at least ${(most - least) / 600} for this cost, got ${epsilon}`);
  return withArena((arena) => {
    const K = arena.put(Float64Array.from(cost, (c) => exp((least - c) / epsilon)));
    const [U, V] = [arena.put(new Float64Array(n * S).fill(1)), arena.zeros('f64', m * S)];
    const [KV, KU] = [arena.zeros('f64', n * S), arena.zeros('f64', m * S)];
    const p = new Float64Array(n).fill(1 / n);
    let [error, iterations] = [Infinity, 0];
    while (iterations < maxIterations && !(error <= tolerance)) {
      gemm(m, S, n, K, U, KU, { transA: true });
      const [ku, v] = [arena.view(KU), arena.view(V)];
      for (let k = 0; k < v.length; k++) v[k] = B[k]! === 0 ? 0 : B[k]! / ku[k]!;
      gemm(n, S, m, K, V, KV);
      const [kv, u] = [arena.view(KV), arena.view(U)];
      const off = new Float64Array(S);
      for (let i = 0; i < n; i++) {
        let mean = 0;
        for (let s = 0; s < S; s++) mean += (weights[s]! / sum) * log(u[i * S + s]! * kv[i * S + s]!);
        p[i] = exp(mean);
        for (let s = 0; s < S; s++) {
          off[s]! += Math.abs(u[i * S + s]! * kv[i * S + s]! - p[i]!);
          u[i * S + s] = p[i]! / kv[i * S + s]!;
        }
      }
      error = off.reduce((a, b) => Math.max(a, b), 0);
      iterations++;
    }
    const mass = total(p);
    return { barycenter: p.map((v) => v / mass), error, iterations, converged: error <= tolerance };
  });
}
