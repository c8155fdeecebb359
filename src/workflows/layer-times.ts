// How long ONNX Runtime takes for layers of other extents: the table that an allocation of channels under a time limit reads.
import { type ChannelLayer, channelLayers, inputShape, layerModel, shapeOf } from '../compression/channel-layers.js';
import type { Inputs } from '../core/model-types.js';
import { sizeOf, type Tensor } from '../core/tensor.js';
import type { Model } from '../onnx/graph.js';
import type { OnnxModel } from '../onnx/onnx-model.js';

/** Copies of a layer in the longer of two graphs: what is timed is their difference, free of feeding, fetching and reordering. */
const copies = 4;

/** Times of the layers of a model on one batch, each measured when it is first asked for. */
export class LayerTimes {
  readonly #model: OnnxModel;
  readonly #like: Model;
  readonly #layers: readonly ChannelLayer[];
  readonly #inputs: Readonly<Record<string, Tensor>>;
  readonly #known = new Map<string, number>();

  private constructor(model: OnnxModel, like: Model, layers: readonly ChannelLayer[], inputs: Readonly<Record<string, Tensor>>) {
    this.#model = model;
    this.#like = like;
    this.#layers = layers;
    this.#inputs = inputs;
  }

  /** @param x the batch that layers are timed on, its size and extents */
  static async of(model: OnnxModel, x: Inputs): Promise<LayerTimes> {
    const like = { ...model.toModel(), graph: model.graph };
    const layers = channelLayers(model.graph);
    return new LayerTimes(
      model,
      like,
      layers,
      await model.activations(x, [...new Set(layers.map(({ node }) => node.inputs[0] as string))]),
    );
  }

  /** Extents measured so far. */
  get size(): number {
    return this.#known.size;
  }

  /** Milliseconds of all layers together when groups keep so many channels. */
  async total(kept: readonly number[]): Promise<number> {
    let sum = 0;
    for (const layer of this.#layers) {
      const shape = shapeOf(layer, kept);
      const input = inputShape(layer, shape, this.#inputs[layer.node.inputs[0] as string]?.shape as readonly number[]);
      const key = JSON.stringify([layer.node.op, layer.node.attributes, shape, input]);
      const time = this.#known.get(key) ?? (await this.#measure(layer, shape, input));
      this.#known.set(key, time);
      sum += time;
    }
    return sum;
  }

  async #measure(layer: ChannelLayer, shape: readonly number[], input: readonly number[]): Promise<number> {
    const outputs = this.#like.graph.outputs.map(({ name }) => name);
    const open = (count: number) => this.#model.reopen(layerModel(layer, { shape, input, copies: count, outputs, like: this.#like }));
    const [one, many] = [await open(1), await open(copies)];
    const x = { data: new Float32Array(sizeOf(input)).fill(0.5), shape: input };
    try {
      const [short = 0, long = 0] = await fastest([one, many], x);
      return Math.max(0, (long - short) / (copies - 1));
    } finally {
      one.dispose();
      many.dispose();
    }
  }
}

/** Milliseconds of the fastest of several runs of each model on the same inputs, taken by turns for about so many milliseconds. */
export async function fastest(models: readonly OnnxModel[], x: Inputs, budget = 15): Promise<number[]> {
  const best = models.map(() => Infinity);
  for (const model of models) await model.predict(x);
  const start = performance.now();
  for (let round = 0; round < 5 || performance.now() - start < budget; round++) {
    for (const [i, model] of models.entries()) {
      const from = performance.now();
      await model.predict(x);
      best[i] = Math.min(best[i] as number, performance.now() - from);
    }
  }
  return best;
}
