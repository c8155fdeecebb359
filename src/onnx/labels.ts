// Labels and targets of a batch as the tensors that loss nodes read; everything is checked here, before a graph runs.
import { checkFinite, checkLength } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Batch } from '../core/model-types.js';
import { asTensor, isFloatArray, isIntegerArray, isTypedArray, sizeOf, type TypedArray } from '../core/tensor.js';
import { classAxis } from './class-axis.js';
import { convert } from './feeds.js';
import type { ElementType } from './graph.js';
import type { LossSpec } from './losses.js';
import type { Feed } from './session.js';

/**
 * The label, target and weight inputs of a loss on logits of this shape and type.
 * @throws {DomainError} for a label out of range or numbers that are not finite, {ShapeError} when labels and logits do not fit
 */
export function lossFeeds(
  { y, weights }: Pick<Batch, 'y' | 'weights'>,
  loss: LossSpec,
  logits: readonly number[],
  type: ElementType,
): Record<string, Feed> {
  const feeds = loss.name === 'cross-entropy' ? labelFeeds(y, loss, logits) : targetFeeds(y, loss, logits, type);
  if (!weights) return feeds;
  const samples = logits[0] as number;
  checkLength('weights', weights, samples);
  checkFinite('weights', weights);
  return { ...feeds, sample_weight: { data: convert('weights', weights, type), shape: [samples], type } };
}

function dataOf(y: Batch['y']): TypedArray {
  return isTypedArray(y) ? y : asTensor('y', y).data;
}

function targetFeeds(y: Batch['y'], { name }: LossSpec, shape: readonly number[], type: ElementType): Record<string, Feed> {
  const data = dataOf(y);
  if (data.length !== sizeOf(shape))
    throw new ShapeError(`y: expected targets of shape [${shape.join(', ')}] for ${name}, got ${data.length} numbers`);
  if (isFloatArray(data)) checkFinite('y', data);
  if (name === 'binary-cross-entropy') {
    const at = Array.prototype.findIndex.call(data, (t) => !(t >= 0 && t <= 1));
    if (at >= 0) throw new DomainError(`y: expected targets from 0 to 1 for ${name}, got ${data[at]} at index ${at}`);
  }
  return { targets: { data: convert('y', data, type), shape, type } };
}

function labelFeeds(y: Batch['y'], { ignoreIndex }: LossSpec, logits: readonly number[]): Record<string, Feed> {
  const data = dataOf(y);
  const axis = classAxis(logits.length, 'output');
  const classes = logits[axis] as number;
  const shape = logits.filter((_, at) => at !== axis);
  if (data.length !== sizeOf(shape)) throw new ShapeError(`y: expected labels of shape [${shape.join(', ')}], got ${data.length}`);
  if (!isIntegerArray(data))
    throw new DomainError(`y: expected integer labels for cross-entropy, got ${Object.prototype.toString.call(data).slice(8, -1)}`);
  for (let i = 0; i < data.length; i++) {
    const label = Number(data[i]);
    if (label === ignoreIndex || (label >= 0 && label < classes)) continue;
    throw new DomainError(`y: expected labels from 0 to ${classes - 1}, got ${label} at index ${i} (label out of range)`);
  }
  return { labels: { data: convert('y', data, 'int64'), shape, type: 'int64' } };
}
