import { asRecord, checkInteger } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { TensorLike } from '../core/tensor.js';
import { readRows, type ShapedArray, shape } from './rows.js';
import { topK } from './top-k.js';

export interface Allocation {
  /** 1 where a token may use a feature, [tokens, features]; exactly the budget in all, ties to the lower index. */
  readonly mask: ShapedArray<Uint8Array>;
  /** Smallest score that was allocated: the fixed threshold that inference may use. */
  readonly threshold: number;
}

/**
 * Mutual choice: the `budget` largest scores of a whole batch, one threshold for all tokens and features (batch top-k).
 *
 * @param scores [tokens, features], finite
 * @param options `budget` from 1 to tokens·features
 * @returns `mask` with exactly `budget` ones, `threshold`
 * @throws {ShapeError} when scores are not a matrix; {DomainError} when the budget is out of range or a score is not finite
 * @see Ayonrinde 2024, Adaptive sparse allocation with mutual choice and feature choice sparse autoencoders, arXiv:2411.02124, §3
 */
export function mutualChoice(scores: TensorLike, options: { budget: number }): Allocation {
  const { budget } = asRecord('options', options, '{ budget }');
  const { data, extents } = readScores(scores);
  checkInteger('budget', budget, 1, data.length);
  const { values, indices } = topK(data, { k: budget });
  const mask = new Uint8Array(data.length);
  for (const index of indices) mask[index] = 1;
  return { mask: shape(mask, extents), threshold: values[budget - 1] as number };
}

/** A matrix of scores. */
export function readScores(scores: TensorLike) {
  const { data, lead, n } = readRows('scores', scores);
  if (lead.length !== 1) throw new ShapeError(`scores: expected shape [tokens, features], got [${[...lead, n].join(', ')}]`);
  return { data, extents: [lead[0] as number, n] as const };
}
