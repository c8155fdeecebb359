// Channel pruning from labelled data: a smaller ONNX graph, and what it costs before any retraining.

import { channelPrune, channelValues, type PrunedGroup } from '../compression/index.js';
import { batchesOf, checkAborted } from '../core/batches.js';
import { checkArray, checkInteger, checkMethods, checkOneOf, checkRange } from '../core/check.js';
import type { Batch, Data, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { sizeOf, type Tensor } from '../core/tensor.js';
import type { Model } from '../onnx/graph.js';
import type { OnnxModel } from '../onnx/onnx-model.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { gather } from './gather.js';
import type { PrunedLayer } from './prune.js';

export interface PruneChannelsOptions extends LongOptions {
  /** Share of the channels of every group to remove, 0 … 1, or one share per group in graph order: early groups often can spare less. */
  readonly sparsity: number | readonly number[];
  /** By what the readers' outputs lose, with repair (activations, the default), or by the size of the filters (l1, l2). */
  readonly saliency?: 'activations' | 'l1' | 'l2';
  /** activations: calibration samples (256), at most those there are. */
  readonly samples?: number;
  /** Groups keep a multiple of so many channels (1). */
  readonly multiple?: number;
  readonly seed?: number;
}

export interface PruneChannelsResult {
  readonly model: Model;
  readonly groups: readonly PrunedGroup[];
  /** Share of the parameters that went, of how many, and how many went. */
  readonly sparsity: number;
  readonly parameters: number;
  readonly pruned: number;
  readonly perLayer: readonly PrunedLayer[];
  readonly before: Evaluation;
  readonly after: Evaluation;
  readonly seconds: number;
}

/**
 * Removes whole channels from an ONNX model, which makes the file smaller and runs faster; the model given stays as it is.
 *
 * @param data labelled samples: some calibrate, all measure `before` and `after`
 * @throws {GraphError} when no channel can go; {DomainError} when an option is out of range; {AbortError} by `signal`
 * @see channelPrune
 */
export async function pruneChannels(model: OnnxModel, data: Data, options: PruneChannelsOptions): Promise<PruneChannelsResult> {
  const {
    sparsity,
    saliency = 'activations',
    samples = 256,
    multiple = 1,
    seed = 0,
    signal,
    onProgress,
  } = readLong(options, '{ sparsity }');
  checkMethods('model', model, 'an OnnxModel', 'toModel', 'reopen', 'activations');
  if (typeof sparsity !== 'number') checkArray('sparsity', sparsity);
  for (const share of typeof sparsity === 'number' ? [sparsity] : sparsity) checkRange('sparsity', share, 0, 1);
  checkOneOf('saliency', saliency, ['activations', 'l1', 'l2']);
  checkInteger('samples', samples, 1);
  const start = performance.now();
  const batches: Batch[] = [];
  for await (const batch of batchesOf(data)) batches.push(batch);
  const before = await evaluate(model, batches, { ...(signal && { signal }) });
  const whole = model.toModel();
  onProgress?.({ done: 1, total: 3, phase: 'pruning' });
  const { batch: some } = await gather(batches, { samples, seed });
  const small = channelPrune(whole, {
    sparsity,
    multiple,
    ...(saliency === 'activations' ? { activations: await model.activations(some.x, channelValues(whole)) } : { norm: saliency }),
  });
  checkAborted(signal);
  onProgress?.({ done: 2, total: 3, phase: 'evaluating' });
  const opened = await model.reopen(small.model);
  try {
    const after = await evaluate(opened, batches, { ...(signal && { signal }) });
    const perLayer = model.layout.map(({ name, node, opType, shape }) => {
      const parameters = sizeOf(shape);
      const left = (small.model.graph.initializers.get(name) as Tensor | undefined)?.data.length ?? 0;
      return { name, node, opType, parameters, pruned: parameters - left, sparsity: 1 - left / parameters };
    });
    const pruned = perLayer.reduce((sum, layer) => sum + layer.pruned, 0);
    small.model.metadata.set('afterpass.prune', JSON.stringify({ method: 'channel', sparsity, saliency, samples, multiple, seed }));
    return {
      model: small.model,
      groups: small.groups,
      sparsity: pruned / model.parameterCount,
      parameters: model.parameterCount,
      pruned,
      perLayer,
      before,
      after,
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    opened.dispose();
  }
}
