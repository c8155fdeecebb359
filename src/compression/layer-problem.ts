// A linear layer and the second moments of what enters it.
import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { asTensor, type FloatArray, isFloatArray, type Precision, precisionOf, type TensorLike } from '../core/tensor.js';
import { cholesky } from '../kernels/cholesky.js';
import { gemm } from '../kernels/gemm.js';
import { syrk } from '../kernels/syrk.js';
import { trsm } from '../kernels/triangular.js';
import { withArena } from '../runtime/instance.js';

/** W [rows, cols] and the damped Hessian 2XᵀX/n + λI of its output error, with its inverse, in f64. */
export interface LayerProblem {
  readonly rows: number;
  readonly cols: number;
  readonly precision: Precision;
  readonly weights: Float64Array;
  /** XᵀX/n [cols, cols]. */
  readonly moments: Float64Array;
  readonly inverse: Float64Array;
}

/** Reads weights [rows, cols] and activations [n, cols]. @throws {ShapeError | DomainError} by name */
export function readLayer(w: TensorLike, inputs: TensorLike, damping: number): LayerProblem {
  const weights = readMatrix('w', w);
  const x = readMatrix('inputs', inputs);
  const { rows, cols } = weights;
  if (x.cols !== cols) throw new ShapeError(`inputs: expected activations [n, ${cols}], got [${x.rows}, ${x.cols}]`);
  if (x.rows === 0 || rows === 0 || cols === 0)
    throw new ShapeError(`w: expected a layer and samples, got [${rows}, ${cols}] and ${x.rows}`);
  return withArena((arena) => {
    const H = arena.alloc('f64', cols * cols);
    syrk(cols, x.rows, arena.put(x.data), H, { transA: true, alpha: 1 / x.rows });
    const moments = arena.take(H);
    const diagonal = arena.view(H);
    let mean = 0;
    for (let k = 0; k < cols; k++) mean += (moments[k * cols + k] as number) / cols;
    for (let i = 0; i < cols * cols; i++) diagonal[i] = 2 * (moments[i] as number);
    // An input that is always zero has no curvature of its own and is coupled to no other: next to none lets its weights go first.
    const lambda = damping * 2 * mean;
    for (let k = 0; k < cols; k++) {
      const at = k * cols + k;
      diagonal[at] = (diagonal[at] as number) + lambda || 1e-12 * mean || 1;
    }
    const failed = cholesky(cols, H);
    if (failed >= 0) throw new DomainError(`damping: expected a value > ${damping}: the Hessian is singular at input ${failed}`);
    const U = arena.zeros('f64', cols * cols);
    const unit = arena.view(U);
    for (let k = 0; k < cols; k++) unit[k * cols + k] = 1;
    trsm(cols, cols, H, U);
    const inverse = arena.alloc('f64', cols * cols);
    gemm(cols, cols, cols, U, U, inverse, { transA: true });
    return { rows, cols, precision: weights.precision, weights: Float64Array.from(weights.data), moments, inverse: arena.take(inverse) };
  });
}

/** Σ over rows of δ (XᵀX/n) δᵀ. */
export function squaredError({ rows, cols, weights, moments }: LayerProblem, pruned: Float64Array): number {
  return withArena((arena) => {
    const delta = arena.put(weights.map((v, k) => v - (pruned[k] as number)));
    const product = arena.alloc('f64', rows * cols);
    gemm(rows, cols, cols, delta, arena.put(moments), product);
    const [a, b] = [arena.view(delta), arena.view(product)];
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
    return Math.max(sum, 0);
  });
}

function readMatrix(name: string, value: TensorLike): { data: FloatArray; rows: number; cols: number; precision: Precision } {
  const { data, shape } = asTensor(name, value);
  if (shape.length !== 2) throw new ShapeError(`${name}: expected a matrix with 2 axes, got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError(`${name}: expected float32 or float64 numbers`);
  checkFinite(name, data);
  return { data, rows: shape[0] as number, cols: shape[1] as number, precision: precisionOf(data) };
}
