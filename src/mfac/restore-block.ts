// A block from its plain data.
import type { Instance } from '../runtime/instance.js';
import { CovarianceBlock } from './covariance-block.js';
import type { FisherBlock, PlainBlock } from './fisher-block.js';
import { GramBlock } from './gram-block.js';
import { Whitened } from './whitened.js';

/** The block that `parts()` came from, on another instance or thread; U stays in ordinary memory above `limit` bytes. */
export function restoreBlock(instance: Instance, parts: PlainBlock, limit: number): FisherBlock {
  if (parts.kind === 'covariance') return CovarianceBlock.from(instance, parts);
  const { start, damping, precision, rows, u, factor, diagonal } = parts;
  const width = diagonal.length;
  const whitened = new Whitened(instance, precision, rows, width, limit);
  whitened.store(u, 0, width);
  return new GramBlock(instance, { start, damping, precision, whitened, factor, diagonal });
}
