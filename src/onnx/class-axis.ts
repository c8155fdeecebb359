import { GraphError } from '../core/errors.js';

/** The axis of classes: the last one, or axis 1 of images. @throws {GraphError} when logits have another number of axes than 2, 3 or 4 */
export function classAxis(rank: number, logits: string): number {
  if (rank < 2 || rank > 4) throw new GraphError(`${logits}: expected logits [n, k], [n, t, k] or [n, k, h, w], got ${rank} axes`);
  return rank === 4 ? 1 : rank - 1;
}
