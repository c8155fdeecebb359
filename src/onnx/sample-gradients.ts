// Gradients of single samples side by side, in runs of bounded memory.
import { pieces, samplesOf } from '../core/batches.js';
import { checkArray, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, LongOptions, ParameterSlot } from '../core/model-types.js';
import { readLong, stepper } from '../core/stepper.js';
import { type FloatArray, floats, sizeOf, type Tensor } from '../core/tensor.js';
import type { Parameters } from './program.js';
import type { Runs } from './runs.js';

/** Numbers in the per-sample gradients of one run: 16 MB in float32. */
const rowsAtOnce = 2 ** 22;

/** `OnnxModel.perSampleGradients` with the parameters given. @throws {ShapeError | DomainError} by name; {AbortError} by `signal`, between runs */
export async function sampleGradients(
  runs: Runs,
  parameters: Parameters,
  layout: readonly ParameterSlot[],
  batch: Batch,
  options: LongOptions & { readonly out?: Tensor; readonly slots?: readonly string[] },
): Promise<Tensor> {
  const { slots: named, out: target } = readLong(options);
  if (named) checkArray('slots', named);
  const slots = chosenSlots(layout, named);
  const width = slots.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const samples = samplesOf(batch);
  const out = target ?? { data: floats(runs.precision, samples * width), shape: [samples, width] };
  checkLength('out', out.data, samples * width);
  const size = Math.max(1, Math.min(64, Math.floor(rowsAtOnce / width)));
  const step = stepper(options, Math.ceil(samples / size));
  let done = 0;
  for (const piece of pieces({ x: batch.x, y: batch.y }, size)) {
    const results = await step(() => runs.sampleRows(piece, parameters, slots));
    const rows = samplesOf(piece);
    for (let i = 0; i < rows; i++) placeRow(out.data as FloatArray, (done + i) * width, slots, results, i);
    done += rows;
  }
  return out;
}

/** The slots of these names in layout order; all without names. */
function chosenSlots(layout: readonly ParameterSlot[], names: readonly string[] | undefined): readonly ParameterSlot[] {
  for (const name of names ?? []) {
    if (!layout.some((slot) => slot.name === name)) throw new DomainError(`slots: expected names of parameters, got '${name}'`);
  }
  return names ? layout.filter(({ name }) => names.includes(name)) : layout;
}

/** Copies row i of every slot to `at`, side by side. */
function placeRow(out: FloatArray, at: number, slots: readonly ParameterSlot[], results: ReadonlyMap<string, FloatArray>, i: number): void {
  let to = at;
  for (const { name, shape } of slots) {
    const size = sizeOf(shape);
    out.set((results.get(name) as FloatArray).subarray(i * size, (i + 1) * size), to);
    to += size;
  }
}
