// What every loss returns, and how every loss reads its data.
import { checkFinite, checkLength } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { asFloats, asTensor, type FloatArray, floats, type NumberArray, type TensorLike } from '../core/tensor.js';

/** A loss with its gradient. */
export interface LossResult {
  /** The mean over samples; with `weights`, Σ w·loss / Σ w. */
  readonly value: number;
  /** Derivative of `value` by the first argument, in its shape and precision. */
  readonly grad: FloatArray;
  /** The loss of each sample, before weights [n]. */
  readonly perSample: Float64Array;
}

/** A matrix of scores by name: [n, k], at least one row and one column. @throws {ShapeError | DomainError} */
export function readScores(name: string, value: TensorLike): { data: FloatArray; rows: number; cols: number } {
  const { data, shape } = asTensor(name, value);
  if (shape.length < 1 || data.length === 0) throw new ShapeError(`${name}: expected [n, k] with n, k >= 1, got [${shape.join(', ')}]`);
  const numbers = asFloats(name, data);
  checkFinite(name, numbers);
  const rows = shape[0]!;
  return { data: numbers, rows, cols: numbers.length / rows };
}

/** Dense targets of the same number of elements. @throws {ShapeError | DomainError} */
export function readTargets(name: string, value: TensorLike | NumberArray, length: number): FloatArray {
  const data = asFloats(name, (value as Partial<TensorLike> | null)?.data ?? value);
  checkLength(name, data, length);
  checkFinite(name, data);
  return data;
}

/** Weights of the samples by name: 1 each when left out. @throws {ShapeError | DomainError} */
export function readSampleWeights(weights: NumberArray | undefined, rows: number): Float64Array {
  if (weights === undefined) return new Float64Array(rows).fill(1);
  const data = Float64Array.from(asFloats('weights', weights));
  checkLength('weights', data, rows);
  checkFinite('weights', data);
  return data;
}

/** The result of an elementwise loss, averaged over the k elements of each sample: `pair` gives loss and slope. */
export function elementwise(
  scores: { data: FloatArray; rows: number; cols: number },
  weights: NumberArray | undefined,
  pair: (at: number) => readonly [loss: number, slope: number],
): LossResult {
  const { data, rows, cols } = scores;
  const w = readSampleWeights(weights, rows);
  const slopes = new Float64Array(data.length);
  const perSample = new Float64Array(rows);
  for (let at = 0; at < data.length; at++) {
    const [loss, slope] = pair(at);
    perSample[Math.floor(at / cols)]! += loss / cols;
    slopes[at] = slope;
  }
  let [sum, total] = [0, 0];
  for (let i = 0; i < rows; i++) {
    sum += w[i]! * perSample[i]!;
    total += w[i]!;
  }
  const grad = floats(data.BYTES_PER_ELEMENT === 4 ? 'float32' : 'float64', data.length);
  for (let at = 0; at < data.length; at++) grad[at] = total > 0 ? (slopes[at]! * w[Math.floor(at / cols)]!) / (cols * total) : 0;
  return { value: total > 0 ? sum / total : 0, grad, perSample };
}
