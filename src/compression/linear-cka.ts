import { checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { asTensor, isFloatArray, type TensorLike } from '../core/tensor.js';
import { gemm } from '../kernels/gemm.js';
import { withArena } from '../runtime/instance.js';

/**
 * Linear centred kernel alignment of two sets of features of the same samples: ‖YᵀX‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F) with centred columns. 1 for
 * features equal up to rotation, scale and shift; near 0 for unrelated ones (of many samples).
 *
 * @param x features [n, p]
 * @param y features [n, q]
 * @returns a number from 0 to 1; 0 where one of them does not vary
 * @throws {ShapeError | DomainError} when sample counts differ or numbers are not finite
 * @see Kornblith et al. 2019, arXiv:1905.00414, §3; on outputs of pruned nets: Zhou et al. 2023, arXiv:2305.18383
 */
export function linearCka(x: TensorLike, y: TensorLike): number {
  const [a, b] = [centred('x', x), centred('y', y)];
  if (a.rows !== b.rows) throw new ShapeError(`y: expected ${a.rows} samples as x, got ${b.rows}`);
  const cross = squaredNorm(a, b);
  const scale = Math.sqrt(squaredNorm(a, a)) * Math.sqrt(squaredNorm(b, b));
  return scale > 0 ? Math.min(1, cross / scale) : 0;
}

interface Centred {
  readonly data: Float64Array;
  readonly rows: number;
  readonly cols: number;
}

/** What is left of equal numbers after their mean is taken off, relative to them, is rounding. */
const rounding = 1e-13;

/** Columns minus their means, over the largest size: the quotient does not change, and squares stay in range. */
function centred(name: string, value: TensorLike): Centred {
  const { data, shape } = asTensor(name, value);
  const [rows = 0, cols = 0] = shape;
  if (shape.length !== 2 || rows === 0) throw new ShapeError(`${name}: expected features [n, p], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError(`${name}: expected float32 or float64 numbers`);
  checkFinite(name, data);
  const out = Float64Array.from(data);
  const size = out.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  let top = 0;
  for (let c = 0; c < cols; c++) {
    let mean = 0;
    for (let r = 0; r < rows; r++) mean += (out[r * cols + c] as number) / rows;
    for (let r = 0; r < rows; r++) {
      const v = (out[r * cols + c] as number) - mean;
      out[r * cols + c] = v;
      top = Math.max(top, Math.abs(v));
    }
  }
  const varies = top > rounding * size;
  for (let k = 0; k < out.length; k++) out[k] = varies ? (out[k] as number) / top : 0;
  return { data: out, rows, cols };
}

/** ‖BᵀA‖²_F. */
function squaredNorm(a: Centred, b: Centred): number {
  return withArena((arena) => {
    const product = arena.alloc('f64', a.cols * b.cols);
    gemm(b.cols, a.cols, a.rows, arena.put(b.data), arena.put(a.data), product, { transA: true });
    return arena.view(product).reduce((sum, v) => sum + v * v, 0);
  });
}
