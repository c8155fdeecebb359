// The factorisation in a memory that all threads see: gradients are written once, to where U will lie, and threads work on them there.
// Same pieces, same order of sums, same bits as elsewhere.
import { checkAborted } from '../core/batches.js';
import { DomainError } from '../core/errors.js';
import type { Precision } from '../core/tensor.js';
import { syrk } from '../kernels/syrk.js';
import { type F64, type Real, slice } from '../runtime/arena.js';
import { instance, withArena } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import type { PoolMemory } from '../threads/shared-memory.js';
import { taskInPlace } from '../threads/task.js';
import {
  addTo,
  diagonalOf,
  type FactorizeOptions,
  factorGram,
  factorize,
  gramTries,
  leverageOfGram,
  type Panel,
  packed,
  triangle,
  whitenPanel,
} from './factorize.js';
import type { FisherBlock } from './fisher-block.js';
import type { GradientRows } from './gradient-rows.js';
import { GramBlock } from './gram-block.js';
import { Whitened } from './whitened.js';

interface Piece {
  readonly panel: Panel;
  readonly rows: number;
  readonly count: number;
}

/** G Gᵀ of one piece in its place, to `sum`, from products in f32 or f64. */
export const gramInPlaceTask = taskInPlace(
  'mfac-gram-in-place',
  ({ panel: { block, stride }, rows, count, sum, form }: Piece & { sum: F64; form: Precision }): void =>
    withArena((arena) => {
      if (form === 'float32' || block.type === 'f64') return syrk(rows, count, block, sum, { lda: stride });
      const wide = arena.alloc('f64', rows * count);
      const [from, to] = [arena.view(block), arena.view(wide)];
      for (let i = 0; i < rows; i++) to.set(from.subarray(i * stride, i * stride + count), i * count);
      syrk(rows, count, wide, sum);
    }),
);

/** L⁻¹G of one piece in the place of G, and its squared column norms. */
export const whitenInPlaceTask = taskInPlace(
  'mfac-whiten-in-place',
  ({ panel, rows, count, L, norms }: Piece & { L: Real; norms: F64 }): void => whitenPanel(rows, count, panel, L, norms),
);

/** Blocks of gradients side by side, each [rows, width], factorised one after the other; U takes their place. */
export const blocksInPlaceTask = taskInPlace(
  'mfac-blocks-in-place',
  ({ blocks, rows: m, options }: { blocks: readonly Real[]; rows: number; options: FactorizeOptions }) =>
    blocks.map((place) =>
      withArena((arena) => {
        const width = place.length / m;
        const precision: Precision = place.type === 'f32' ? 'float32' : 'float64';
        const given = arena.real(precision, place.length);
        const source = arena.view(given);
        source.set(arena.view(place));
        const rows = Array.from({ length: m }, (_, i) => source.subarray(i * width, (i + 1) * width));
        const steps = factorize(instance(), { rows, size: width, precision, owned: false }, 0, width, options, place);
        let next = steps.next();
        while (!next.done) next = steps.next();
        const { factor, diagonal } = next.value as GramBlock;
        return { factor, diagonal };
      }),
    ),
);

/** What both forms of work need. */
export interface InPlace {
  readonly pool: ThreadPool;
  readonly memory: PoolMemory;
  readonly gradients: GradientRows;
  readonly options: FactorizeOptions;
  readonly signal: AbortSignal | undefined;
}

/** One block by pieces of its columns, in U, which lies in the memory; as `factorize`. */
export async function wideInPlace(
  { pool, memory, gradients, options: { damping }, signal }: InPlace,
  u: Whitened,
  start: number,
  report: (share: number) => void,
): Promise<FisherBlock> {
  const { precision } = gradients;
  const { instance: own } = memory;
  const { arena } = own;
  const [m, width] = [u.rows, u.width];
  const source = gradients.rows.map((row) => row.subarray(start, start + width));
  const spans = u.spans();
  const run = { memory, ...(signal && { signal }) };
  const mark = arena.mark();
  for (const form of gramTries(precision, false)) {
    const sums = Array.from({ length: Math.min(pool.inFlight, spans.length) }, () => arena.alloc('f64', m * m));
    const sumOf = (i: number): F64 => sums[i % sums.length] as F64;
    function* pieces(fresh: boolean): Generator<Piece> {
      for (const [from, count] of spans) {
        if (fresh) u.fill(source, from, count);
        yield { panel: u.panel(arena, from, count), rows: m, count };
      }
    }
    function* grams(): Generator<Piece & { sum: F64; form: Precision }> {
      let i = 0;
      for (const piece of pieces(true)) yield { ...piece, sum: sumOf(i++), form };
    }
    const K = new Float64Array(m * m);
    const add = (_: unknown, i: number): void => {
      addTo(K, arena.view(sumOf(i)));
      report((0.5 * (i + 1)) / spans.length);
    };
    await pool.map(gramInPlaceTask, grams(), add, run);
    checkAborted(signal);
    const last = form === 'float64';
    const factor = own.run((inner) => factorGram(inner, K, m, damping, source, last));
    if (factor) {
      const L = triangle(arena, factor, precision);
      const norms = arena.alloc('f64', width);
      const normsOf = ([from, count]: [number, number]): F64 => slice<'f64'>(norms, from, count);
      const diagonal = new Float64Array(width);
      let highest = 0;
      function* whitening(): Generator<Piece & { L: Real; norms: F64 }> {
        let i = 0;
        for (const piece of pieces(false)) yield { ...piece, L: L.own, norms: normsOf(spans[i++] as [number, number]) };
      }
      const keep = (_: unknown, i: number): void => {
        const [from, count] = spans[i] as [number, number];
        const rows = source.map((row) => row.subarray(from, from + count));
        const found = own.run((inner) => diagonalOf(inner, inner.take(normsOf([from, count])), rows, L.exact, damping));
        diagonal.set(found.diagonal, from);
        highest = Math.max(highest, found.highest);
        report(0.5 + (0.5 * (i + 1)) / spans.length);
      };
      await pool.map(whitenInPlaceTask, whitening(), keep, run);
      if (last || highest <= leverageOfGram) {
        arena.release(mark);
        return new GramBlock(own, { start, damping, precision, whitened: u, factor: packed(factor, m), diagonal });
      }
    }
    arena.release(mark);
  }
  throw new DomainError('damping: expected a larger value');
}

/** Groups of small blocks, `step` coordinates each, from each of `starts` on to `group` coordinates further. */
export async function blocksInPlace(
  { pool, memory, gradients, options, signal }: InPlace,
  starts: readonly number[],
  group: number,
  step: number,
  keep: (block: FisherBlock) => void,
): Promise<void> {
  const { rows, size, precision } = gradients;
  const m = rows.length;
  const made: { start: number; u: Whitened }[][] = [];
  function* groups(): Generator<{ blocks: readonly Real[]; rows: number; options: FactorizeOptions }> {
    for (const first of starts) {
      const blocks: { start: number; u: Whitened }[] = [];
      const places: Real[] = [];
      for (let start = first; start < Math.min(size, first + group); start += step) {
        const u = new Whitened(memory.instance, precision, m, Math.min(step, size - start), Infinity);
        u.fill(
          rows.map((row) => row.subarray(start)),
          0,
          u.width,
        );
        blocks.push({ start, u });
        places.push(u.panel(memory.instance.arena, 0, u.width).block);
      }
      made.push(blocks);
      yield { blocks: places, rows: m, options };
    }
  }
  const take = (found: readonly { factor: Float64Array; diagonal: Float64Array }[], index: number): void => {
    for (const [i, { start, u }] of (made[index] as { start: number; u: Whitened }[]).entries()) {
      const { factor, diagonal } = found[i] as { factor: Float64Array; diagonal: Float64Array };
      keep(new GramBlock(memory.instance, { start, damping: options.damping, precision, whitened: u, factor, diagonal }));
    }
  };
  await pool.map(blocksInPlaceTask, groups(), take, { memory, ...(signal && { signal }) });
}
