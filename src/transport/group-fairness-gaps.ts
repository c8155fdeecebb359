import { checkFinite, checkLength, checkNotEmpty } from '../core/check.js';

export interface FairnessGaps {
  /** The groups in ascending order. */
  readonly groups: Float64Array;
  /** Samples in each group. */
  readonly counts: Int32Array;
  /** Share of right predictions in each group. */
  readonly hitRate: Float64Array;
  /** Mean over the classes a group has of its recall. */
  readonly recall: Float64Array;
  /** Largest minus smallest value over the groups. */
  readonly hitRateGap: number;
  readonly recallGap: number;
}

/**
 * How much worse a classifier serves one group than another: hit rate and mean class recall by group, and their gaps.
 *
 * @param predictions [n] class indices; @param labels [n] true ones; @param groups [n] any number that names the group of a sample
 * @returns `groups`, `counts`, `hitRate`, `recall` by group, `hitRateGap`, `recallGap`
 * @throws {ShapeError} when lengths differ or nothing is given; {DomainError} on NaN or infinity
 * @see Goyal et al. 2022, arXiv:2202.08360
 */
export function groupFairnessGaps(predictions: ArrayLike<number>, labels: ArrayLike<number>, groups: ArrayLike<number>): FairnessGaps {
  checkNotEmpty('predictions', predictions);
  checkLength('labels', labels, predictions.length);
  checkLength('groups', groups, predictions.length);
  for (const [name, given] of Object.entries({ predictions, labels, groups })) checkFinite(name, given);
  const names = [...new Set(Array.from(groups))].sort((p, q) => p - q);
  const counts = new Int32Array(names.length);
  const hitRate = new Float64Array(names.length);
  const recall = new Float64Array(names.length);
  for (const [at, name] of names.entries()) {
    const classes = new Map<number, { seen: number; hit: number }>();
    for (let i = 0; i < labels.length; i++) {
      if (groups[i] !== name) continue;
      const entry = classes.get(labels[i]!) ?? { seen: 0, hit: 0 };
      entry.seen++;
      if (predictions[i] === labels[i]) entry.hit++;
      classes.set(labels[i]!, entry);
    }
    let hits = 0;
    for (const { seen, hit } of classes.values()) {
      counts[at]! += seen;
      hits += hit;
      recall[at]! += hit / seen / classes.size;
    }
    hitRate[at] = hits / counts[at]!;
  }
  const gap = (values: Float64Array) => values.reduce((top, x) => Math.max(top, x)) - values.reduce((low, x) => Math.min(low, x));
  return { groups: Float64Array.from(names), counts, hitRate, recall, hitRateGap: gap(hitRate), recallGap: gap(recall) };
}
