// Data of several batches as one.
import { batchesOf, samplesOf, takeSamples } from '../core/batches.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data } from '../core/model-types.js';
import { Random } from '../core/random.js';

/** One batch of all samples, or of as many as asked for, drawn without replacement. */
export async function gather(
  data: Data,
  { samples, seed }: { samples?: number | undefined; seed: number },
): Promise<{ batch: Batch; of: number }> {
  const all: Batch[] = [];
  for await (const batch of batchesOf(data)) all.push(batch);
  const of = all.reduce((sum, batch) => sum + samplesOf(batch), 0);
  if (of === 0) throw new DomainError('data: expected at least one sample, got none');
  const whole = all.length === 1 ? all[0]! : joined(all);
  if (samples === undefined || samples >= of) return { batch: whole, of };
  return { batch: takeSamples(whole, new Random(seed).permutation(of).slice(0, samples).sort()), of };
}

/** Several batches as one. */
function joined(batches: readonly Batch[]): Batch {
  const rows = <T extends { length: number; set(a: never, at: number): void }>(parts: T[]): T => {
    const Made = parts[0]!.constructor as new (length: number) => T;
    const out = new Made(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part as never, at);
      at += part.length;
    }
    return out;
  };
  const whole = batches.map((batch) =>
    takeSamples(
      batch,
      Int32Array.from({ length: samplesOf(batch) }, (_, i) => i),
    ),
  );
  const tensors = (values: unknown[]) => {
    const read = values as { data: Float32Array; shape: number[] }[];
    return {
      data: rows(read.map(({ data }) => data)),
      shape: [read.reduce((sum, { shape }) => sum + shape[0]!, 0), ...read[0]!.shape.slice(1)],
    };
  };
  const first = whole[0]!;
  const single = ArrayBuffer.isView((first.x as { data?: unknown }).data);
  const x = single
    ? tensors(whole.map((batch) => batch.x))
    : Object.fromEntries(
        Object.keys(first.x).map((name) => [name, tensors(whole.map((batch) => (batch.x as Record<string, unknown>)[name]))]),
      );
  const y = ArrayBuffer.isView(first.y) ? rows(whole.map((batch) => batch.y as Int32Array)) : tensors(whole.map((batch) => batch.y));
  const weighted = whole.every(({ weights }) => weights) ? { weights: rows(whole.map(({ weights }) => weights as Float64Array)) } : {};
  return { x, y, ...weighted } as Batch;
}
