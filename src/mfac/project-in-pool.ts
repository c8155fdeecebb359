// The joint update of the kept weights on a pool of threads: by pieces where a block is wide, else block by block.
import type { FloatArray } from '../core/tensor.js';
import { Instance, withArena } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import { movable, task } from '../threads/task.js';
import type { FisherBlock, PlainBlock } from './fisher-block.js';
import { GramBlock } from './gram-block.js';
import { addProjection, type ProjectionSums, projectPiece, prunedPart } from './gram-projection.js';
import { restoreBlock } from './restore-block.js';

/** One piece of U, its removed weights and its part of the mask. */
interface Piece {
  readonly data: FloatArray;
  readonly rows: number;
  readonly pruned: Float64Array;
  readonly mask: Uint8Array;
}

/** The sums over one piece, which comes back with them. */
export const projectPieceTask = task('mfac-project-piece', ({ data, rows, pruned, mask }: Piece) =>
  withArena((arena) => {
    const u = arena.alloc('f64', data.length);
    arena.view(u).set(data);
    return { data, sums: projectPiece(arena, u, rows, pruned, mask) };
  }),
);

/** A whole block. */
export const projectBlockTask = task(
  'mfac-project-block',
  ({ parts, weights, mask }: { parts: PlainBlock; weights: FloatArray; mask: Uint8Array }): Float64Array =>
    restoreBlock(new Instance(), parts, 2 ** 31).project(weights, mask),
);

/** A block's part of weights and mask. */
export interface Projection {
  readonly block: FisherBlock;
  readonly weights: FloatArray;
  readonly mask: Uint8Array;
}

/** `block.project(weights, mask)` of every entry, in order. @throws {AbortError} */
export async function projectInPool(pool: ThreadPool, projections: readonly Projection[], signal?: AbortSignal): Promise<Float64Array[]> {
  const found: Float64Array[] = [];
  const small: Projection[] = [];
  const { buffers } = pool;
  for (const [index, { block, weights, mask }] of projections.entries()) {
    const spans = block instanceof GramBlock ? block.whitened.spans() : [];
    if (!(block instanceof GramBlock) || spans.length < 2) {
      small.push({ block, weights, mask });
      continue;
    }
    const { whitened } = block;
    const sums = block.startProjection();
    function* pieces(): Generator<Piece> {
      for (const [start, width] of spans) {
        const [pruned, part] = prunedPart(weights, mask, start, width);
        const data = buffers.take(whitened.precision, whitened.rows * width);
        yield { data: whitened.piece(start, width, data), rows: whitened.rows, pruned, mask: part };
      }
    }
    const add = (part: { data: FloatArray; sums: ProjectionSums }): void => {
      addProjection(sums, part.sums);
      buffers.give(part.data);
    };
    await pool.map(projectPieceTask, pieces(), add, { signal, move: movable });
    found[index] = block.finishProjection(sums, weights, mask);
  }
  function* blocks() {
    for (const { block, weights, mask } of small) yield { parts: block.parts(), weights, mask };
  }
  const places = projections.map((_, index) => index).filter((index) => found[index] === undefined);
  await pool.map(projectBlockTask, blocks(), (change, i) => (found[places[i] as number] = change), { signal });
  return found;
}
