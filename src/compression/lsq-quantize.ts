import { asRecord, checkFinite, checkInteger, checkLength, checkPositive } from '../core/check.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf } from '../core/tensor.js';
import { clip, roundEven } from './fake-quantize.js';

export interface LsqQuantizeOptions {
  /** The step s. */
  readonly scale: number;
  /** 2 … 16 (8). */
  readonly bits?: number;
  /** False for data ≥ 0, as after relu (true). */
  readonly signed?: boolean;
}

export interface LsqQuantizeResult {
  /** s·clip(round(x/s), −Qn, Qp). */
  readonly values: FloatArray;
  /** From the gradient of the values: straight through inside the range for x; for the scale Σ g·∂x̂/∂s, divided by √(N·Qp). */
  readonly backward: (grad: NumberArray) => { x: FloatArray; scale: number };
}

/**
 * Quantisation with a learned step (LSQ): ∂x̂/∂s = round(x/s) − x/s inside the range, −Qn or Qp outside; the gradient of the step is scaled by
 * 1/√(N·Qp), so that it moves as fast as the weights do.
 *
 * @param x numbers
 * @param options `scale` s > 0, `bits` (8), `signed` (true: −2^(b−1) … 2^(b−1) − 1; false: 0 … 2^b − 1)
 * @returns `values`, `backward`
 * @throws {ShapeError | DomainError} when lengths differ or a value is out of range
 * @see Esser et al. 2020, arXiv:1902.08153, eq. 3–5; used with SAM-type terms by GAQAT
 */
export function lsqQuantize(x: NumberArray, options: LsqQuantizeOptions): LsqQuantizeResult {
  const { scale: s, bits = 8, signed = true } = asRecord('options', options, '{ scale }');
  const data = asFloats('x', x);
  checkPositive('scale', s);
  checkInteger('bits', bits, 2, 16);
  checkFinite('x', data);
  const [low, high] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  const level = (v: number): number => clip(roundEven(v / s), low, high);
  const values = floats(precisionOf(data), data.length);
  for (let k = 0; k < values.length; k++) values[k] = s * level(data[k] as number);
  return {
    values,
    backward: (grad) => {
      const g = asFloats('grad', grad);
      checkLength('grad', g, data.length);
      const out = floats(precisionOf(data), data.length);
      let sum = 0;
      for (let k = 0; k < out.length; k++) {
        const ratio = (data[k] as number) / s;
        const inside = ratio > low && ratio < high;
        if (inside) out[k] = g[k] as number;
        sum += (g[k] as number) * (inside ? roundEven(ratio) - ratio : level(data[k] as number));
      }
      return { x: out, scale: sum / Math.sqrt(data.length * high || 1) };
    },
  };
}
