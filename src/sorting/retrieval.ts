// Scores of queries against candidates and which of them are relevant: what the two retrieval losses share.
import { checkArray, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { FloatArray } from '../core/tensor.js';
import { type Rows, type RowsOf, readRows, type Shaped } from './rows.js';

/** 1 (or any number that is not 0) where a candidate is relevant, in the form of the scores. */
export type Positives = ArrayLike<number> | { readonly data: ArrayLike<number> };

export interface RetrievalLoss<X> {
  /** Mean over rows of the sum over the positives of a row. */
  readonly value: number;
  readonly grad: Shaped<X>;
  readonly perSample: FloatArray;
}

/** @throws {ShapeError} when sizes differ; {DomainError} when a row has no positive */
export function readRetrieval(scores: Rows, positives: Positives): { input: RowsOf<FloatArray>; relevant: (index: number) => boolean } {
  const input = readRows('scores', scores);
  const mask = (positives as { readonly data?: ArrayLike<number> } | null)?.data ?? (positives as ArrayLike<number>);
  checkArray('positives', mask);
  checkLength('positives', mask, input.data.length);
  for (let row = 0; row < input.rows; row++) {
    let any = false;
    for (let j = row * input.n; j < (row + 1) * input.n; j++) any ||= mask[j] !== 0;
    if (!any) throw new DomainError(`positives: expected at least one in every row, got none in row ${row}`);
  }
  return { input, relevant: (index) => mask[index] !== 0 };
}
