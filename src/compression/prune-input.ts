// What every pruner of a flat weight vector reads and gives back.
import { asRecord, checkArray, checkFinite, checkInteger, checkLength, checkRange } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { asFloats, type FloatArray, floats, type NumberArray, type Precision, precisionOf, sizeOf } from '../core/tensor.js';

export interface PruneOptions {
  /** Share of the prunable weights to remove, 0 … 1. */
  readonly sparsity: number;
  /** 1 where a weight may be removed (all by default); the others count neither as removed nor as kept. */
  readonly prunable?: Uint8Array;
}

export interface PruneResult {
  /** The weights after pruning, zero where the mask is 0. */
  readonly weights: FloatArray;
  /** 1 where a weight is kept, 0 where it is removed. */
  readonly mask: Uint8Array;
  /** What the removal of each weight alone is estimated to cost; Infinity where it may not be removed. */
  readonly saliency: Float64Array;
}

export interface PruneInput {
  readonly weights: FloatArray;
  readonly precision: Precision;
  readonly prunable: Uint8Array;
  /** Weights to remove: the whole part of sparsity × prunable. */
  readonly count: number;
}

/** Checks and reads the arguments shared by all pruners. @throws {ShapeError | DomainError} by name */
export function readPruneInput(w: NumberArray, options: PruneOptions): PruneInput {
  const { sparsity, prunable } = asRecord('options', options, '{ sparsity }');
  const weights = asFloats('w', w);
  checkRange('sparsity', sparsity, 0, 1);
  checkFinite('w', weights);
  if (prunable) checkLength('prunable', prunable, weights.length);
  const may = prunable ?? new Uint8Array(weights.length).fill(1);
  let candidates = 0;
  for (let k = 0; k < may.length; k++) if (may[k]) candidates++;
  return { weights, precision: precisionOf(weights), prunable: may, count: removals(sparsity, candidates) };
}

/** Throws unless a layout lists tensors inside a vector of `length` weights. @throws {ShapeError | DomainError} */
export function checkTensors(layout: readonly { readonly offset: number; readonly shape: readonly number[] }[], length: number): void {
  checkArray('layout', layout);
  for (let i = 0; i < layout.length; i++) {
    const { offset, shape } = asRecord(`layout[${i}]`, layout[i] as (typeof layout)[number], '{ offset, shape }');
    checkInteger(`layout[${i}].offset`, offset);
    checkArray(`layout[${i}].shape`, shape);
    const size = sizeOf(shape);
    if (!(offset >= 0 && offset + size <= length))
      throw new ShapeError(`layout: expected tensors inside ${length} weights, got ${size} from ${offset}`);
  }
}

/** ⌊sparsity·n⌋, not one less where the product is a whole number that rounding missed. */
export function removals(sparsity: number, n: number): number {
  return Math.min(n, Math.floor(sparsity * n * (1 + 4 * Number.EPSILON)));
}

/** A copy of the weights in their own precision. */
export function copyOf({ weights, precision }: PruneInput): FloatArray {
  const out = floats(precision, weights.length);
  out.set(weights);
  return out;
}
