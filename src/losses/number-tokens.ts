// Distributions over the number tokens of a vocabulary: what both number-token losses are made of.
import { asRecord, checkLabels, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { asFloats, floats, type IntegerArray, type NumberArray, precisionOf, type TensorLike } from '../core/tensor.js';
import { softmaxRows } from '../kernels/softmax-rows.js';
import { withArena } from '../runtime/instance.js';
import { type LossResult, readSampleWeights, readScores } from './result.js';

export interface NumberTokenOptions {
  /** [k] the number each token stands for; NaN for a token that is no number. */
  readonly values: NumberArray;
  /** Samples with this label count for nothing. */
  readonly ignoreIndex?: number;
  /** [n] weight of each sample (1). */
  readonly weights?: NumberArray;
}

/** The loss of one sample, and its derivative by each probability up to a constant. */
export type NumberLoss = (p: Float64Array, values: Float64Array, target: number, slopes: Float64Array) => number;

/**
 * The mean over the samples whose label is a number of `loss` on the softmax restricted to the number tokens.
 * Logits of other tokens get gradient 0; samples whose label is no number count for nothing.
 */
export function overNumberTokens(
  logits: TensorLike,
  labels: IntegerArray | readonly number[],
  options: NumberTokenOptions,
  loss: NumberLoss,
): LossResult {
  const { values, ignoreIndex, weights } = asRecord('options', options, '{ values }');
  const { data, rows, cols } = readScores('logits', logits);
  checkLength('labels', labels, rows);
  checkLabels('labels', labels, cols, ignoreIndex);
  const given = asFloats('values', values ?? []);
  checkLength('values', given, cols);
  const tokens: number[] = [];
  for (let j = 0; j < cols; j++) {
    if (Math.abs(given[j]!) === Infinity)
      throw new DomainError(`values: expected numbers, or NaN for other tokens, got ${given[j]} at index ${j}`);
    if (!Number.isNaN(given[j])) tokens.push(j);
  }
  if (tokens.length === 0) throw new DomainError('values: expected at least one number token, got only NaN');
  const w = readSampleWeights(weights, rows);
  for (let i = 0; i < rows; i++) {
    const y = Number(labels[i]);
    if (y === ignoreIndex || Number.isNaN(given[y])) w[i] = 0;
  }
  const total = w.reduce((sum, v) => sum + v, 0);

  const k = tokens.length;
  const numbers = Float64Array.from(tokens, (j) => given[j]!);
  const p = withArena((arena) => {
    const scores = arena.alloc('f64', rows * k);
    const view = arena.view(scores);
    for (let i = 0; i < rows; i++) for (let t = 0; t < k; t++) view[i * k + t] = data[i * cols + tokens[t]!]!;
    softmaxRows(scores, scores, rows, k);
    return arena.take(scores);
  });
  const perSample = new Float64Array(rows);
  const grad = floats(precisionOf(data), data.length);
  const slopes = new Float64Array(k);
  let value = 0;
  for (let i = 0; i < rows; i++) {
    if (w[i] === 0) continue;
    const row = p.subarray(i * k, (i + 1) * k);
    perSample[i] = loss(row, numbers, given[Number(labels[i])]!, slopes);
    value += (w[i]! / total) * perSample[i]!;
    let mean = 0; // of the slopes under p: ∂/∂z_t = p_t (c_t − Σ p c)
    for (let t = 0; t < k; t++) mean += row[t]! * slopes[t]!;
    for (let t = 0; t < k; t++) grad[i * cols + tokens[t]!] = (w[i]! / total) * row[t]! * (slopes[t]! - mean);
  }
  return { value, grad, perSample };
}
