import { asRecord, checkNonNegative, checkNotEmpty } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { Tensor, TensorLike } from '../core/tensor.js';
import { gemm } from '../linalg/gemm.js';
import { readMatrix } from '../linalg/matrix.js';
import { svd } from '../linalg/svd.js';
import { rootOf } from './bures-wasserstein.js';

export interface BuresFactorizationResult {
  /** d²(W Wᵀ + τI, S) */
  readonly value: number;
  /** Derivative of `value` by every factor, each of its shape. */
  readonly grads: readonly Float64Array[];
  /** Rank of S^½ [W, √τ·I]: below its columns the loss has no derivative, and `grads` are the subgradient of least norm. */
  readonly rank: number;
}

/** Singular values below this share of the largest count as zero. */
const rankFloor = 1e-12;

/**
 * Squared Bures–Wasserstein distance of a deep linear generator's covariance to a target, with its gradients:
 *   d²(W Wᵀ + τI, S) = ‖W‖² + τd + tr S − 2‖S^½ [W, √τ·I]‖_*,   W = W_N ⋯ W_1
 * The cross term is a nuclear norm, so no inverse is needed and rank-deficient W (rank below d) is nothing special. On matrices of rank r
 * the least value is the sum of the d − r smallest eigenvalues of S.
 *
 * @param factors W_1 [d_1, d_0], W_2 [d_2, d_1], …, the first applied first; d_N = d
 * @param target S [d, d] symmetric, positive semi-definite
 * @param options `smoothing` τ ≥ 0 (0): bounds the curvature, which grows as 1/√τ where the columns of W depend on each other
 * @returns `value`, `grads` by every factor, `rank`; all in f64
 * @throws {ShapeError} when extents do not chain or no factor is given; {DomainError} when S is not positive semi-definite, τ < 0, NaN
 * @see Bréchet, Papagiannouli, An & Montúfar 2023, arXiv:2303.03027, §2–3
 */
export function buresFactorizationLoss(
  factors: readonly TensorLike[],
  target: TensorLike,
  options: { smoothing?: number } = {},
): BuresFactorizationResult {
  const { smoothing = 0 } = asRecord('options', options);
  checkNotEmpty('factors', factors);
  checkNonNegative('smoothing', smoothing);
  const { half, size: d, trace } = rootOf('target', target);
  const chain = factors.map((factor, k) => {
    const { data, rows, cols } = readMatrix(`factors[${k}]`, factor);
    return { data, shape: [rows, cols] as const };
  });
  chain.forEach(({ shape: [rows, cols] }, k) => {
    const [above, below] = [chain[k + 1]?.shape[1] ?? d, chain[k - 1]?.shape[0] ?? cols];
    if (rows !== above || cols !== below)
      throw new ShapeError(`factors[${k}]: expected shape [${above}, ${below}] between its neighbours, got [${rows}, ${cols}]`);
  });

  const prefixes = [chain[0]! as Tensor]; // W_k ⋯ W_1
  for (const factor of chain.slice(1)) prefixes.push(gemm(factor, prefixes.at(-1)!));
  const W = prefixes.at(-1)!;
  const m = W.shape[1]!;
  const width = smoothing > 0 ? m + d : m;
  const wide = new Float64Array(d * width);
  for (let i = 0; i < d; i++) {
    wide.set((W.data as Float64Array).subarray(i * m, (i + 1) * m), i * width);
    if (smoothing > 0) wide[i * width + m + i] = Math.sqrt(smoothing);
  }
  const { u, s, v } = svd(gemm({ data: half, shape: [d, d] }, { data: wide, shape: [d, width] }));
  const rank = s.filter((value) => value > rankFloor * s[0]!).length;
  let value = trace;
  for (const x of wide) value += x * x;
  for (const x of s) value -= 2 * x;

  // The nuclear norm has gradient U Vᵀ: by W, 2(W − S^½ U Vᵀ) on the columns of W.
  const [left, right] = [firstColumns(u, rank, d), firstColumns(v, rank, m)];
  const pull = gemm(gemm({ data: half, shape: [d, d] }, left), right, { transB: true });
  let back: Tensor = {
    data: (W.data as Float64Array).map((x, at) => 2 * (x - (pull.data[at] as number))),
    shape: [d, m],
  };
  // From the top: ∂/∂W_k = (W_N ⋯ W_{k+1})ᵀ G (W_{k−1} ⋯ W_1)ᵀ; `back` holds (W_N ⋯ W_{k+1})ᵀ G.
  const grads: Float64Array[] = new Array(chain.length);
  for (let k = chain.length - 1; k >= 0; k--) {
    grads[k] = (k > 0 ? gemm(back, prefixes[k - 1]!, { transB: true }).data : back.data) as Float64Array;
    if (k > 0) back = gemm(chain[k]!, back, { transA: true });
  }
  return { value: Math.max(0, value), grads, rank };
}

/** The top left corner [rows, columns] of a matrix. */
function firstColumns({ data, shape }: Tensor, columns: number, rows: number): Tensor {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[i * columns + j] = data[i * shape[1]! + j] as number;
  return { data: out, shape: [rows, columns] };
}
