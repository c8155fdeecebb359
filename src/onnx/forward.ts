// Graphs that need no derivative rules: the forward pass as the file has it, and a loss on given logits.
import { Builder } from './builder.js';
import { finish } from './finish.js';
import type { ElementType, GraphTensor, Model } from './graph.js';
import { appendLoss, type LossSpec } from './losses.js';

/** The forward graph alone, as the file has it, up to some of its values; named initializers become inputs. */
export function forwardOf(model: Model, values: readonly string[], live: readonly string[]): Model {
  const graph = model.graph.clone();
  const type = graph.outputs[0]?.type ?? 'float32';
  graph.outputs = values.map(
    (name) => graph.outputs.find((info) => info.name === name) ?? graph.values.get(name) ?? { name, type, shape: undefined },
  );
  graph.inputs = graph.inputs.filter(({ name }) => !graph.initializers.has(name)); // files before IR 4 list initializers too
  for (const name of live) {
    const { type, shape } = graph.initializers.get(name) as GraphTensor;
    graph.initializers.delete(name);
    graph.sparse.delete(name);
    graph.inputs.push({ name, type, shape });
  }
  return { ...model, irVersion: Math.max(4, model.irVersion), graph };
}

/** The loss as a graph of its own, on logits that are given. */
export function lossOf(shape: readonly number[], type: ElementType, loss: LossSpec, sampleWeights: boolean): Model {
  const b = new Builder();
  const logits = b.input('logits', type, ['N', ...shape.slice(1)]);
  const { total, weight } = appendLoss(b, logits, loss, { sampleWeights });
  b.output(total, 'loss');
  b.output(weight, 'weight');
  return finish(b);
}
