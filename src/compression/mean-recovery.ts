import { asRecord, checkInteger, checkRange } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf } from '../core/tensor.js';
import { tanh } from '../kernels/scalar.js';
import { copyOf, type PruneOptions, type PruneResult, readPruneInput } from './prune-input.js';
import { maskSmallest } from './smallest.js';

export interface BimodalPenaltyOptions {
  /** Inputs of each neuron: weights count in units of 1/√fanIn (1). */
  readonly fanIn?: number;
  /** a: weights below the barrier at tanh²(w√d) = a/2 are drawn to 0, those above away from it; in (0, 2) (1.7). */
  readonly barrier?: number;
}

/**
 * A penalty that parts weights in two: R = Σ s(a − s) with s = tanh²(w√d) has minima at w = 0 and at |w| → ∞ and a barrier between them, so
 * that a later cut by magnitude finds a gap. (A form known from ternary networks; the paper below describes the effect, not a formula.)
 *
 * @param w weights
 * @param options `fanIn` d (1), `barrier` a (1.7: most weights are drawn to 0)
 * @returns `value` and `grad`, dR/dw = 2√d (a − 2s) tanh(w√d)(1 − s)
 * @throws {DomainError} when an option is out of range
 * @see Pruning On-the-Fly: A Recoverable Pruning Method without Fine-tuning 2022, arXiv:2212.12651
 */
export function bimodalPenalty(w: NumberArray, options: BimodalPenaltyOptions = {}): { value: number; grad: FloatArray } {
  const { fanIn = 1, barrier = 1.7 } = asRecord('options', options);
  const data = asFloats('w', w);
  checkInteger('fanIn', fanIn, 1);
  checkRange('barrier', barrier, Number.MIN_VALUE, 2 - Number.EPSILON);
  const root = Math.sqrt(fanIn);
  const grad = floats(precisionOf(data), data.length);
  let value = 0;
  for (let k = 0; k < data.length; k++) {
    const t = tanh((data[k] as number) * root);
    const s = t * t;
    value += s * (barrier - s);
    grad[k] = 2 * root * (barrier - 2 * s) * t * (1 - s);
  }
  return { value, grad };
}

export interface PruneWithMeanRecoveryOptions extends PruneOptions {
  /** Weights of one neuron, side by side; its pruned ones share a mean (all). */
  readonly rowLength?: number;
}

/**
 * Magnitude pruning without a hole: the pruned weights of every neuron become their mean instead of zero, one number per neuron. Of all
 * constants it is the nearest in squares, and for inputs of equal mean it keeps the neuron's mean output exactly.
 *
 * @param w weights [rows · rowLength]
 * @param options `sparsity`, `prunable` (all), `rowLength` (one row)
 * @returns `weights`, `mask` (1 = kept), `saliency` = |w|, and `means` of the pruned weights per row
 * @throws {ShapeError | DomainError} when lengths do not fit or a value is out of range
 * @see Pruning On-the-Fly: A Recoverable Pruning Method without Fine-tuning 2022, arXiv:2212.12651
 */
export function pruneWithMeanRecovery(
  w: NumberArray,
  options: PruneWithMeanRecoveryOptions,
): PruneResult & { readonly means: Float64Array } {
  const input = readPruneInput(w, options);
  const { weights: from, prunable } = input;
  const { rowLength = Math.max(1, from.length) } = options;
  checkInteger('rowLength', rowLength, 1);
  if (from.length % rowLength) throw new ShapeError(`rowLength: expected a divisor of ${from.length}, got ${rowLength}`);
  const saliency = Float64Array.from(from, (v, k) => (prunable[k] ? Math.abs(v) : Infinity));
  const mask = maskSmallest(saliency, input.count);
  const weights = copyOf(input);
  const means = new Float64Array(from.length / rowLength);
  for (let row = 0; row < means.length; row++) {
    let [sum, count] = [0, 0];
    for (let k = row * rowLength; k < (row + 1) * rowLength; k++) {
      if (mask[k]) continue;
      sum += from[k] as number;
      count++;
    }
    means[row] = count ? sum / count : 0;
    for (let k = row * rowLength; k < (row + 1) * rowLength; k++) if (!mask[k]) weights[k] = means[row] as number;
  }
  return { weights, mask, saliency, means };
}
