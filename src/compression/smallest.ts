// Which entries are smallest: the choice every pruner makes, by selection instead of a sort.
import { quickSelect } from '../sorting/quick-select.js';

/**
 * A mask [n] that is 0 at the `count` smallest scores and 1 elsewhere; equal scores fall in order of their index.
 * Infinity marks what may not be chosen: count must not exceed the number of finite scores.
 */
export function maskSmallest(scores: Float64Array, count: number): Uint8Array {
  const mask = new Uint8Array(scores.length).fill(1);
  if (count === 0) return mask;
  const threshold = quickSelect(scores, count);
  let left = count;
  for (let k = 0; k < scores.length; k++) {
    if ((scores[k] as number) < threshold) {
      mask[k] = 0;
      left--;
    }
  }
  for (let k = 0; left > 0; k++) {
    if (scores[k] === threshold) {
      mask[k] = 0;
      left--;
    }
  }
  return mask;
}
