// Trains a model's parameters by a first-order optimizer.

import { batchesOf, checkAborted, samplesOf, takeSamples } from '../core/batches.js';
import { checkInteger, checkLength, checkMethods } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';
import { gradNormSmoothNewton, type Optimizer, type Sam } from '../optimizers/index.js';
import { namedOptimizer, newton, type OptimizerSettings, readOptimizer, trainingRule } from './training-rule.js';

export { optimizerNames } from './training-rule.js';

export interface FitOptions extends LongOptions {
  /** A name of `optimizerNames`, or an optimizer with its own options (`adam`). */
  readonly optimizer?: string | Optimizer<unknown> | Sam<unknown>;
  /** For an optimizer given by name. */
  readonly learningRate?: OptimizerSettings['learningRate'];
  /** More options of an optimizer given by name. */
  readonly settings?: Omit<OptimizerSettings, 'learningRate'>;
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
  /** Mean loss of every epoch's steps, each before its step (grad-norm-smooth-newton: after it). */
  readonly history: { readonly epoch: number; readonly loss: number }[];
  readonly steps: number;
  readonly seconds: number;
}

/**
 * Minimises the model's loss; the model holds the trained parameters afterwards.
 * By name: every registered optimizer (`mfac` for short of `mfac-optimizer`; `sam` is around sgd). `grad-norm-smooth-newton` moves along
 * all of the data at once: an epoch is one of its steps, and it takes neither batchSize nor mask.
 *
 * @param data one batch or several: shuffled together every epoch
 * @param options `optimizer` ('adam'), `learningRate`, `settings` (momentum, weightDecay, window, damping, rho), `epochs` (1),
 *   `batchSize` (64), `seed` (0), `mask`, `signal`, `onProgress`
 * @returns `history` of mean losses, `steps`, `seconds`
 * @throws {DomainError} when an option is out of range or does not fit the optimizer, or the loss stops being finite; {AbortError} by
 *   `signal`; after either the model holds the parameters of the last whole step
 */
export async function fit(model: DifferentiableModel, data: Data, options: FitOptions = {}): Promise<FitResult> {
  const {
    epochs = 1,
    batchSize = 64,
    seed = 0,
    mask,
    signal,
    onProgress,
    optimizer: rule = 'adam',
    learningRate,
    settings,
  } = readLong(options);
  checkMethods('model', model, 'a differentiable model', 'gradient', 'getParameters', 'setParameters');
  checkInteger('epochs', epochs, 0);
  checkInteger('batchSize', batchSize, 1);
  if (mask) checkLength('mask', mask, model.parameterCount);
  const given: OptimizerSettings = { ...settings, ...(learningRate !== undefined && { learningRate }) };
  if (rule === newton) return fitNewton(model, data, options, given);
  if (typeof rule !== 'string') checkMethods('optimizer', rule, 'a name or an optimizer', 'init', 'step');
  const optimizer = typeof rule === 'string' ? namedOptimizer(rule, given) : rule;
  const batches: Batch[] = [];
  for await (const batch of batchesOf(data)) batches.push(batch);
  if (!batches.some((batch) => samplesOf(batch) > 0)) throw new DomainError('data: expected at least one sample, got none');
  const total = epochs * batches.reduce((sum, batch) => sum + Math.ceil(samplesOf(batch) / batchSize), 0);

  const start = performance.now();
  const random = new Random(seed);
  const training = trainingRule(model, optimizer, mask);
  const history: { epoch: number; loss: number }[] = [];
  let steps = 0;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      let [sum, samples] = [0, 0];
      for (const place of random.permutation(batches.length)) {
        const batch = batches[place] as Batch;
        const order = random.permutation(samplesOf(batch));
        for (let from = 0; from < order.length; from += batchSize) {
          checkAborted(signal);
          const chosen = order.subarray(from, from + batchSize);
          sum += chosen.length * (await trained(training.step(takeSamples(batch, chosen)), steps));
          samples += chosen.length;
          steps++;
          onProgress?.({ done: steps, total, phase: 'training' });
        }
      }
      history.push({ epoch: epoch + 1, loss: sum / samples });
    }
  } finally {
    training.dispose();
  }
  return { history, steps, seconds: (performance.now() - start) / 1000 };
}

/** A step's loss, or its refusal with the number of the step and what helps. */
async function trained(step: Promise<number>, steps: number): Promise<number> {
  try {
    return await step;
  } catch (error) {
    if (!(error instanceof DomainError) || !/finite/.test(error.message)) throw error;
    throw new DomainError(`${error.message} at step ${steps}; lower the learning rate`, { cause: error });
  }
}

async function fitNewton(model: DifferentiableModel, data: Data, options: FitOptions, given: OptimizerSettings): Promise<FitResult> {
  const { epochs = 1, batchSize, mask, signal, onProgress } = options;
  readOptimizer(newton, given);
  if (mask) throw new DomainError(`mask: expected none for ${newton}, which moves all parameters`);
  if (batchSize !== undefined) throw new DomainError(`batchSize: expected none for ${newton}, which uses all data in each step`);
  const start = performance.now();
  const { history } = await gradNormSmoothNewton(model, data, {
    maxIterations: epochs,
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  return {
    history: history.map(({ loss }, i) => ({ epoch: i + 1, loss })),
    steps: history.length,
    seconds: (performance.now() - start) / 1000,
  };
}
