import { asRecord, checkFinite, checkLength, checkOneOf, checkPositive, checkRange } from '../core/check.js';
import { Random } from '../core/random.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf } from '../core/tensor.js';
import { pow } from '../kernels/scalar.js';
import { clip, roundEven } from './fake-quantize.js';

export interface PseudoQuantizeOptions {
  /** Clipping point α > 0. */
  readonly alpha: number;
  /** b, not necessarily whole, 1.5 … 16. */
  readonly bits: number;
  /** True: −α … α with 2^b − 1 levels; false: 0 … α with 2^b (true). */
  readonly signed?: boolean;
  /** Where ν comes from: even over ±½, or the 256-bin histogram of the real rounding errors of x (histogram). */
  readonly noise?: 'histogram' | 'uniform';
  readonly seed?: number;
}

export interface PseudoQuantizeResult {
  /** x + Δν inside the range, the limit outside. */
  readonly values: FloatArray;
  /** Δ. */
  readonly step: number;
  /** From the gradient of the values, with the noise as it was drawn. */
  readonly backward: (grad: NumberArray) => { x: FloatArray; alpha: number; bits: number };
}

/**
 * Quantisation noise in place of quantisation, so that clipping point and width can be learned by true gradients:
 * Δ = α/(2^(b−1) − 1) signed, α/(2^b − 1) one-sided.
 *
 * @param x numbers
 * @param options `alpha`, `bits`, `signed` (true), `noise` (histogram), `seed` (0)
 * @returns `values`, `step`, `backward`
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Park et al. 2022 (NIPQ), arXiv:2206.00820, §3
 */
export function pseudoQuantize(x: NumberArray, options: PseudoQuantizeOptions): PseudoQuantizeResult {
  const { alpha, bits, signed = true, noise = 'histogram', seed = 0 } = asRecord('options', options, '{ alpha, bits }');
  const data = asFloats('x', x);
  checkPositive('alpha', alpha);
  checkRange('bits', bits, 1.5, 16);
  checkOneOf('noise', noise, ['histogram', 'uniform']);
  checkFinite('x', data);
  const power = pow(2, signed ? bits - 1 : bits);
  const step = alpha / (power - 1);
  const low = signed ? -alpha : 0;
  const random = new Random(seed);
  const draw = noise === 'uniform' ? () => random.uniform() - 0.5 : roundingErrors(data, step, low, alpha, random);
  const nu = Float64Array.from(data, (v) => (v > low && v < alpha ? draw() : 0));
  const values = floats(precisionOf(data), data.length);
  for (let k = 0; k < values.length; k++) values[k] = clip(data[k] as number, low, alpha) + step * (nu[k] as number);
  return {
    values,
    step,
    backward: (grad) => {
      const g = asFloats('grad', grad);
      checkLength('grad', g, data.length);
      const out = floats(precisionOf(data), data.length);
      let [byAlpha, byStep] = [0, 0];
      for (let k = 0; k < out.length; k++) {
        const v = data[k] as number;
        const slope = g[k] as number;
        if (v >= alpha) byAlpha += slope;
        else if (v <= low) byAlpha -= signed ? slope : 0;
        else {
          out[k] = slope;
          byStep += slope * (nu[k] as number);
        }
      }
      // dΔ/dα = Δ/α,  dΔ/db = −Δ·ln 2·2^p/(2^p − 1)
      return { x: out, alpha: byAlpha + (byStep * step) / alpha, bits: (-byStep * step * Math.LN2 * power) / (power - 1) };
    },
  };
}

/** Draws from the 256-bin histogram of (q(x) − x)/Δ over what is not clipped. */
function roundingErrors(x: FloatArray, step: number, low: number, high: number, random: Random): () => number {
  const counts = new Float64Array(256);
  let total = 0;
  for (let k = 0; k < x.length; k++) {
    const v = x[k] as number;
    if (v <= low || v >= high) continue;
    const ratio = v / step;
    const bin = clip(((roundEven(ratio) - ratio + 0.5) * 256) | 0, 0, 255);
    counts[bin] = (counts[bin] as number) + 1;
    total++;
  }
  for (let b = 1; b < 256; b++) counts[b] = (counts[b] as number) + (counts[b - 1] as number);
  return () => {
    const at = random.uniform() * total;
    let [from, to] = [0, 255];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((counts[middle] as number) > at) to = middle;
      else from = middle + 1;
    }
    return (from + random.uniform()) / 256 - 0.5;
  };
}
