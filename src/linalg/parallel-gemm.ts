// The matrix product on a pool of threads: rows or columns of C, whichever are more, in one piece for each thread.
import { asRecord, checkFiniteNumber, checkMethods } from '../core/check.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { floats, precisionOf } from '../core/tensor.js';
import { gemm as multiply } from '../kernels/gemm.js';
import { withArena } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import { shareable, task } from '../threads/task.js';
import { product, readFactors } from './gemm.js';

interface Piece {
  readonly a: FloatArray;
  readonly b: FloatArray;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly alpha: number;
  readonly transA: boolean;
  readonly transB: boolean;
}

/** One piece of a product. */
export const gemmTask = task(
  'gemm',
  ({ a, b, m, n, k, ...options }: Piece): FloatArray =>
    withArena((arena) => {
      const precision = precisionOf(a);
      const c = arena.real(precision, m * n);
      multiply(m, n, k, arena.put(a), arena.putAs(precision, b), c, options);
      return arena.take(c);
    }),
);

/** Smaller products take less time in the calling thread than the copies to another and back: some 25 ms of work. */
const flopsWorthThreads = 1e9;

/**
 * `gemm` on a pool of threads: the same bits, whatever their number, since no sum is split. Small products stay in the calling thread.
 *
 * @param a [m, k], or [k, m] with `transA`; @param b [k, n], or [n, k] with `transB`; read in the precision of `a`
 * @param options `pool`; `alpha` (1), `transA`, `transB` (false), `signal`
 * @returns [m, n] in the precision of `a`
 * @throws {ShapeError} when the inner extents differ; {DomainError} on NaN or infinity; {AbortError}
 */
export async function parallelGemm(
  a: TensorLike,
  b: TensorLike,
  options: { pool: ThreadPool; alpha?: number; transA?: boolean; transB?: boolean; signal?: AbortSignal },
): Promise<Tensor<FloatArray>> {
  const { pool, alpha = 1, transA = false, transB = false, signal } = asRecord('options', options, '{ pool }');
  checkMethods('pool', pool, 'a ThreadPool', 'map', 'takes');
  checkFiniteNumber('alpha', alpha);
  const factors = readFactors(a, b, options);
  const { left, right, m, n, k } = factors;
  if (!pool.takes(2 * m * n * k, flopsWorthThreads)) return product(factors, { alpha, transA, transB });
  const rowwise = m >= n;
  const [split, whole] = rowwise ? [left, shareable(right)] : [right, shareable(left)];
  const extent = rowwise ? m : n;
  const step = Math.max(8, 8 * Math.ceil(extent / pool.threads / 8));
  const starts = Array.from({ length: m * n === 0 ? 0 : Math.ceil(extent / step) }, (_, i) => i * step);
  // Along the split extent an operand is cut across its rows, or, stored transposed, across its columns.
  const acrossRows = rowwise ? !transA : transB;
  function* pieces(): Generator<Piece> {
    for (const from of starts) {
      const count = Math.min(step, extent - from);
      const part = acrossRows ? split.slice(from * k, (from + count) * k) : columns(split, k, extent, from, count);
      const common = { k, alpha, transA: Boolean(transA), transB: Boolean(transB) };
      yield rowwise ? { a: part, b: whole, m: count, n, ...common } : { a: whole, b: part, m, n: count, ...common };
    }
  }
  const data = floats(precisionOf(left), m * n);
  const place = (part: FloatArray, index: number): void => {
    const from = starts[index] as number;
    if (rowwise) data.set(part, from * n);
    else for (let i = 0, count = part.length / m; i < m; i++) data.set(part.subarray(i * count, (i + 1) * count), i * n + from);
  };
  await pool.map(gemmTask, pieces(), place, { signal, move: (piece) => [rowwise ? piece.a : piece.b] });
  return { data, shape: [m, n] };
}

/** Columns from … from + count − 1 of a [rows, width] matrix. */
function columns(matrix: FloatArray, rows: number, width: number, from: number, count: number): FloatArray {
  const out = floats(precisionOf(matrix), rows * count);
  for (let i = 0; i < rows; i++) out.set(matrix.subarray(i * width + from, i * width + from + count), i * count);
  return out;
}
