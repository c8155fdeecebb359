// How well a model does on labelled data.

import { batchesOf, checkAborted, pieces, samplesOf } from '../core/batches.js';
import { checkInteger, checkMethods } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { Batch, Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { type IntegerArray, isIntegerArray, type Tensor } from '../core/tensor.js';
import { classAxis } from '../onnx/class-axis.js';

export interface Evaluation {
  /** Samples seen. */
  readonly examples: number;
  /** Mean loss over them. */
  readonly loss: number;
  /** Share of labels that have the largest logit (binary-cross-entropy: a logit of their sign); `null` for targets that are no labels. */
  readonly accuracy: number | null;
}

/**
 * Loss and accuracy of a model.
 *
 * @param data labelled batches (a function is asked for two passes); labels are class indices per sample (or per position, for [n, t, k] and [n, k, h, w] logits)
 * @param options `signal`, `onProgress` (samples done); `batchSize` of one run (256)
 * @throws {ShapeError} when labels and logits do not fit, {DomainError} for labels out of range or data that is not finite
 */
export async function evaluate(
  model: DifferentiableModel,
  data: Data,
  options: LongOptions & { readonly batchSize?: number } = {},
): Promise<Evaluation> {
  const { signal, onProgress, batchSize = 256 } = readLong(options);
  checkMethods('model', model, 'a differentiable model', 'loss', 'predict');
  checkInteger('batchSize', batchSize, 1);
  let [examples, labels, right] = [0, 0, 0];
  // The model joins the pieces: with ignored labels or class weights it alone knows what each weighs.
  const loss = await model.loss(async function* () {
    examples = 0;
    for await (const batch of parts(data, batchSize, signal)) {
      yield batch;
      examples += samplesOf(batch);
      onProgress?.({ done: examples, phase: 'loss' });
    }
  });
  if (targets.includes(model.lossName ?? '')) return { examples, loss, accuracy: null };
  let done = 0;
  for await (const batch of parts(data, batchSize, signal)) {
    if (isIntegerArray(batch.y)) {
      const logits = await model.predict(batch.x);
      const score = model.lossName === 'binary-cross-entropy' ? signsRight(logits, batch.y) : correct(logits, batch.y, model.ignoreIndex);
      labels += score.labels;
      right += score.right;
    }
    done += samplesOf(batch);
    onProgress?.({ done, total: examples, phase: 'accuracy' });
  }
  return { examples, loss, accuracy: labels ? right / labels : null };
}

/** Batches of at most so many samples. */
async function* parts(data: Data, batchSize: number, signal: AbortSignal | undefined): AsyncGenerator<Batch> {
  for await (const whole of batchesOf(data)) {
    for (const batch of pieces(whole, batchSize)) {
      checkAborted(signal);
      yield batch;
    }
  }
}

/** Losses whose integers are quantities, not labels. */
const targets = ['mse', 'huber'];

/** Labels 0 and 1, one for each logit: how many logits are positive where the label is 1. */
function signsRight({ data }: Tensor, y: IntegerArray): { labels: number; right: number } {
  let right = 0;
  for (let i = 0; i < y.length; i++) if (Number(data[i]) > 0 === (Number(y[i]) === 1)) right++;
  return { labels: y.length, right };
}

/** How many labels have the largest logit; labels outside the classes and ignored ones do not count. */
function correct({ data, shape }: Tensor, y: IntegerArray, ignored?: number): { labels: number; right: number } {
  const axis = classAxis(shape.length, 'output');
  const classes = shape[axis] ?? 1;
  if (data.length !== classes * y.length) {
    throw new ShapeError(`y: expected ${data.length / classes} labels for logits [${shape.join(', ')}], got ${y.length}`);
  }
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  let [labels, right] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    const label = Number(y[i]);
    if (label < 0 || label >= classes || label === ignored) continue;
    const base = Math.floor(i / inner) * inner * classes + (i % inner);
    let best = 0;
    for (let k = 1; k < classes; k++) if ((data[base + k * inner] as number) > (data[base + best * inner] as number)) best = k;
    labels++;
    if (best === label) right++;
  }
  return { labels, right };
}
