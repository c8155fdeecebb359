import { asRecord, checkFinite, checkRange } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { square } from '../core/square.js';
import { asTensor, floats, isFloatArray, precisionOf, type Tensor, type TensorLike } from '../core/tensor.js';
import { checkPattern, type Pattern } from './layer-obs.js';
import { removals } from './prune-input.js';
import { maskSmallest } from './smallest.js';

export interface WandaPruneOptions {
  /** Share of every row to remove, 0 … 1; or give `pattern`. */
  readonly sparsity?: number;
  /** Keep n of every m neighbours of a row. */
  readonly pattern?: Pattern;
}

export interface WandaPruneResult {
  /** [rows, cols]: the weights that stay are as they were. */
  readonly weights: Tensor<Float32Array | Float64Array>;
  /** [rows, cols]: 1 = kept. */
  readonly mask: Uint8Array;
  /** |w_ij| √(mean_n x_nj²). */
  readonly saliency: Float64Array;
}

/**
 * Wanda: in every row of a linear layer the weights of smallest |w_ij| √(mean_n x_nj²) become zero, compared within the row only; ties by
 * index. One pass over calibration inputs, no update of the others.
 *
 * @param w weights [rows, cols] (out × in)
 * @param inputs activations that enter the layer [n, cols]
 * @param options `sparsity` or `pattern`
 * @returns `weights`, `mask` (1 = kept), `saliency`
 * @throws {ShapeError | DomainError} when shapes disagree, values are not finite, or neither or both of sparsity and pattern are given
 * @see Sun et al. 2023, arXiv:2306.11695; second stage of ECoFLaP, Sung et al. 2023, arXiv:2310.02998
 */
export function wandaPrune(w: TensorLike, inputs: TensorLike, options: WandaPruneOptions): WandaPruneResult {
  const { sparsity, pattern } = asRecord('options', options, '{ sparsity } or { pattern }');
  const weights = asTensor('w', w);
  const x = asTensor('inputs', inputs);
  const [rows = 0, cols = 0] = weights.shape;
  if (weights.shape.length !== 2) throw new ShapeError(`w: expected a matrix with 2 axes, got shape [${weights.shape.join(', ')}]`);
  if (x.shape.length !== 2 || x.shape[1] !== cols || x.shape[0] === 0)
    throw new ShapeError(`inputs: expected activations [n, ${cols}], got [${x.shape.join(', ')}]`);
  if (!isFloatArray(weights.data) || !isFloatArray(x.data)) throw new DomainError('w: expected float32 or float64 weights and inputs');
  if ((sparsity === undefined) === (pattern === undefined))
    throw new DomainError('sparsity: expected either sparsity or pattern, got both or none');
  if (sparsity !== undefined) checkRange('sparsity', sparsity, 0, 1);
  if (pattern) checkPattern(pattern);
  checkFinite('w', weights.data);
  checkFinite('inputs', x.data);

  const norms = new Float64Array(cols);
  for (let k = 0; k < x.data.length; k++) norms[k % cols] = (norms[k % cols] as number) + square(x.data[k] as number);
  const saliency = Float64Array.from(weights.data, (v, k) => Math.abs(v) * Math.sqrt((norms[k % cols] as number) / (x.shape[0] as number)));
  const mask = new Uint8Array(rows * cols);
  const width = pattern ? pattern.m : cols;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j += width) {
      const group = saliency.subarray(i * cols + j, i * cols + Math.min(j + width, cols));
      const gone = pattern ? (group.length === width ? pattern.m - pattern.n : 0) : removals(sparsity as number, cols);
      mask.set(maskSmallest(group, gone), i * cols + j);
    }
  }
  const data = floats(precisionOf(weights.data), mask.length);
  for (let k = 0; k < mask.length; k++) data[k] = mask[k] ? (weights.data[k] as number) : 0;
  return { weights: { data, shape: [rows, cols] }, mask, saliency };
}
