// The parameters of a model at one moment, in the two forms that graphs take them.
import { type FloatArray, sizeOf } from '../core/tensor.js';
import type { GraphTensor, Model } from './graph.js';
import type { Parts } from './opening.js';
import type { Parameters } from './program.js';
import type { Feed } from './session.js';

/** One setting of the parameters. */
export class Snapshot implements Parameters {
  readonly version: number;
  readonly values: FloatArray;
  readonly #parts: Parts;
  #model: Model | undefined;

  constructor(version: number, values: FloatArray, parts: Parts) {
    this.version = version;
    this.values = values;
    this.#parts = parts;
  }

  /** The parameters as the file has them, written into `values` [d]. */
  static ofFile(parts: Parts, values: FloatArray): Snapshot {
    for (const { name, offset } of parts.layout)
      values.set((parts.model.graph.initializers.get(name) as GraphTensor).data as FloatArray, offset);
    return new Snapshot(0, values, parts);
  }

  tensors(): { name: string; tensor: Feed & GraphTensor }[] {
    const type = this.#parts.model.graph.initializers;
    return this.#parts.layout.map(({ name, shape, offset }) => ({
      name,
      tensor: { type: (type.get(name) as GraphTensor).type, shape, data: this.values.subarray(offset, offset + sizeOf(shape)) },
    }));
  }

  bake(): Model {
    if (!this.#model) {
      const graph = this.#parts.model.graph.clone();
      for (const { name, tensor } of this.tensors()) graph.initializers.set(name, tensor);
      this.#model = { ...this.#parts.model, graph };
    }
    return this.#model;
  }

  feeds(): Record<string, Feed> {
    // Parameters outside the layout are inputs of live graphs too: theirs are the values of the file.
    const all = Object.fromEntries([...this.#parts.model.graph.initializers].filter(([, { type }]) => type.startsWith('float')));
    return { ...all, ...Object.fromEntries(this.tensors().map(({ name, tensor }) => [name, tensor])) };
  }
}
