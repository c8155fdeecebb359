// Data as a stream of batches, and the number of samples in each.

import { asRecord, checkArray, checkMethods } from './check.js';
import { AbortError, DomainError, ShapeError } from './errors.js';
import type { Batch, Data, Inputs } from './model-types.js';
import { asFloats, asTensor, checkAttached, describe, isTypedArray, type Tensor, type TensorLike, type TypedArray } from './tensor.js';

/** One pass over the batches of `data`. @throws {DomainError} when it is neither a batch, a list nor a function */
export async function* batchesOf(data: Data): AsyncGenerator<Batch> {
  const batches = typeof data === 'function' ? data() : Array.isArray(data) ? (data as readonly Batch[]) : [data as Batch];
  if (typeof data === 'function') checkMethods('data', batches, 'a function that returns an async iterable,', Symbol.asyncIterator);
  for await (const batch of batches) {
    if (batch === null || typeof batch !== 'object' || !('x' in batch) || !('y' in batch))
      throw new DomainError(`data: expected batches { x, y }, got ${describe(batch)}`);
    if (batch.weights) checkArray('weights', batch.weights);
    if (isTypedArray(batch.y)) checkAttached('y', batch.y);
    yield batch;
  }
}

/** Samples of one batch: the first extent of its first input. */
export function samplesOf(batch: Batch): number {
  const { x } = asRecord('batch', batch, '{ x, y }');
  const first = isSingle(x) ? x : Object.values(x)[0];
  return asTensor('x', first).shape[0] ?? 0;
}

/** True for one tensor, and for what is no record of tensors at all. */
function isSingle(x: Inputs): boolean {
  return typeof x !== 'object' || x === null || isTypedArray(x) || ('data' in x && isTypedArray(x.data));
}

/** Throws when the caller's signal has fired. @throws {AbortError} */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortError(signal.reason);
}

/** The chosen samples of a batch, in the order given: rows of every input, labels and weights. */
export function takeSamples(batch: Batch, chosen: ArrayLike<number>): Batch {
  const samples = samplesOf(batch);
  const { x, y, weights } = batch;
  const one = isSingle(x);
  return {
    x: one
      ? takeRows('x', x as TensorLike, chosen)
      : Object.fromEntries(Object.entries(x).map(([name, t]) => [name, takeRows(name, t, chosen)])),
    y: isTypedArray(y) ? rowsOf('y', y, samples, chosen) : takeRows('y', y as TensorLike, chosen),
    ...(weights && { weights: rowsOf('weights', asFloats('weights', weights), samples, chosen) }),
  };
}

/** The chosen samples of several batches, numbered through: a part of every batch that has some, in the order given within it. */
export function chooseSamples(batches: readonly Batch[], chosen: ArrayLike<number>): Batch[] {
  const ends: number[] = [];
  for (const batch of batches) ends.push((ends.at(-1) ?? 0) + samplesOf(batch));
  const own: number[][] = batches.map(() => []);
  for (const sample of Array.from(chosen)) {
    const at = ends.findIndex((end) => sample < end);
    own[at]?.push(sample - (ends[at - 1] ?? 0));
  }
  return batches.flatMap((batch, i) => (own[i]?.length ? [takeSamples(batch, own[i])] : []));
}

/** Consecutive pieces of at most `size` samples. */
export function* pieces(batch: Batch, size: number): Generator<Batch> {
  const samples = samplesOf(batch);
  if (samples <= size) {
    yield batch;
    return;
  }
  for (let from = 0; from < samples; from += size) {
    yield takeSamples(
      batch,
      Int32Array.from({ length: Math.min(size, samples - from) }, (_, i) => from + i),
    );
  }
}

function takeRows(name: string, like: TensorLike, chosen: ArrayLike<number>): Tensor {
  const { data, shape } = asTensor(name, like);
  return { data: rowsOf(name, data, shape[0] ?? 1, chosen), shape: [chosen.length, ...shape.slice(1)] };
}

function rowsOf<T extends TypedArray>(name: string, data: T, samples: number, chosen: ArrayLike<number>): T {
  checkAttached(name, data);
  const width = samples ? data.length / samples : 0;
  if (!Number.isInteger(width)) throw new ShapeError(`${name}: expected elements for ${samples} samples, got ${data.length}`);
  const out = new (data.constructor as new (length: number) => T)(chosen.length * width);
  for (let i = 0; i < chosen.length; i++) {
    const from = (chosen[i] as number) * width;
    out.set(data.subarray(from, from + width) as never, i * width);
  }
  return out;
}
