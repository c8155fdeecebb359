// Losses as graph nodes: logits and labels in, the mean (or sum) out; differentiated like everything else.
import { asRecord } from '../core/check.js';
import { GraphError } from '../core/errors.js';
import { type Builder, floatTensor, type Value } from './builder.js';
import { classAxis } from './class-axis.js';
import { type Dim, graphTensor } from './graph.js';

/** The losses that have a graph form; each takes what the function of its name in `afterpass/losses` takes. */
export const lossNames = ['binary-cross-entropy', 'cross-entropy', 'huber', 'mse'] as const;
export type LossName = (typeof lossNames)[number];
export interface LossSpec {
  readonly name: LossName;
  /** cross-entropy: labels of this value count nowhere. */
  readonly ignoreIndex?: number;
  /** cross-entropy: share of the target spread over all classes. */
  readonly labelSmoothing?: number;
  /** cross-entropy: a weight per class; the mean divides by the weights of the labels. */
  readonly classWeights?: ArrayLike<number>;
  /** huber: where the square turns into a line (1). */
  readonly delta?: number;
}
/** A loss in the graph. */
export interface LossNodes {
  /** Σ weight · loss over all places. */
  readonly total: Value;
  /** Σ weight: what the mean divides by. */
  readonly weight: Value;
  /** Names of the inputs that were added. */
  readonly inputs: readonly string[];
}
export interface LossOptions {
  /** Adds an input `sample_weight` [n]. */
  readonly sampleWeights?: boolean;
}

/**
 * Appends a loss on `logits`, with its labels as a new input.
 * cross-entropy: logits [n, k], [n, t, k] or [n, k, h, w]; input `labels` int64 of the logits' shape without the class axis.
 * mse (factor 1), huber, binary-cross-entropy: input `targets` of the logits' shape; the mean is over samples and outputs.
 *
 * @throws {GraphError} when the logits' rank does not fit the loss, or the loss has no graph form
 */
export function appendLoss(b: Builder, logits: Value, loss: LossSpec | LossName, options: LossOptions = {}): LossNodes {
  const spec = typeof loss === 'string' ? { name: loss } : asRecord('loss', loss, 'a name or { name }');
  if (spec.name === 'cross-entropy') return crossEntropy(b, logits, spec, options);
  const each = elementwise[spec.name];
  if (each) return targetLoss(b, logits, (targets) => each(b, logits, targets, spec), options);
  throw new GraphError(`loss: expected one of ${lossNames.join(', ')}, got '${(spec as LossSpec).name}'`);
}

const allAxes = (b: Builder, x: Value): number[] => b.shape(x).map((_, axis) => axis);

/** A weight per sample against a value of any rank. */
function perSample(b: Builder, logits: Value, rank: number, { sampleWeights }: LossOptions): Value | undefined {
  if (!sampleWeights) return undefined;
  const weights = b.input('sample_weight', b.elementType(logits), [b.shape(logits)[0]!]);
  return b.unsqueeze(
    weights,
    Array.from({ length: rank - 1 }, (_, i) => i + 1),
  );
}

function crossEntropy(b: Builder, logits: Value, spec: LossSpec, options: LossOptions): LossNodes {
  const { ignoreIndex, labelSmoothing = 0, classWeights } = spec;
  const shape = b.shape(logits);
  const axis = classAxis(shape.length, logits);
  const classes = shape[axis]!;
  if (typeof classes !== 'number') throw new GraphError(`${logits}: expected a known number of classes, got ${classes}`);
  const type = b.elementType(logits);
  const labels = b.input(
    'labels',
    'int64',
    shape.filter((_, i) => i !== axis),
  );
  const logp = b.op('LogSoftmax', [logits], { axis });

  // 0/1 targets along the class axis: no label equals an index it ignores, wherever that lies.
  const along = shape.map((_, i): Dim => (i === axis ? classes : 1));
  const indices = Array.from({ length: classes }, (_, i) => (i === ignoreIndex ? -(2 ** 40) : i));
  const range = b.constant(graphTensor('int64', indices, along as number[]));
  const chosen = b.cast(b.op('Equal', [b.unsqueeze(labels, [axis]), range]), type);
  const weightsOfClass = classWeights && b.constant(floatTensor(type, classWeights, along as number[]));
  if (classWeights && classWeights.length !== classes) {
    throw new GraphError(`classWeights: expected ${classes} numbers, got ${classWeights.length}`);
  }
  const weighted = weightsOfClass ? b.mul(chosen, weightsOfClass) : chosen;

  const sample = perSample(b, logits, shape.length, options);
  const hit = sample ? b.mul(weighted, sample) : weighted;
  let targets = hit;
  if (labelSmoothing > 0) {
    // (1 − ε) on the label and ε/k on every class, each class with its weight.
    const counted = b.reduceSum(chosen, [axis], true);
    const even = b.scale(weightsOfClass ? b.mul(counted, weightsOfClass) : counted, labelSmoothing / classes);
    targets = b.add(b.scale(hit, 1 - labelSmoothing), sample ? b.mul(even, sample) : even);
  }
  const total = b.neg(b.reduceSum(b.mul(targets, logp), allAxes(b, logp)));
  const plain = ignoreIndex === undefined && !classWeights && !sample;
  const places = allAxes(b, logits).filter((i) => i !== axis);
  const weight = plain ? b.count(logits, places, logits) : b.reduceSum(hit, allAxes(b, hit));
  return { total, weight, inputs: ['labels', ...(sample ? ['sample_weight'] : [])] };
}

/** The loss of every output from logits and targets, for losses that are sums over outputs. */
const elementwise: Partial<Record<LossName, (b: Builder, z: Value, t: Value, spec: LossSpec) => Value>> = {
  mse(b, z, t) {
    const difference = b.sub(z, t);
    return b.mul(difference, difference);
  },
  // c·(r − c/2) with c = r clipped to ±delta: ½r² inside, delta·(|r| − ½delta) outside.
  huber(b, z, t, { delta = 1 }) {
    const r = b.sub(z, t);
    const c = b.op('Clip', [r, b.scalar(r, -delta), b.scalar(r, delta)]);
    return b.mul(c, b.sub(r, b.scale(c, 0.5)));
  },
  'binary-cross-entropy': (b, z, t) => b.sub(b.op('Softplus', [z]), b.mul(t, z)),
};

function targetLoss(b: Builder, logits: Value, loss: (targets: Value) => Value, options: LossOptions): LossNodes {
  const shape = b.shape(logits);
  const values = loss(b.input('targets', b.elementType(logits), shape));
  const sample = perSample(b, logits, shape.length, options);
  const weighted = sample ? b.mul(values, sample) : values;
  const total = b.reduceSum(weighted, allAxes(b, weighted));
  const each = shape.slice(1).map((_, i) => i + 1);
  const weight = sample
    ? b.mul(b.reduceSum(sample, allAxes(b, sample)), b.count(logits, each, logits))
    : b.count(logits, allAxes(b, logits), logits);
  return { total, weight, inputs: ['targets', ...(sample ? ['sample_weight'] : [])] };
}
