// The factorisation on a pool of threads: pieces of columns where a block is wide, several blocks at a time where they are small. Pieces
// and groups depend on the problem alone, and sums over pieces are added in their order, so any number of threads gives the same bits.
import { checkAborted } from '../core/batches.js';
import { DomainError } from '../core/errors.js';
import type { LongOptions } from '../core/model-types.js';
import { type FloatArray, floats, type Precision } from '../core/tensor.js';
import { syrk } from '../kernels/syrk.js';
import { Instance, withArena } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import type { PoolMemory } from '../threads/shared-memory.js';
import { Buffers, movable, shareable, task } from '../threads/task.js';
import {
  addTo,
  byCovariance,
  type FactorizeOptions,
  factorGram,
  factorize,
  gramTries,
  leverageOfGram,
  packed,
  triangle,
  whitenPiece,
} from './factorize.js';
import { blocksInPlace, wideInPlace } from './factorize-in-place.js';
import type { FisherBlock, PlainBlock } from './fisher-block.js';
import type { GradientRows } from './gradient-rows.js';
import { GramBlock } from './gram-block.js';
import { restoreBlock } from './restore-block.js';
import { pieceWidth, Whitened } from './whitened.js';

/** Columns of the gradients [rows, …], contiguous. */
interface Piece {
  readonly data: FloatArray;
  readonly rows: number;
  readonly precision: Precision;
}

/** G Gᵀ of one piece, which comes back with it. */
export const gramTask = task('mfac-gram', ({ data, rows, precision }: Piece) =>
  withArena((arena) => {
    const sum = arena.alloc('f64', rows * rows);
    syrk(rows, data.length / rows, arena.putAs(precision, data), sum);
    return { data, sum: arena.take(sum) };
  }),
);

/** L⁻¹G of one piece, and its part of the diagonal. */
export const whitenTask = task('mfac-whiten', ({ data, rows, factor, damping }: Piece & { factor: Float64Array; damping: number }) =>
  withArena((arena) => {
    const width = data.length / rows;
    const source = Array.from({ length: rows }, (_, i) => data.subarray(i * width, (i + 1) * width));
    const panel = { block: arena.put(data), stride: width };
    const found = whitenPiece(arena, panel, source, triangle(arena, factor, panel.block.type === 'f32' ? 'float32' : 'float64'), damping);
    data.set(arena.view(panel.block));
    return { ...found, data };
  }),
);

/** Small blocks side by side, each factorised on its own. */
export const blocksTask = task(
  'mfac-blocks',
  ({
    data,
    rows: m,
    precision,
    step,
    start,
    options,
  }: Piece & { step: number; start: number; options: FactorizeOptions }): PlainBlock[] => {
    const total = data.length / m;
    const rows = Array.from({ length: m }, (_, i) => data.subarray(i * total, (i + 1) * total));
    const found: PlainBlock[] = [];
    const instance = new Instance();
    for (let from = 0; from < total; from += step) {
      const steps = factorize(instance, { rows, size: total, precision, owned: true }, from, Math.min(step, total - from), options);
      let next = steps.next();
      while (!next.done) next = steps.next();
      const parts = next.value.parts();
      found.push({ ...parts, start: start + parts.start });
    }
    return found;
  },
);

/** All blocks, `step` coordinates each, on a memory of their own: one that all threads see, where there is one and they fit. */
export async function factorizeInPool(
  pool: ThreadPool,
  gradients: GradientRows,
  step: number,
  options: FactorizeOptions,
  long: LongOptions,
): Promise<FisherBlock[]> {
  const bytes = gradients.rows.length * gradients.size * (gradients.precision === 'float32' ? 4 : 8);
  const memory = bytes <= options.memoryLimit ? pool.openMemory() : undefined;
  try {
    return await blocksInPool(pool, memory, gradients, step, options, long);
  } finally {
    memory?.detach();
  }
}

async function blocksInPool(
  pool: ThreadPool,
  memory: PoolMemory | undefined,
  gradients: GradientRows,
  step: number,
  options: FactorizeOptions,
  { signal, onProgress }: LongOptions,
): Promise<FisherBlock[]> {
  const instance = memory?.instance ?? new Instance();
  const { rows, size, precision } = gradients;
  const report = (columns: number): void => onProgress?.({ done: columns / size, total: 1, phase: 'inverse Fisher' });
  const most = pieceWidth(rows.length);
  const blocks: FisherBlock[] = [];
  const wide = (width: number): boolean => width > most && !byCovariance(options.form, rows.length, width);
  const group = step * Math.max(1, Math.floor(most / 4 / step));
  const starts = Array.from({ length: Math.ceil(size / group) }, (_, i) => i * group);
  const widthAt = (start: number): number => Math.min(group, size - start);
  const small = starts.filter((start) => !wide(Math.min(step, widthAt(start))));
  /** Groups of blocks that all are of the Gram form. */
  const grams = small.filter((start) => !byCovariance(options.form, rows.length, ((widthAt(start) - 1) % step) + 1));
  const inPlace = memory ? grams : [];
  function* inputs() {
    for (const start of small) {
      if (inPlace.includes(start)) continue;
      const data = copyColumns(rows, start, widthAt(start), floats(precision, rows.length * widthAt(start)));
      yield { data, rows: rows.length, precision, step, start, options };
    }
  }
  const keep = (parts: PlainBlock[]): void => {
    for (const part of parts) blocks.push(restoreBlock(instance, part, options.memoryLimit));
    report(Math.min(size, blocks.length * step));
  };
  for (const start of starts) {
    const width = widthAt(start);
    if (!wide(Math.min(step, width))) continue;
    blocks.push(
      await wideBlock({
        pool,
        instance,
        memory,
        gradients,
        start,
        width,
        options,
        signal,
        report: (share) => report(start + share * width),
      }),
    );
  }
  if (memory && inPlace.length) {
    await blocksInPlace({ pool, memory, gradients, options, signal }, inPlace, group, step, (block) => {
      blocks.push(block);
      report(Math.min(size, blocks.length * step));
    });
  }
  await pool.map(blocksTask, inputs(), keep, { signal, move: movable });
  return blocks.sort((one, other) => one.start - other.start);
}

interface Wide {
  readonly pool: ThreadPool;
  readonly instance: Instance;
  readonly memory: PoolMemory | undefined;
  readonly gradients: GradientRows;
  readonly start: number;
  readonly width: number;
  readonly options: FactorizeOptions;
  readonly signal: AbortSignal | undefined;
  readonly report: (share: number) => void;
}

/** One block by pieces of its columns; as `factorize`. */
async function wideBlock({ pool, instance, memory, gradients, start, width, options, signal, report }: Wide): Promise<FisherBlock> {
  const { precision } = gradients;
  const m = gradients.rows.length;
  const { damping, memoryLimit, overwrite } = options;
  const source = gradients.rows.map((row) => row.subarray(start, start + width));
  const u = new Whitened(instance, precision, m, width, memoryLimit, overwrite ? source : undefined);
  if (memory && u.resident) return wideInPlace({ pool, memory, gradients, options, signal }, u, start, report);
  const spans = u.spans();
  function* pieces<E>(extra: E, form: Precision): Generator<Piece & E> {
    for (const [from, count] of spans) {
      const data = buffers.take(precision, m * count);
      yield { data: copyColumns(source, from, count, data), rows: m, precision: form, ...extra };
    }
  }
  const buffers = new Buffers();
  for (const form of gramTries(precision, overwrite && !u.resident)) {
    const K = new Float64Array(m * m);
    const add = ({ data, sum }: { data: FloatArray; sum: Float64Array }, i: number): void => {
      addTo(K, sum);
      buffers.give(data);
      report((0.5 * (i + 1)) / spans.length);
    };
    await pool.map(gramTask, pieces({}, form), add, { signal, move: movable });
    checkAborted(signal);
    const last = form === 'float64';
    const factor = instance.run((arena) => factorGram(arena, K, m, damping, source, last));
    if (!factor) continue;
    const diagonal = new Float64Array(width);
    let highest = 0;
    const keep = (piece: { diagonal: Float64Array; highest: number; data: FloatArray }, i: number): void => {
      const [from, count] = spans[i] as [number, number];
      diagonal.set(piece.diagonal, from);
      u.store(piece.data, from, count);
      buffers.give(piece.data);
      highest = Math.max(highest, piece.highest);
      report(0.5 + (0.5 * (i + 1)) / spans.length);
    };
    await pool.map(whitenTask, pieces({ factor: shareable(factor), damping }, form), keep, { signal, move: movable });
    if (last || highest <= leverageOfGram)
      return new GramBlock(instance, { start, damping, precision, whitened: u, factor: packed(factor, m), diagonal });
  }
  throw new DomainError('damping: expected a larger value');
}

/** Columns from … from + count − 1 as contiguous rows of `out`. */
function copyColumns(rows: readonly FloatArray[], from: number, count: number, out: FloatArray): FloatArray {
  for (const [i, row] of rows.entries()) out.set(row.subarray(from, from + count), i * count);
  return out;
}
