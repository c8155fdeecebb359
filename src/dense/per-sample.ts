// Gradients of single samples as outer products layer by layer: in slices that stay in the cache until they are copied out, in the calling
// thread or on a pool. Samples do not meet, so the bits do not depend on how rows are cut (in eights).
import { ShapeError } from '../core/errors.js';
import type { LongOptions } from '../core/model-types.js';
import { type FloatArray, floats, isShared, type Tensor } from '../core/tensor.js';
import { outerRows } from '../kernels/dense.js';
import type { Arena, Real } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import { shareable, task } from '../threads/task.js';
import { lossSeeds, type Rows } from './batch.js';
import { backward, forward, type Network, type Trace } from './passes.js';

/** Numbers of per-sample gradients formed at a time: 2 MB in f32. */
const sliceNumbers = 2 ** 19;
/** Pieces of a batch on a pool, unless they get shorter than eight rows. */
const manyPieces = 16;

/** Part of the parameter vector. */
export interface Columns {
  readonly offset: number;
  readonly length: number;
}

/** Rows of a slice. */
export function sliceRows(net: Network): number {
  return 8 * Math.max(1, Math.min(32, Math.floor(sliceNumbers / net.parameterCount / 8)));
}

/** Numbers of one sample. */
export function widthOf(columns: readonly Columns[]): number {
  return columns.reduce((sum, { length }) => sum + length, 0);
}

/** Forms J_iᵀ seed_i of the rows of a trace and copies the columns to `out`, from row `start` on. */
export function placeSamples(
  arena: Arena,
  net: Network,
  w: Real,
  trace: Trace,
  seed: Real,
  columns: readonly Columns[],
  out: FloatArray,
  start: number,
): void {
  const d = net.parameterCount;
  const block = arena.real(net.precision, trace.rows * d);
  outerProducts(arena, net, w, trace, seed, block);
  const view = arena.view(block);
  let at = start * widthOf(columns);
  if (widthOf(columns) === d) {
    out.set(view, at);
    return;
  }
  for (let i = 0; i < trace.rows; i++) {
    for (const { offset, length } of columns) {
      out.set(view.subarray(i * d + offset, i * d + offset + length), at);
      at += length;
    }
  }
}

function outerProducts(arena: Arena, net: Network, w: Real, trace: Trace, seed: Real, out: Real): void {
  const ones = arena.put(floats(net.precision, trace.rows).fill(1));
  let back = seed;
  for (let l = net.layers.length - 1; l >= 0; l--) {
    const layer = net.layers[l]!;
    const one: Trace = { rows: trace.rows, a: [trace.a[l]!, trace.a[l + 1]!], d1: [trace.d1[l]], d2: [undefined] };
    const before = backward(arena, { ...net, layers: [layer] }, w, one, back, undefined, l > 0); // leaves δ in `back`
    outerRows(back, trace.a[l]!, out, trace.rows, net.parameterCount, layer.weight);
    if (layer.bias >= 0) outerRows(back, ones, out, trace.rows, net.parameterCount, layer.bias);
    if (before) back = before;
  }
}

/** Some rows of a checked batch. */
type Part = Pick<Rows, 'count' | 'x' | 'labels' | 'targets' | 'weights'>;
interface Piece {
  readonly net: Network;
  readonly w: FloatArray;
  readonly rows: Part;
  readonly columns: readonly Columns[];
  /** The rows of the result, in shared memory; without it the task returns new ones. */
  readonly out: FloatArray | undefined;
}

/** Gradients of the losses of some rows. */
export const samplesTask = task('dense-samples', ({ net, w, rows, columns, out }: Piece): FloatArray | undefined =>
  withArena((outer) => {
    const found = out ?? floats(net.precision, rows.count * widthOf(columns));
    const parameters = outer.put(w);
    const width = net.layers[0]!.inputs;
    const step = sliceRows(net);
    for (let start = 0; start < rows.count; start += step) {
      withArena((arena) => {
        const count = Math.min(step, rows.count - start);
        const input = arena.put(rows.x.subarray(start * width, (start + count) * width));
        const trace = forward(arena, net, parameters, input, count, 1);
        placeSamples(arena, net, parameters, trace, lossSeeds(arena, net, rows, start, trace, false).delta, columns, found, start);
      });
    }
    return out ? undefined : found;
  }),
);

/** Gradients of the losses of all rows on a pool: in shared memory, unless `out` lies elsewhere or there is none. */
export async function samplesInPool(
  pool: ThreadPool,
  net: Network,
  w: FloatArray,
  rows: Rows,
  columns: readonly Columns[],
  { out, signal, onProgress }: LongOptions & { readonly out?: Tensor },
): Promise<Tensor<FloatArray>> {
  const stride = widthOf(columns);
  const outputs = net.layers.at(-1)!.outputs;
  const width = net.layers[0]!.inputs;
  const step = Math.max(8, 8 * Math.ceil(rows.count / manyPieces / 8));
  const result = (out ?? { data: shared(net, rows.count * stride), shape: [rows.count, stride] }) as Tensor<FloatArray>;
  if (result.data.length !== rows.count * stride)
    throw new ShapeError(`out: expected ${rows.count * stride} elements, got ${result.data.length}`);
  const direct = isShared(result.data.buffer);
  const parameters = shareable(w);
  function* pieces(): Generator<Piece> {
    for (let from = 0; from < rows.count; from += step) {
      const to = Math.min(rows.count, from + step);
      const part: Part = {
        count: to - from,
        x: rows.x.subarray(from * width, to * width),
        labels: rows.labels?.subarray(from, to),
        targets: rows.targets?.subarray(from * outputs, to * outputs),
        weights: rows.weights.subarray(from, to),
      };
      yield { net, w: parameters, rows: part, columns, out: direct ? result.data.subarray(from * stride, to * stride) : undefined };
    }
  }
  const total = Math.ceil(rows.count / step);
  const place = (found: FloatArray | undefined, index: number): void => {
    if (found) result.data.set(found, index * step * stride);
    onProgress?.({ done: index + 1, total });
  };
  await pool.map(samplesTask, pieces(), place, signal ? { signal } : {});
  return result;
}

function shared({ precision }: Network, length: number): FloatArray {
  if (typeof SharedArrayBuffer !== 'function') return floats(precision, length);
  return precision === 'float32'
    ? new Float32Array(new SharedArrayBuffer(4 * length) as unknown as ArrayBuffer)
    : new Float64Array(new SharedArrayBuffer(8 * length) as unknown as ArrayBuffer);
}
