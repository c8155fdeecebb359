// Flat vectors of an opened model: checked, cut into the tensors that graphs are fed, put together again, written back into the file.
import { checkFinite, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { ParameterSlot } from '../core/model-types.js';
import { type FloatArray, isFloatArray, type Precision, sizeOf, type Tensor } from '../core/tensor.js';
import { convert, joinRows } from './feeds.js';
import type { GraphTensor, Model } from './graph.js';
import { narrowed } from './precision.js';
import type { Feed } from './session.js';
import type { Snapshot } from './snapshot.js';

/** @throws {ShapeError | DomainError} unless `v` holds `length` finite numbers */
export function checkVector(name: string, v: unknown, length: number): asserts v is FloatArray {
  if (!isFloatArray(v)) throw new DomainError(`${name}: expected a Float32Array or Float64Array`);
  checkLength(name, v, length);
  checkFinite(name, v);
}

/** d: the length of the flat vector. */
export function lengthOf(layout: readonly ParameterSlot[]): number {
  const last = layout.at(-1);
  return last ? last.offset + sizeOf(last.shape) : 0;
}

/** A direction v [d] as one tangent input per parameter. @throws {ShapeError | DomainError} unless it holds d finite numbers */
export function tangentsOf(layout: readonly ParameterSlot[], v: FloatArray, type: Precision): Record<string, Feed> {
  checkVector('v', v, lengthOf(layout));
  return Object.fromEntries(
    layout.map(({ name, shape, offset }) => [
      `tangent.${name}`,
      { data: convert('v', v.subarray(offset, offset + sizeOf(shape)), type), shape, type },
    ]),
  );
}

/** The gradients that runs return for float inputs, rows of all runs in one tensor over the total weight: a record when there are several. */
export function inputGradients(runs: readonly Readonly<Record<string, Tensor>>[], weight: number): Tensor | Record<string, Tensor> {
  const names = Object.keys(runs[0] as object).filter((name) => name.startsWith('grad.'));
  const grads = names.map((name): [string, Tensor] => {
    const { data, shape } = joinRows(runs.map((results) => results[name] as Tensor));
    return [name.slice(5), { data: (data as FloatArray).map((g) => g / weight), shape }];
  });
  return grads.length === 1 ? (grads[0] as [string, Tensor])[1] : Object.fromEntries(grads);
}

/** The file's model with other parameters and metadata. With `sparse`, tensors that are mostly zero are marked to be stored so. */
export function withParameters(file: Model, parameters: Snapshot, metadata: ReadonlyMap<string, string>, sparse: boolean): Model {
  const graph = file.graph.clone();
  for (const { name, tensor } of parameters.tensors()) {
    const original = file.graph.initializers.get(name) as GraphTensor;
    graph.initializers.set(name, narrowed(tensor.data as FloatArray, original));
    if (sparse && original.type === 'float32' && 3 * numbersIn(tensor.data as FloatArray) < tensor.data.length) graph.sparse.add(name);
  }
  return { ...file, graph, metadata: new Map(metadata) };
}

/** How many are not zero. */
function numbersIn(values: FloatArray): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
  return count;
}
