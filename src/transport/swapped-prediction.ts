// Online cluster assignments by equal-share transport, and the loss that predicts one view's from the other (SwAV).
import { asRecord, checkInteger, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { type FloatArray, floats, precisionOf } from '../core/tensor.js';
import { log } from '../kernels/scalar.js';
import { softmaxRows } from '../kernels/softmax-rows.js';
import { withArena } from '../runtime/instance.js';
import { asPlan, type Plan } from './plan.js';
import { type Matrix, readMatrix } from './problem.js';
import { sinkhorn } from './sinkhorn.js';
import { transpose } from './source.js';

export interface CodeOptions {
  /** Entropic strength, in units of the scores (0.05). */
  readonly epsilon?: number;
  /** Prototype and sample normalisations, in pairs (3); the samples' rows are exact after every pair. */
  readonly iterations?: number;
}

/**
 * SwAV codes: soft assignments of B samples to K prototypes with equal shares, Q = diag(u) exp(scores/ε) diag(v) after a few Sinkhorn
 * iterations, rows summing to 1.
 *
 * @param scores [B, K] similarities of samples and prototypes
 * @param options `epsilon` (0.05), `iterations` (3)
 * @returns codes [B, K] in the precision of the scores
 * @throws {ShapeError} when scores is no matrix; {DomainError} for NaN, or epsilon ≤ 0
 * @see Caron et al. 2020, arXiv:2006.09882, §3.1
 */
export function swavCodes(scores: Matrix, options: CodeOptions = {}): Plan {
  const { epsilon = 0.05, iterations = 3 } = asRecord('options', options);
  checkPositive('epsilon', epsilon);
  checkInteger('iterations', iterations, 1);
  const { data, rows: B, cols: K } = readMatrix('scores', scores);
  const cost = { data: transpose(data, B, K).map((s) => -s) as FloatArray, shape: [K, B] };
  let [low, high] = [Infinity, -Infinity];
  for (const s of data) {
    low = Math.min(low, s);
    high = Math.max(high, s);
  }
  // Prototypes are the rows: they are normalised first, samples last. No tolerance is ever met: exactly these iterations, from scalings of 1,
  // in logarithms where these would leave the range of exponentials.
  const ones = { f: new Float64Array(K), g: new Float64Array(B) };
  const domain = high - low > 25 * epsilon ? ({ method: 'log', warmStart: ones } as const) : ({ method: 'scaling' } as const);
  const plan = sinkhorn({ cost }, { epsilon, maxIterations: iterations, tolerance: 0, ...domain }).plan();
  const codes = transpose(plan as FloatArray, K, B);
  return asPlan(codes.map((q) => q * B) as FloatArray, B, K);
}

export interface SwappedPredictionResult {
  /** −½ mean over samples of Σ_k q₂ log softmax(scores₁/τ) + q₁ log softmax(scores₂/τ) */
  readonly value: number;
  /** [B, K] with respect to the scores of each view, codes held fixed. */
  readonly grad: readonly [FloatArray, FloatArray];
  readonly codes: readonly [Plan, Plan];
}

/**
 * Swapped prediction: each view predicts the codes of the other. No gradient flows through the codes.
 *
 * @param first [B, K] @param second [B, K] scores of two views of the same samples
 * @param options `temperature` τ (0.1), and those of `swavCodes`
 * @returns `value`, `grad` and `codes` of both views
 * @throws {ShapeError} when the shapes differ; {DomainError} for NaN, or a temperature ≤ 0
 * @see Caron et al. 2020, arXiv:2006.09882, §3.1
 */
export function swappedPrediction(
  first: Matrix,
  second: Matrix,
  options: CodeOptions & { readonly temperature?: number } = {},
): SwappedPredictionResult {
  const { temperature = 0.1, ...rest } = asRecord('options', options);
  checkPositive('temperature', temperature);
  const [one, two] = [readMatrix('first', first), readMatrix('second', second)];
  const { rows: B, cols: K } = one;
  if (two.rows !== B || two.cols !== K) throw new ShapeError(`second: expected shape [${B}, ${K}], got [${two.rows}, ${two.cols}]`);
  const shaped = (m: typeof one) => ({ data: m.data, shape: [m.rows, m.cols] });
  const codes = [swavCodes(shaped(one), rest), swavCodes(shaped(two), rest)] as const;
  const side = (scores: FloatArray, q: FloatArray): [number, FloatArray] => {
    const p = withArena((arena) => {
      const x = arena.put(scores.map((s) => s / temperature) as FloatArray);
      softmaxRows(x, x, B, K);
      return arena.take<'f32' | 'f64'>(x);
    });
    const grad = floats(precisionOf(scores), B * K);
    let value = 0;
    for (let i = 0; i < B; i++) {
      let mass = 0;
      for (let k = i * K; k < (i + 1) * K; k++) {
        mass += q[k]!;
        if (q[k]! > 0) value -= q[k]! * log(Math.max(p[k]!, Number.MIN_VALUE));
      }
      for (let k = i * K; k < (i + 1) * K; k++) grad[k] = (mass * p[k]! - q[k]!) / (2 * B * temperature);
    }
    return [value / (2 * B), grad];
  };
  const [left, gradOne] = side(one.data, codes[1]);
  const [right, gradTwo] = side(two.data, codes[0]);
  return { value: left + right, grad: [gradOne, gradTwo], codes };
}
