import { asRecord, checkInteger, checkLength, checkNonNegative } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { square } from '../core/square.js';
import { asFloats, type FloatArray, floats, type TensorLike } from '../core/tensor.js';
import { argsort } from './argsort.js';
import { readScores } from './mutual-choice.js';
import { readRows, type ShapedArray, shape } from './rows.js';
import { topK } from './top-k.js';

export interface AuxZipfInput {
  /** What the autoencoder has not explained, x − x̂ [tokens, d]; a constant of the loss. */
  residual: TensorLike;
  /** Scores of all features before the choice [tokens, features]. */
  scores: TensorLike;
  /** Direction of every feature [features, d]. */
  decoder: TensorLike;
  /** How often each feature was used lately [features], ≥ 0. */
  usage: ArrayLike<number>;
  /** How often the most, second most, … used feature should be [features], in the unit of usage (see `zipfCounts`). */
  expected: ArrayLike<number>;
}

export interface AuxZipfOptions {
  /** A feature is dying when its usage is below this share of what is expected at its rank (0.5). */
  below?: number;
  /** Dying features that each token uses (half of d, or all dying ones when there are fewer). */
  k?: number;
}

export interface AuxZipfResult {
  readonly value: number;
  /** [tokens, features] */
  readonly scoresGrad: ShapedArray;
  /** [features, d] */
  readonly decoderGrad: ShapedArray;
  /** Features that took part, by index. */
  readonly dying: Int32Array;
}

/**
 * Auxiliary loss that revives features used less than a Zipf law expects: they alone reconstruct the residual.
 *   value = Σ ‖residual − Σ_f max(score_f, 0)·decoder_f‖² / (tokens·d), f over each token's k highest-scoring dying features
 * The r-th most used feature is dying when its usage is below `below` times expected[r]. Without such features all results are 0.
 *
 * @param input `residual` [tokens, d], `scores` [tokens, features], `decoder` [features, d], `usage` and `expected` [features]
 * @param options `below` (0.5), `k` (⌈d/2⌉); the choice of features is constant in the gradients, and the coefficient is the caller's
 * @returns `value`, `scoresGrad`, `decoderGrad`, `dying`
 * @throws {ShapeError} when shapes do not fit; {DomainError} for numbers that are not finite, usage, expected or below < 0, k < 1
 * @see Ayonrinde 2024, arXiv:2411.02124, §3: which features count as dying, and how many take part, are the options'
 */
export function auxZipfLoss(input: AuxZipfInput, options: AuxZipfOptions = {}): AuxZipfResult {
  const { residual, scores, decoder, usage, expected } = asRecord('input', input, '{ residual, scores, decoder, usage, expected }');
  const { below = 0.5, k } = asRecord('options', options);
  const { data: z, extents } = readScores(scores);
  const [tokens, features] = extents;
  const { data: target, lead, n: d, precision } = readRows('residual', residual);
  expectMatrix('residual', lead, tokens, d);
  const directions = readRows('decoder', decoder);
  expectMatrix('decoder', directions.lead, features, directions.n);
  if (directions.n !== d) throw new ShapeError(`decoder: expected rows of ${d} elements as in residual, got ${directions.n}`);
  const used = readCounts('usage', usage, features);
  const wanted = readCounts('expected', expected, features);
  checkNonNegative('below', below);
  if (k !== undefined) checkInteger('k', k, 1);

  const order = argsort(used, { direction: 'descending' });
  const dying = order.filter((f, r) => (used[f] as number) < below * (wanted[r] as number)).sort();
  const scoresGrad = floats(precision, z.length);
  const decoderGrad = floats(precision, directions.data.length);
  const result = { scoresGrad: shape(scoresGrad, extents), decoderGrad: shape(decoderGrad, [features, d]), dying };
  if (dying.length === 0) return { value: 0, ...result };

  const each = Math.min(k ?? Math.ceil(d / 2), dying.length);
  const candidates = floats(precision, tokens * dying.length);
  candidates.forEach((_, at) => {
    candidates[at] = z[Math.floor(at / dying.length) * features + (dying[at % dying.length] as number)] as number;
  });
  const { indices } = topK({ data: candidates, shape: [tokens, dying.length] }, { k: each });
  const error = new Float64Array(d);
  let value = 0;
  for (let t = 0; t < tokens; t++) {
    const active = Array.from(indices.subarray(t * each, (t + 1) * each), (at) => dying[at] as number).filter(
      (f) => (z[t * features + f] as number) > 0,
    );
    value += errorOf(error, target.subarray(t * d, (t + 1) * d), active, z.subarray(t * features, (t + 1) * features), directions.data);
    for (const f of active) {
      const score = z[t * features + f] as number;
      let slope = 0;
      for (let j = 0; j < d; j++) {
        const rate = (-2 * (error[j] as number)) / (tokens * d);
        slope += rate * (directions.data[f * d + j] as number);
        decoderGrad[f * d + j] = (decoderGrad[f * d + j] as number) + rate * score;
      }
      scoresGrad[t * features + f] = slope;
    }
  }
  return { value: value / (tokens * d), ...result };
}

/** error = target − Σ score·direction over the active features; returns its square. */
function errorOf(error: Float64Array, target: FloatArray, active: number[], scores: FloatArray, directions: FloatArray): number {
  const d = error.length;
  error.set(target);
  for (const f of active) {
    for (let j = 0; j < d; j++) error[j] = (error[j] as number) - (scores[f] as number) * (directions[f * d + j] as number);
  }
  return error.reduce((sum, v) => sum + square(v), 0);
}

function expectMatrix(name: string, lead: readonly number[], rows: number, cols: number): void {
  if (lead.length !== 1 || lead[0] !== rows)
    throw new ShapeError(`${name}: expected shape [${rows}, d], got [${[...lead, cols].join(', ')}]`);
}

function readCounts(name: string, values: ArrayLike<number>, length: number): FloatArray {
  checkLength(name, values, length);
  const counts = asFloats(name, values);
  for (const count of counts) checkNonNegative(name, count);
  return counts;
}
