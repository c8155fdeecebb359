// The matrix product on a pool of threads: rows or columns of C, whichever are more, in one piece for each thread.
import { asRecord, checkFiniteNumber, checkMethods } from '../core/check.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { floats, precisionOf } from '../core/tensor.js';
import { type GemmOptions, gemm as multiply } from '../kernels/gemm.js';
import { type Real, slice } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import type { PoolMemory } from '../threads/shared-memory.js';
import { shareable, task, taskInPlace } from '../threads/task.js';
import { type Factors, product, readFactors } from './gemm.js';

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

interface Blocks {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Real;
  readonly b: Real;
  readonly c: Real;
  readonly options: GemmOptions;
}

/** One piece of a product in shared memory. */
export const gemmBlocksTask = taskInPlace('gemm-blocks', ({ m, n, k, a, b, c, options }: Blocks): void => {
  multiply(m, n, k, a, b, c, options);
});

/** Smaller products gain little or nothing: some 10 ms of work. */
const flopsWorthThreads = 4e8;

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
  const { m, n, k } = factors;
  if (!pool.takes(2 * m * n * k, flopsWorthThreads)) return product(factors, { alpha, transA, transB });
  const how = { alpha, transA: Boolean(transA), transB: Boolean(transB) };
  const data = await pool.inMemory((memory) => (memory ? inBlocks : inMessages)(factors, how, pool, signal, memory as PoolMemory));
  return { data, shape: [m, n] };
}

type How = Required<Pick<GemmOptions, 'alpha' | 'transA' | 'transB'>>;

/** The extent of C to split, in steps, and whether those are rows. */
function splitting({ m, n }: Factors, parts: number): { rowwise: boolean; extent: number; step: number; starts: number[] } {
  const rowwise = m >= n;
  const extent = rowwise ? m : n;
  const step = Math.max(8, 8 * Math.ceil(extent / parts / 8));
  const starts = Array.from({ length: m * n === 0 ? 0 : Math.ceil(extent / step) }, (_, i) => i * step);
  return { rowwise, extent, step, starts };
}

/** Factors and product lie in shared memory; what is split goes there, and comes from there, while threads work on other pieces. */
async function inBlocks(
  factors: Factors,
  how: How,
  pool: ThreadPool,
  signal: AbortSignal | undefined,
  memory: PoolMemory,
): Promise<FloatArray> {
  const { left, right, m, n, k } = factors;
  const { transA, transB } = how;
  const { arena } = memory.instance;
  const precision = precisionOf(left);
  const { rowwise, extent, step, starts } = splitting(factors, 2 * pool.threads);
  const [a, b, c] = [arena.real(precision, m * k), arena.real(precision, k * n), arena.real(precision, m * n)];
  const put = (to: Real, data: FloatArray): void => arena.view(to).set(data);
  const apart = rowwise ? !transA : transB; // the pieces of the factor that is split are contiguous
  if (rowwise) put(b, right);
  else put(a, left);
  if (!apart) put(rowwise ? a : b, rowwise ? left : right);
  const options = { ...how, lda: transA ? m : k, ldb: transB ? k : n, ldc: n };
  function* pieces(): Generator<Blocks> {
    for (const from of starts) {
      const count = Math.min(step, extent - from);
      const whole = rowwise ? a : b;
      const part = (
        apart ? slice<'f32' | 'f64'>(whole, from * k, count * k) : slice<'f32' | 'f64'>(whole, from, whole.length - from)
      ) as Real;
      if (apart) put(part, (rowwise ? left : right).subarray(from * k, (from + count) * k));
      const to = slice<'f32' | 'f64'>(c, rowwise ? from * n : from, rowwise ? count * n : c.length - from) as Real;
      yield rowwise ? { m: count, n, k, a: part, b, c: to, options } : { m, n: count, k, a, b: part, c: to, options };
    }
  }
  const data = floats(precision, m * n);
  const take = (_: unknown, index: number): void => {
    const from = starts[index] as number;
    const end = Math.min(extent, from + step);
    const found = arena.view(c);
    if (rowwise) data.set(found.subarray(from * n, end * n), from * n);
    else for (let i = 0; i < m; i++) data.set(found.subarray(i * n + from, i * n + end), i * n + from);
  };
  await pool.map(gemmBlocksTask, pieces(), take, { ...(signal && { signal }), memory });
  return data;
}

/** Pieces go to threads as copies, and results come back as such. */
async function inMessages(factors: Factors, how: How, pool: ThreadPool, signal: AbortSignal | undefined): Promise<FloatArray> {
  const { left, right, m, n, k } = factors;
  const { rowwise, extent, step, starts } = splitting(factors, pool.threads);
  const [split, whole] = rowwise ? [left, shareable(right)] : [right, shareable(left)];
  // Along the split extent an operand is cut across its rows, or, stored transposed, across its columns.
  const acrossRows = rowwise ? !how.transA : how.transB;
  function* pieces(): Generator<Piece> {
    for (const from of starts) {
      const count = Math.min(step, extent - from);
      const part = acrossRows ? split.slice(from * k, (from + count) * k) : columns(split, k, extent, from, count);
      const common = { k, ...how };
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
  return data;
}

/** Columns from … from + count − 1 of a [rows, width] matrix. */
function columns(matrix: FloatArray, rows: number, width: number, from: number, count: number): FloatArray {
  const out = floats(precisionOf(matrix), rows * count);
  for (let i = 0; i < rows; i++) out.set(matrix.subarray(i * width + from, i * width + from + count), i * count);
  return out;
}
