// Data as a stream of batches, and the number of samples in each.

import { AbortError, DomainError } from './errors.js';
import type { Batch, Data } from './model-types.js';
import { asTensor, describe, isTypedArray } from './tensor.js';

/** One pass over the batches of `data`. @throws {DomainError} when it is neither a batch, a list nor a function */
export async function* batchesOf(data: Data): AsyncGenerator<Batch> {
  if (typeof data === 'function') {
    yield* data();
    return;
  }
  for (const batch of Array.isArray(data) ? (data as readonly Batch[]) : [data as Batch]) {
    if (batch === null || typeof batch !== 'object' || !('x' in batch) || !('y' in batch))
      throw new DomainError(`data: expected batches { x, y }, got ${describe(batch)}`);
    yield batch;
  }
}

/** Samples of one batch: the first extent of its first input. */
export function samplesOf({ x }: Batch): number {
  const first = 'data' in x && isTypedArray(x.data) ? x : Object.values(x)[0];
  return asTensor('x', first).shape[0] ?? 0;
}

/** Throws when the caller's signal has fired. @throws {AbortError} */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(signal.reason);
}
