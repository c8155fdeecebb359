// Means over batches of what loss graphs return.
import { DomainError } from '../core/errors.js';
import { type FloatArray, floats, type Precision, type Tensor } from '../core/tensor.js';

/** Means over batches in f64, each batch with its weight. What a single batch gives is returned as it is. */
export class Means {
  readonly #precision: Precision;
  #only: FloatArray | undefined;
  #sums: Float64Array | undefined;
  #loss = 0;
  #weight = 0;

  constructor(precision: Precision) {
    this.#precision = precision;
  }

  /** Adds the mean loss and the mean vector of a batch (or none) with its weight; a batch without weight counts nowhere. */
  add(weight: number, loss: number, vector?: FloatArray): void {
    if (weight === 0) return;
    if (vector && this.#weight === 0) this.#only = vector;
    else if (vector) {
      this.#sums ??= Float64Array.from(this.#only as FloatArray, (x) => x * this.#weight);
      for (let i = 0; i < vector.length; i++) this.#sums[i] = (this.#sums[i] as number) + (vector[i] as number) * weight;
    }
    this.#weight += weight;
    this.#loss += loss * weight;
  }

  /** The sum of weights. */
  get weight(): number {
    return this.#weight;
  }

  /** The mean loss. @throws {DomainError} when nothing had weight */
  loss(): number {
    if (this.#weight === 0) throw new DomainError('data: expected at least one sample with weight, got none');
    return this.#loss / this.#weight;
  }

  /** The mean vector. @throws {DomainError} when nothing had weight */
  vector(): FloatArray {
    this.loss();
    return this.#over(this.#weight);
  }

  /** The sum of vectors that were added with weight 1. */
  total(): FloatArray {
    return this.#over(1);
  }

  #over(divisor: number): FloatArray {
    if (!this.#sums) return this.#only as FloatArray;
    const out = floats(this.#precision, this.#sums.length);
    for (let i = 0; i < out.length; i++) out[i] = (this.#sums[i] as number) / divisor;
    return out;
  }
}

/** The number a scalar tensor holds. */
export function first(tensor: Tensor | undefined): number {
  return Number(tensor?.data[0]);
}
