// Means over batches: sums of what loss graphs return, divided by the total weight at the end.
import { DomainError } from '../core/errors.js';
import { type FloatArray, floats, type Precision, type Tensor } from '../core/tensor.js';

/** Sums over batches in f64, divided by the total weight at the end. The vectors of one batch alone are not summed, only divided. */
export class Sums {
  readonly #precision: Precision;
  readonly #size: number;
  #parts: Float64Array | undefined;
  #only: { readonly data: FloatArray; readonly offset: number }[] = [];
  #batches = 0;
  #loss = 0;
  #weight = 0;

  constructor(size: number, precision: Precision) {
    this.#size = size;
    this.#precision = precision;
  }

  /** The sum of weights. */
  get weight(): number {
    return this.#weight;
  }

  /** Adds the outputs `loss` and `weight` of one run; parts of its vector follow. */
  add(results: Readonly<Record<string, Tensor>>): void {
    this.#loss += first(results.loss);
    this.#weight += first(results.weight);
    this.next();
  }

  /** Another batch: parts of its vector follow. */
  next(): void {
    this.#batches++;
    if (this.#batches !== 2) return;
    this.#parts = new Float64Array(this.#size);
    for (const { data, offset } of this.#only) this.addPart(data, offset);
    this.#only = [];
  }

  /** Adds part of the vector. */
  addPart(data: FloatArray, offset: number): void {
    if (!this.#parts) {
      this.#only.push({ data, offset });
      return;
    }
    const parts = this.#parts.subarray(offset, offset + data.length);
    for (let i = 0; i < parts.length; i++) parts[i] = (parts[i] as number) + (data[i] as number);
  }

  /** The mean loss. @throws {DomainError} when nothing had weight */
  mean(): number {
    if (this.#weight === 0) throw new DomainError('data: expected at least one sample with weight, got none');
    return this.#loss / this.#weight;
  }

  /** The mean vector. */
  means(): FloatArray {
    return this.#over(this.#weight);
  }

  /** The sum of the vectors. */
  totals(): FloatArray {
    return this.#over(1);
  }

  #over(divisor: number): FloatArray {
    const out = floats(this.#precision, this.#size);
    const parts = this.#parts ? [{ data: this.#parts, offset: 0 }] : this.#only;
    for (const { data, offset } of parts) quotients(out.subarray(offset, offset + data.length), data, divisor);
    return out;
  }
}

function quotients(out: FloatArray, data: FloatArray, divisor: number): void {
  for (let i = 0; i < out.length; i++) out[i] = (data[i] as number) / divisor;
}

/** The number a scalar tensor holds. */
function first(tensor: Tensor | undefined): number {
  return Number(tensor?.data[0]);
}
