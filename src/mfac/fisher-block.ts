// What a diagonal block of the Fisher matrix F = λI + (1/m)Σ g gᵀ can do, however its inverse is stored.
import type { FloatArray, Precision } from '../core/tensor.js';

/** One block: coordinates start … start + width − 1 of the parameter vector. Vectors here are of that length. */
export interface FisherBlock {
  readonly start: number;
  readonly width: number;
  /** Bytes that the block holds, in WebAssembly or ordinary memory. */
  readonly bytes: number;
  /** out = F⁻¹x. */
  ihvp(x: FloatArray, out: FloatArray): void;
  /** The diagonal of F⁻¹, > 0, in f64. */
  readonly diagonal: Float64Array;
  /** out = F⁻¹e_k. */
  column(k: number, out: FloatArray): void;
  /** xᵀFx in f64. */
  quadratic(x: FloatArray): number;
  /** F⁻¹ restricted to a few coordinates, row-major [q, q] in f64. */
  inverseAt(indices: ArrayLike<number>): Float64Array;
  /** The change of the survivors (mask 1) that minimises the quadratic model when the others go from w to 0; others get −w. */
  project(w: FloatArray, mask: Uint8Array): Float64Array;
  /** Everything it is made of, as plain data. */
  parts(): PlainBlock;
  /** Starts removing coordinates one after the other. */
  elimination(): Elimination;
}

/** A block as plain data, which can go to another thread: `restoreBlock` makes a block of it. */
export type PlainBlock =
  | {
      readonly kind: 'gram';
      readonly start: number;
      readonly damping: number;
      readonly precision: Precision;
      readonly rows: number;
      readonly u: FloatArray;
      readonly factor: Float64Array;
      readonly diagonal: Float64Array;
    }
  | {
      readonly kind: 'covariance';
      readonly start: number;
      readonly fisher: Float64Array;
      readonly u: Float64Array;
      readonly diagonal: Float64Array;
    };

/** F⁻¹ of the coordinates that are left, while they are removed one by one. */
export interface Elimination {
  /** Diagonal of the inverse over what is left; what it holds at removed places has no meaning. */
  readonly diagonal: Float64Array;
  /** Removes coordinate k: returns column k of the inverse as it was before, and updates the diagonal. Valid until the next call. */
  remove(k: number): Float64Array;
}
