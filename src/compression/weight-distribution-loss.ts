import { asRecord, checkFiniteNumber, checkLength } from '../core/check.js';
import { square } from '../core/square.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf, sizeOf } from '../core/tensor.js';
import type { Slot } from './magnitude-prune.js';
import { checkTensors } from './prune-input.js';

export interface WeightDistributionLossOptions {
  /** Tensors of the vector, each with moments of its own; one by default. */
  readonly layout?: readonly Slot[];
  /** Target of the third standardised moment (0). */
  readonly skewness?: number;
  /** Target of the fourth (1.8, that of a uniform distribution). */
  readonly kurtosis?: number;
}

/**
 * Pulls the weights of every tensor towards an even spread, which loses least under quantisation of any width:
 *   Σ over tensors of (skewness − target)² + (kurtosis − target)², moments standardised by mean and standard deviation of the tensor.
 * Tensors of equal weights have no moments and count as nothing.
 *
 * @param w weights [d]
 * @param options `layout` (one tensor), `skewness` (0), `kurtosis` (1.8)
 * @returns `value`, `grad` [d], and `skewness` and `kurtosis` of every tensor
 * @throws {ShapeError | DomainError} when the layout does not fit
 * @see Xu et al. 2023 (EQ-Net), arXiv:2308.07650, §3.2
 */
export function weightDistributionLoss(
  w: NumberArray,
  options: WeightDistributionLossOptions = {},
): { value: number; grad: FloatArray; skewness: Float64Array; kurtosis: Float64Array } {
  const data = asFloats('w', w);
  const {
    layout = [{ offset: 0, shape: [data.length] }],
    skewness: wantSkew = 0,
    kurtosis: wantKurtosis = 1.8,
  } = asRecord('options', options);
  checkFiniteNumber('skewness', wantSkew);
  checkFiniteNumber('kurtosis', wantKurtosis);
  const grad = floats(precisionOf(data), data.length);
  checkLength('w', grad, data.length);
  checkTensors(layout, data.length);
  const skewness = new Float64Array(layout.length);
  const kurtosis = new Float64Array(layout.length);
  let value = 0;
  for (const [t, { offset, shape }] of layout.entries()) {
    const n = sizeOf(shape);
    let mean = 0;
    for (let k = offset; k < offset + n; k++) mean += (data[k] as number) / n;
    const m = [0, 0, 0]; // central moments 2, 3, 4
    for (let k = offset; k < offset + n; k++) {
      const c = (data[k] as number) - mean;
      m[0]! += (c * c) / n;
      m[1]! += (c * c * c) / n;
      m[2]! += (c * c * c * c) / n;
    }
    const [m2, m3, m4] = m as [number, number, number];
    const sigma = Math.sqrt(m2);
    if (!(sigma > 0)) continue;
    const [skew, kurt] = [m3 / (m2 * sigma), m4 / (m2 * m2)];
    skewness[t] = skew;
    kurtosis[t] = kurt;
    value += square(skew - wantSkew) + square(kurt - wantKurtosis);
    // d skew / dw = 3/n·((z² − 1) − skew·z)/σ,  d kurt / dw = 4/n·((z³ − skew) − kurt·z)/σ,  z = (w − mean)/σ
    for (let k = offset; k < offset + n; k++) {
      const z = ((data[k] as number) - mean) / sigma;
      const ds = (3 * (z * z - 1 - skew * z)) / (n * sigma);
      const dk = (4 * (z * z * z - skew - kurt * z)) / (n * sigma);
      grad[k] = (grad[k] as number) + 2 * (skew - wantSkew) * ds + 2 * (kurt - wantKurtosis) * dk;
    }
  }
  return { value, grad, skewness, kurtosis };
}
