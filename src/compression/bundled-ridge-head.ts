import { asRecord, checkFinite, checkNonNegative } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { asTensor, isFloatArray, type Tensor, type TensorLike } from '../core/tensor.js';
import { cholesky } from '../kernels/cholesky.js';
import { gemm } from '../kernels/gemm.js';
import { syrk } from '../kernels/syrk.js';
import { trsm } from '../kernels/triangular.js';
import { withArena } from '../runtime/instance.js';

/**
 * The best linear head on features, without training: (ΦᵀΦ + λI)⁻¹Φᵀy. A network bundled into random features has no other parameters.
 *
 * @param features Φ [n, m]
 * @param targets y [n, k]: values, or classes as rows of 0 and 1
 * @param options `damping` λ, not divided by n (1e-6)
 * @returns weights [m, k]: predictions are Φ·weights
 * @throws {ShapeError | DomainError} when shapes disagree, numbers are not finite, or the system is singular for this damping
 * @see Sehanobish et al. 2024 (SNNK), arXiv:2310.13225, §3.3
 */
export function bundledRidgeHead(
  features: TensorLike,
  targets: TensorLike,
  options: { readonly damping?: number } = {},
): Tensor<Float64Array> {
  const { damping = 1e-6 } = asRecord('options', options);
  checkNonNegative('damping', damping);
  const [phi, y] = [readMatrix('features', features), readMatrix('targets', targets)];
  if (phi.rows !== y.rows) throw new ShapeError(`targets: expected ${phi.rows} rows as features, got ${y.rows}`);
  const [n, m, k] = [phi.rows, phi.cols, y.cols];
  return withArena((arena) => {
    const F = arena.put(phi.data);
    const H = arena.alloc('f64', m * m);
    syrk(m, n, F, H, { transA: true });
    const diagonal = arena.view(H);
    for (let i = 0; i < m; i++) diagonal[i * (m + 1)] = (diagonal[i * (m + 1)] as number) + damping;
    const failed = cholesky(m, H);
    if (failed >= 0) throw new DomainError(`damping: expected a value > ${damping}: the system is singular at feature ${failed}`);
    const right = arena.alloc('f64', m * k);
    gemm(m, k, n, F, arena.put(y.data), right, { transA: true });
    trsm(m, k, H, right);
    trsm(m, k, H, right, { transT: true });
    return { data: arena.take(right), shape: [m, k] };
  });
}

function readMatrix(name: string, value: TensorLike): { data: Float64Array; rows: number; cols: number } {
  const { data, shape } = asTensor(name, value);
  const [rows = 0, cols = 0] = shape;
  if (shape.length !== 2 || rows === 0 || cols === 0) throw new ShapeError(`${name}: expected a matrix, got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError(`${name}: expected float32 or float64 numbers`);
  checkFinite(name, data);
  return { data: Float64Array.from(data), rows, cols };
}
