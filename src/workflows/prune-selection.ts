// The weights that pruning works on: where they sit in the model's vector, and the matrices they form.
import type { Slot } from '../compression/index.js';
import { linearLayers } from '../compression/linear-layers.js';
import type { DifferentiableModel, ParameterSlot } from '../core/model-types.js';
import { type FloatArray, sizeOf } from '../core/tensor.js';
import type { Graph } from '../onnx/graph.js';

export interface Selection {
  /** Places of the selected weights in the flat vector, their columns among the gradients of the slots, and which are kept. */
  readonly places: Int32Array;
  readonly columns: Int32Array;
  readonly alive: Uint8Array;
  /** The flat vector, changed in place. */
  readonly weights: FloatArray;
  /** Weights to remove. */
  readonly target: number;
  /** The slots as matrices [out, in] over `places`. */
  readonly layout: readonly Slot[];
}

/** A graph where the model has one. */
export function graphOf(model: DifferentiableModel): Graph | undefined {
  return (model as { readonly graph?: Graph }).graph;
}

/** The weights of the slots, rows of outputs one behind the other when `byRows` (groups of neighbours then share an output). */
export function selectionOf(
  model: DifferentiableModel,
  slots: readonly ParameterSlot[],
  weights: FloatArray,
  target: (count: number) => number,
  byRows: boolean,
): Selection {
  const graph = byRows ? graphOf(model) : undefined;
  const layers = new Map((graph ? linearLayers(graph) : []).map((layer) => [layer.weight, layer]));
  const count = slots.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const [places, columns] = [new Int32Array(count), new Int32Array(count)];
  const layout: Slot[] = [];
  let from = 0;
  for (const { name, shape, offset } of slots) {
    const size = sizeOf(shape);
    const layer = layers.get(name);
    for (let k = 0; k < size; k++) {
      const at = layer ? (layer.places[k] as number) : k;
      places[from + k] = offset + at;
      columns[from + k] = from + at;
    }
    layout.push({ offset: from, shape: layer ? [layer.rows * layer.groups, layer.cols] : shape });
    from += size;
  }
  return { places, columns, alive: new Uint8Array(count).fill(1), weights, target: target(count), layout };
}
