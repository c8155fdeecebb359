// Trains a model's parameters by a first-order optimizer.
import { batchesOf, checkAborted, samplesOf, takeSamples } from '../core/batches.js';
import { checkInteger, checkLength, checkOneOf } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { adam, type LearningRate, type Optimizer, sgd } from '../optimizers/index.js';

const optimizers = { adam, sgd };
export type OptimizerName = keyof typeof optimizers;
/** Names that `fit` takes in place of an optimizer. */
export const optimizerNames = Object.keys(optimizers) as OptimizerName[];

export interface FitOptions extends LongOptions {
  /** A name, or an optimizer with its own options (`adam`). */
  readonly optimizer?: OptimizerName | Optimizer<unknown>;
  /** For an optimizer given by name (1e-3 for adam, 1e-2 for sgd). */
  readonly learningRate?: LearningRate;
  /** Passes over the data (1). */
  readonly epochs?: number;
  /** Samples of one step (64); the last step of an epoch takes what is left. */
  readonly batchSize?: number;
  /** Order of the samples (0). */
  readonly seed?: number;
  /** Parameters [d] that stay as they are where it is 0: the zeros of a pruned model. */
  readonly mask?: Uint8Array;
}

export interface FitResult {
  /** Mean loss of every epoch's steps, each before its step. */
  readonly history: { readonly epoch: number; readonly loss: number }[];
  readonly steps: number;
  readonly seconds: number;
}

/**
 * Minimises the model's loss; the model holds the trained parameters afterwards.
 *
 * @param data one batch or several: shuffled together every epoch
 * @throws {DomainError} when an option is out of range or the loss stops being finite, {AbortError} by `signal` (parameters of the last step stay)
 */
export async function fit(model: DifferentiableModel, data: Data, options: FitOptions = {}): Promise<FitResult> {
  const { epochs = 1, batchSize = 64, seed = 0, mask, signal, onProgress } = options;
  checkInteger('epochs', epochs, 0);
  checkInteger('batchSize', batchSize, 1);
  if (mask) checkLength('mask', mask, model.parameterCount);
  const optimizer = optimizerOf(options);
  const batches: Batch[] = [];
  for await (const batch of batchesOf(data)) batches.push(batch);
  const total = epochs * batches.reduce((sum, batch) => sum + Math.ceil(samplesOf(batch) / batchSize), 0);

  const start = performance.now();
  const random = new Random(seed);
  const params = model.getParameters();
  const state = optimizer.init(params);
  const history: { epoch: number; loss: number }[] = [];
  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    let [sum, samples] = [0, 0];
    for (const place of random.permutation(batches.length)) {
      const batch = batches[place] as Batch;
      const order = random.permutation(samplesOf(batch));
      for (let from = 0; from < order.length; from += batchSize) {
        checkAborted(signal);
        const chosen = order.subarray(from, from + batchSize);
        const { value, grad } = await model.gradient(takeSamples(batch, chosen));
        if (!Number.isFinite(value))
          throw new DomainError(`loss: expected a finite number, got ${value} at step ${steps}; lower the learning rate`);
        if (mask) for (let i = 0; i < grad.length; i++) if (!mask[i]) grad[i] = 0;
        optimizer.step(params, grad, state);
        model.setParameters(params);
        sum += value * chosen.length;
        samples += chosen.length;
        steps++;
        onProgress?.({ done: steps, total, phase: 'training' });
      }
    }
    history.push({ epoch: epoch + 1, loss: sum / samples });
  }
  return { history, steps, seconds: (performance.now() - start) / 1000 };
}

function optimizerOf({ optimizer = 'adam', learningRate }: FitOptions): Optimizer<unknown> {
  if (typeof optimizer !== 'string') return optimizer;
  checkOneOf('optimizer', optimizer, optimizerNames);
  return optimizers[optimizer](learningRate === undefined ? {} : { learningRate }) as Optimizer<unknown>;
}
