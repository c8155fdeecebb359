// The numbers that an integer type with a scale and a zero point can hold, and the range that serves data best.
import { asRecord, checkFinite, checkInteger, checkOneOf, checkRange } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { asFloats, type NumberArray } from '../core/tensor.js';
import { quickSelect } from '../sorting/quick-select.js';
import { clip, roundEven } from './fake-quantize.js';

export type IntegerType = 'int8' | 'uint8';

/** x ≈ scale·(q − zeroPoint), q from low to high. */
export interface Grid {
  /** Exactly a float32. */
  readonly scale: number;
  readonly zeroPoint: number;
  readonly low: number;
  readonly high: number;
}

/** The smallest normal float32: scales below lose their digits. */
const least = 2 ** -126;

/** The grid of `bits` (2 … 8) bits in an integer type that covers [from, to] and holds 0 exactly. */
export function gridOf(from: number, to: number, type: IntegerType, symmetric: boolean, bits = 8): Grid {
  const [under, over] = [Math.min(0, from), Math.max(0, to)];
  const half = 2 ** (bits - 1);
  const base = type === 'uint8' ? half : 0;
  if (symmetric) {
    const scale = Math.fround(Math.max(-under, over) / (half - 1));
    return { scale: scale >= least ? scale : scale > 0 ? least : 1, zeroPoint: base, low: base - half + 1, high: base + half - 1 };
  }
  const scale = Math.fround((over - under) / (2 * half - 1));
  const safe = scale >= least ? scale : scale > 0 ? least : 1;
  const [low, high] = [base - half, base + half - 1];
  return { scale: safe, zeroPoint: clip(roundEven(low - under / safe), low, high), low, high };
}

/** The integer nearest to x on a grid, as ONNX QuantizeLinear rounds: ties to even, saturating. */
export function levelOf(x: number, { scale, zeroPoint, low, high }: Grid): number {
  return clip(roundEven(Math.fround(x / scale)) + zeroPoint, low, high);
}

/** Σ (x − x̂)² over x. */
export function gridError(x: ArrayLike<number>, grid: Grid): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) {
    const v = x[k] as number;
    const e = v - grid.scale * (levelOf(v, grid) - grid.zeroPoint);
    sum += e * e;
  }
  return sum;
}

export interface QuantizationRangeOptions {
  /** All of the data, all but the outermost, or what rounds with the least squared error (minmax). */
  readonly method?: 'minmax' | 'percentile' | 'mse';
  /** Share of the data inside, in percent, for percentile (99.99). */
  readonly percentile?: number;
  /** Grid that mse measures with: uint8, not symmetric, 8 bits. */
  readonly type?: IntegerType;
  readonly symmetric?: boolean;
  readonly bits?: number;
}

/** Ranges that mse tries: shares of the whole one. */
const shares = Array.from({ length: 40 }, (_, i) => 1 - i * 0.02);
/** Numbers that mse looks at. */
const watched = 32768;

/**
 * The range of numbers that a quantiser should cover. It always holds 0.
 *
 * @param x numbers seen, such as one value of a network over calibration samples
 * @param options `method` (minmax), `percentile` (99.99: equal shares are cut off at both ends of numbers of both signs), and for mse the grid: `type` (uint8), `symmetric` (false), `bits` (8)
 * @returns `low` ≤ 0 ≤ `high`
 * @throws {ShapeError | DomainError} when x is empty or not finite, or an option is out of range
 * @see Wu et al. 2020, arXiv:2004.09602, §5.1; mse: Nagel et al. 2021, arXiv:2106.08295, §3.1
 */
export function quantizationRange(x: NumberArray, options: QuantizationRangeOptions = {}): { low: number; high: number } {
  const { method = 'minmax', percentile = 99.99, type = 'uint8', symmetric = false, bits = 8 } = asRecord('options', options);
  checkOneOf('method', method, ['minmax', 'percentile', 'mse']);
  checkOneOf('type', type, ['int8', 'uint8']);
  checkRange('percentile', percentile, 50, 100);
  checkInteger('bits', bits, 2, 8);
  const data = asFloats('x', x);
  if (data.length === 0) throw new ShapeError('x: expected at least one number, got none');
  checkFinite('x', data);
  let [low, high] = [0, 0];
  for (let k = 0; k < data.length; k++) {
    const v = data[k] as number;
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (method === 'percentile') return inner(Float64Array.from(data), low, high, percentile / 100);
  if (method === 'minmax') return { low, high };
  const stride = Math.ceil(data.length / watched);
  const some = Float64Array.from({ length: Math.ceil(data.length / stride) }, (_, i) => data[i * stride] as number);
  let best = { low, high };
  let lowest = Infinity;
  for (const share of shares) {
    const error = gridError(some, gridOf(share * low, share * high, type, symmetric, bits));
    if (error < lowest) [best, lowest] = [{ low: share * low, high: share * high }, error];
  }
  return best;
}

/** The central share of data: what lies outside is cut at the ends that are not 0. */
function inner(data: Float64Array, low: number, high: number, share: number): { low: number; high: number } {
  const cut = (data.length * (1 - share)) / (low < 0 && high > 0 ? 2 : 1);
  const count = Math.floor(cut * (1 + 4 * Number.EPSILON));
  return {
    low: low < 0 ? Math.min(0, quickSelect(data, count + 1)) : 0,
    high: high > 0 ? Math.max(0, quickSelect(data, data.length - count)) : 0,
  };
}
