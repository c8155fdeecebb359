import { asRecord, checkArray, checkFinite, checkInteger, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { asFloats, type FloatArray, floats, type NumberArray, precisionOf, sizeOf } from '../core/tensor.js';

export interface FakeQuantizeOptions {
  /** Bits of an integer, 2 … 16 (8). */
  readonly bits?: number;
  /** True: ±(2^(b−1) − 1) around zero; false: 0 … 2^b − 1 with a zero point (true). */
  readonly symmetric?: boolean;
  /** Shape of x, for one scale per slice of its first axis; one scale for all when left out. */
  readonly perChannel?: readonly number[];
  /** Scale in place of the one that just covers the data. Symmetric only. */
  readonly scale?: number;
}

export interface FakeQuantizeResult {
  /** s·(q − z), in the precision of x. */
  readonly values: FloatArray;
  /** The integers q. */
  readonly levels: Int32Array;
  /** s and z of every channel (one when per tensor). */
  readonly scale: Float64Array;
  readonly zeroPoint: Int32Array;
  /** 1 where x lay inside the range: where a straight-through gradient passes. */
  readonly inside: Uint8Array;
}

/** Adding and taking away 1.5·2⁵² rounds to the nearest integer, ties to even, as ONNX QuantizeLinear does. */
export function roundEven(x: number): number {
  return x > -2251799813685248 && x < 2251799813685248 ? x + 6755399441055744 - 6755399441055744 : x;
}

/** x between low and high. */
export function clip(x: number, low: number, high: number): number {
  return x < low ? low : Math.min(x, high);
}

/**
 * Rounds numbers to what b-bit integers with a scale can hold: x̂ = s·(clip(round(x/s) + z, qmin, qmax) − z).
 * An asymmetric range always holds 0, which is represented exactly.
 *
 * @param x numbers to quantise
 * @param options `bits` (8), `symmetric` (true), `perChannel` shape (one scale), `scale` (covers the data)
 * @returns `values`, `levels`, `scale`, `zeroPoint`, `inside`; |x̂ − x| ≤ s/2 inside the range
 * @throws {ShapeError | DomainError} when an option is out of range or x is not finite
 * @see Xu et al. 2023 (EQ-Net), arXiv:2308.07650, §3.1; Jacob et al. 2018, arXiv:1712.05877
 */
export function fakeQuantize(x: NumberArray, options: FakeQuantizeOptions = {}): FakeQuantizeResult {
  const { bits = 8, symmetric = true, perChannel } = asRecord('options', options);
  const data = asFloats('x', x);
  checkInteger('bits', bits, 2, 16);
  checkFinite('x', data);
  if (options.scale !== undefined) checkPositive('scale', options.scale);
  if (perChannel) checkArray('perChannel', perChannel);
  if (perChannel && sizeOf(perChannel) !== data.length)
    throw new ShapeError(`perChannel: expected a shape of ${data.length} elements, got [${perChannel.join(', ')}]`);
  const channels = perChannel ? (perChannel[0] ?? 1) : 1;
  const width = channels ? data.length / channels : 0;
  const [low, high] = symmetric ? [1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  const scale = new Float64Array(channels);
  const zeroPoint = new Int32Array(channels);
  const values = floats(precisionOf(data), data.length);
  const levels = new Int32Array(data.length);
  const inside = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++) {
    let [least, most] = [0, 0];
    for (let k = c * width; k < (c + 1) * width; k++) {
      const v = data[k] as number;
      if (v < least) least = v;
      if (v > most) most = v;
    }
    const s = options.scale ?? ((symmetric ? Math.max(-least, most) : most - least) / high || 1);
    const z = symmetric ? 0 : roundEven(-least / s);
    scale[c] = s;
    zeroPoint[c] = z;
    for (let k = c * width; k < (c + 1) * width; k++) {
      const q = roundEven((data[k] as number) / s) + z;
      const clipped = clip(q, low, high);
      levels[k] = clipped;
      values[k] = s * (clipped - z);
      inside[k] = q === clipped ? 1 : 0;
    }
  }
  return { values, levels, scale, zeroPoint, inside };
}
