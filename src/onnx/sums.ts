// Means over batches: sums of what loss graphs return, divided by the total weight at the end.
import { DomainError } from '../core/errors.js';
import { type FloatArray, floats, type Precision, type Tensor } from '../core/tensor.js';

/** Sums over batches in f64, divided by the total weight at the end. */
export class Sums {
  readonly #precision: Precision;
  readonly #parts: Float64Array;
  #loss = 0;
  #weight = 0;

  constructor(size: number, precision: Precision) {
    this.#parts = new Float64Array(size);
    this.#precision = precision;
  }

  /** Adds the outputs `loss` and `weight` of one run. */
  add(results: Readonly<Record<string, Tensor>>): void {
    this.#loss += first(results.loss);
    this.#weight += first(results.weight);
  }

  /** Adds part of the vector. */
  addPart(data: FloatArray, offset: number): void {
    const { length } = data;
    for (let i = 0; i < length; i++) this.#parts[offset + i] = (this.#parts[offset + i] as number) + (data[i] as number);
  }

  /** The mean loss. @throws {DomainError} when nothing had weight */
  mean(): number {
    if (this.#weight === 0) throw new DomainError('data: expected at least one sample with weight, got none');
    return this.#loss / this.#weight;
  }

  /** The mean vector. */
  means(): FloatArray {
    const out = floats(this.#precision, this.#parts.length);
    for (let i = 0; i < out.length; i++) out[i] = (this.#parts[i] as number) / this.#weight;
    return out;
  }
}

/** The number a scalar tensor holds. */
export function first(tensor: Tensor | undefined): number {
  return Number(tensor?.data[0]);
}
