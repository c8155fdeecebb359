// Channel pruning from labelled data: a smaller ONNX graph, and what it costs before any retraining.

import { channelPrune, channelValues, type PrunedGroup } from '../compression/index.js';
import { batchesOf, checkAborted, samplesOf, takeSamples } from '../core/batches.js';
import { checkArray, checkInteger, checkMethods, checkOneOf, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { sizeOf, type Tensor } from '../core/tensor.js';
import type { Model } from '../onnx/graph.js';
import type { OnnxModel } from '../onnx/onnx-model.js';
import { allocateChannels } from './allocate-channels.js';
import { type Evaluation, evaluate } from './evaluate.js';
import { gather } from './gather.js';
import type { PrunedLayer } from './prune.js';
import { checkParameters } from './select.js';

export interface PruneChannelsOptions extends LongOptions {
  /**
   * Share of the channels of every group to remove, 0 … 1, or one share per group in graph order: early groups often can spare less. With
   * `speedup` the share of all channels that goes at least (0 if left out).
   */
  readonly sparsity?: number | readonly number[];
  /**
   * Times as fast as before: how many channels every group keeps is then chosen by times of the layers in ONNX Runtime, measured on the
   * machine at hand (quiet, else the choice is chance), against what the logits of the calibration samples lose.
   */
  readonly speedup?: number;
  /** speedup: samples in the batch that is timed (64, or what the model declares). */
  readonly batchSize?: number;
  /** By what the readers' outputs lose, with repair (activations, the default), or by the size of the filters (l1, l2). */
  readonly saliency?: 'activations' | 'l1' | 'l2';
  /** activations: calibration samples (256), at most those there are. */
  readonly samples?: number;
  /** Groups keep a multiple of so many channels (1; with `speedup` 4 and more in wide groups). */
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
  /** With `speedup`: times as fast as before, as measured at the end; less than asked for where nothing faster was found. */
  readonly speedup?: number;
  readonly seconds: number;
}

/**
 * Removes whole channels from an ONNX model, which makes the file smaller and runs faster; the model given stays as it is. By default
 * every group loses the same share; with `speedup` those that cost the outputs least for the time they take.
 *
 * @param data labelled samples: some calibrate, all measure `before` and `after`
 * @throws {GraphError} when no channel can go; {DomainError} when an option is out of range; {AbortError} by `signal`
 * @see channelPrune
 */
export async function pruneChannels(model: OnnxModel, data: Data, options: PruneChannelsOptions): Promise<PruneChannelsResult> {
  const {
    sparsity = 0,
    saliency = 'activations',
    samples = 256,
    multiple,
    speedup,
    batchSize = 64,
    seed = 0,
    signal,
    onProgress,
  } = readLong(options, '{ sparsity } or { speedup }');
  checkMethods('model', model, 'an OnnxModel', 'toModel', 'reopen', 'activations');
  if (options.sparsity === undefined && speedup === undefined)
    throw new DomainError('sparsity: expected a sparsity, a speedup or both, got none');
  if (typeof sparsity !== 'number') checkArray('sparsity', sparsity);
  for (const share of typeof sparsity === 'number' ? [sparsity] : sparsity) checkRange('sparsity', share, 0, 1);
  checkOneOf('saliency', saliency, ['activations', 'l1', 'l2']);
  checkInteger('samples', samples, 1);
  checkInteger('batchSize', batchSize, 1);
  if (multiple !== undefined) checkInteger('multiple', multiple, 1);
  if (speedup !== undefined) {
    checkRange('speedup', speedup, 1, 1e3);
    if (typeof sparsity !== 'number')
      throw new DomainError('sparsity: expected one share of all channels with a speedup, got one per group');
  }
  checkParameters(model);
  const start = performance.now();
  const batches: Batch[] = [];
  for await (const batch of batchesOf(data)) batches.push(batch);
  const before = await evaluate(model, batches, { ...(signal && { signal }) });
  const whole = model.toModel();
  onProgress?.({ done: 1, total: 3, phase: 'pruning' });
  const { batch: some } = await gather(batches, { samples, seed });
  const { x } = some;
  const how = saliency === 'activations' ? { activations: await model.activations(x, channelValues(whole)) } : { norm: saliency };
  const allocated =
    speedup !== undefined &&
    (await allocateChannels(model, {
      sparsity: sparsity as number,
      speedup,
      multiple,
      how,
      x,
      timed: takeSamples(
        some,
        Int32Array.from({ length: fixedBatch(model) ?? batchSize }, (_, i) => i % samplesOf(some)),
      ).x,
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
    }));
  const small = channelPrune(whole, allocated ? { ...how, sparsity: allocated.shares } : { ...how, sparsity, multiple: multiple ?? 1 });
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
    small.model.metadata.set(
      'afterpass.prune',
      JSON.stringify({ method: 'channel', sparsity, saliency, samples, multiple, speedup, seed }),
    );
    return {
      model: small.model,
      groups: small.groups,
      sparsity: pruned / model.parameterCount,
      parameters: model.parameterCount,
      pruned,
      perLayer,
      before,
      after,
      ...(allocated && { speedup: allocated.speedup }),
      seconds: (performance.now() - start) / 1000,
    };
  } finally {
    opened.dispose();
  }
}

/** Samples of a batch where the model's inputs declare them. */
function fixedBatch({ inputs }: OnnxModel): number | undefined {
  const extent = inputs[0]?.shape?.[0];
  return typeof extent === 'number' ? extent : undefined;
}
