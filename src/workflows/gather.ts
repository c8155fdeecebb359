// Data of several batches as one.
import { batchesOf, chooseSamples, samplesOf } from '../core/batches.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Batch, Data } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { describe, isTypedArray, type Tensor, type TypedArray } from '../core/tensor.js';

/** All samples as one batch, or as many as asked for, drawn from all batches without replacement. @throws {DomainError} when there are none */
export async function gather(
  data: Data,
  { samples, seed }: { samples?: number | undefined; seed: number },
): Promise<{ batch: Batch; of: number }> {
  const all: Batch[] = [];
  for await (const batch of batchesOf(data)) all.push(batch);
  const of = all.reduce((sum, batch) => sum + samplesOf(batch), 0);
  if (of === 0) throw new DomainError('data: expected at least one sample, got none');
  const whole = samples === undefined || samples >= of;
  if (whole && all.length === 1) return { batch: all[0] as Batch, of };
  const chosen = whole ? Int32Array.from({ length: of }, (_, i) => i) : new Random(seed).permutation(of).slice(0, samples).sort();
  return { batch: joined(chooseSamples(all, chosen)), of };
}

/** Several batches, as takeSamples makes them, as one; weights are 1 where a batch has none and others do. */
function joined(parts: readonly Batch[]): Batch {
  const [first] = parts as [Batch];
  if (parts.length === 1) return first;
  const single = isTensor(first.x);
  const x = single
    ? stacked(
        'x',
        parts.map((part) => part.x),
      )
    : Object.fromEntries(
        Object.keys(first.x).map((name) => [
          name,
          stacked(
            name,
            parts.map((part) => (part.x as Record<string, unknown>)[name]),
          ),
        ]),
      );
  const y = isTypedArray(first.y)
    ? rows(parts.map((part) => part.y as TypedArray))
    : stacked(
        'y',
        parts.map((part) => part.y),
      );
  const weights = parts.some((part) => part.weights) && {
    weights: rows(parts.map((part) => Float64Array.from(part.weights ?? new Float64Array(samplesOf(part)).fill(1)))),
  };
  return { x, y, ...weights } as Batch;
}

function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'data' in value && isTypedArray(value.data);
}

/** Tensors one below the other. */
function stacked(name: string, parts: readonly unknown[]): Tensor {
  const tensors = parts.map((part) => {
    if (!isTensor(part)) throw new ShapeError(`${name}: expected a tensor in every batch, got ${describe(part)}`);
    return part;
  });
  const inner = (tensors[0] as Tensor).shape.slice(1);
  for (const { shape } of tensors) {
    if (shape.slice(1).join() !== inner.join())
      throw new ShapeError(`${name}: expected rows of shape [${inner}] in every batch, got [${shape.slice(1)}]`);
  }
  return {
    data: rows(tensors.map(({ data }) => data)),
    shape: [tensors.reduce((sum, { shape }) => sum + (shape[0] as number), 0), ...inner],
  };
}

/** Arrays one behind the other, in the type of the first. */
function rows(parts: readonly TypedArray[]): TypedArray {
  const Made = (parts[0] as TypedArray).constructor as new (length: number) => TypedArray;
  const out = new Made(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part as never, at);
    at += part.length;
  }
  return out;
}
