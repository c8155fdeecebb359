import {
  asRecord,
  checkArray,
  checkFinite,
  checkInteger,
  checkLabels,
  checkLength,
  checkNonNegative,
  checkPositive,
} from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import {
  asTensor,
  type FloatArray,
  floats,
  type IntegerArray,
  isFloatArray,
  precisionOf,
  type Tensor,
  type TensorLike,
} from '../core/tensor.js';
import { exp, log } from '../kernels/scalar.js';

export interface BitGroup {
  /** Mean bits of the sub-network that made the logits. */
  readonly bits: number;
  /** [n, k]. */
  readonly logits: TensorLike;
}

export interface GroupProgressiveGuidanceOptions {
  /** T of the soft labels (1). */
  readonly temperature?: number;
  /** Weight of the true labels for groups below the first (0). */
  readonly labelWeight?: number;
}

/**
 * Group-progressive guidance: sub-networks of one quantised network learn from each other, widest first. The group of most bits learns from
 * the labels; every other from the softened predictions of the next wider one, which is held fixed:
 *   L = CE(y, z_1) + Σ_{g>1} T² KL(softmax(z_{g−1}/T) ‖ softmax(z_g/T)) + w·CE(y, z_g), means over samples.
 *
 * @param groups logits [n, k] of the sub-networks with their bits, in any order (equal bits keep theirs)
 * @param labels classes [n]
 * @param options `temperature` (1), `labelWeight` (w, 0)
 * @returns `value`, and per group in the order given its `values` and `grads` [n, k]
 * @throws {ShapeError | DomainError} when shapes or labels do not fit or numbers are not finite
 * @see Xu et al. 2023 (EQ-Net), arXiv:2308.07650, §3.3; soft labels: Hinton et al. 2015, arXiv:1503.02531
 */
export function groupProgressiveGuidance(
  groups: readonly BitGroup[],
  labels: IntegerArray,
  options: GroupProgressiveGuidanceOptions = {},
): { value: number; values: Float64Array; grads: Tensor<FloatArray>[] } {
  const { temperature = 1, labelWeight = 0 } = asRecord('options', options);
  checkPositive('temperature', temperature);
  checkNonNegative('labelWeight', labelWeight);
  checkArray('groups', groups);
  checkInteger('groups', groups.length, 1);
  const read = Array.from(groups, (group, g) =>
    readLogits(`groups[${g}].logits`, asRecord(`groups[${g}]`, group, '{ logits, bits }').logits),
  );
  const [{ n, k }] = read as [Logits];
  for (const [g, one] of read.entries())
    if (one.n !== n || one.k !== k) throw new ShapeError(`groups[${g}].logits: expected shape [${n}, ${k}], got [${one.n}, ${one.k}]`);
  for (const { bits } of groups) checkPositive('bits', bits);
  checkLength('labels', labels, n);
  checkLabels('labels', labels, k);
  const order = groups.map((_, g) => g).sort((a, b) => (groups[b] as BitGroup).bits - (groups[a] as BitGroup).bits || a - b);
  const values = new Float64Array(groups.length);
  const grads = read.map(({ data }) => ({ data: floats(precisionOf(data), n * k), shape: [n, k] }));
  for (const [place, g] of order.entries()) {
    const { data } = read[g] as Logits;
    const slopes = new Float64Array(n * k);
    const weight = place === 0 ? 1 : labelWeight;
    if (weight > 0) values[g] = weight * crossEntropy(data, labels, n, k, weight, slopes);
    if (place > 0) {
      const teacher = (read[order[place - 1] as number] as Logits).data;
      values[g] = (values[g] as number) + distance(teacher, data, n, k, temperature, slopes);
    }
    (grads[g] as Tensor<FloatArray>).data.set(slopes);
  }
  return { value: values.reduce((a, b) => a + b, 0), values, grads };
}

interface Logits {
  readonly data: FloatArray;
  readonly n: number;
  readonly k: number;
}

function readLogits(name: string, value: TensorLike): Logits {
  const { data, shape } = asTensor(name, value);
  const [n = 0, k = 0] = shape;
  if (shape.length !== 2 || n === 0 || k === 0) throw new ShapeError(`${name}: expected [n, k], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError(`${name}: expected float32 or float64 numbers`);
  checkFinite(name, data);
  return { data, n, k };
}

/** log softmax(z/T) of one row. */
function logSoftmax(z: FloatArray, row: number, k: number, temperature: number): Float64Array {
  const out = Float64Array.from({ length: k }, (_, j) => (z[row * k + j] as number) / temperature);
  let top = -Infinity;
  for (const v of out) top = Math.max(top, v);
  const shift = top + log(out.reduce((sum, v) => sum + exp(v - top), 0));
  return out.map((v) => v - shift);
}

function crossEntropy(z: FloatArray, labels: IntegerArray, n: number, k: number, weight: number, slopes: Float64Array): number {
  let value = 0;
  for (let i = 0; i < n; i++) {
    const logp = logSoftmax(z, i, k, 1);
    const label = Number(labels[i]);
    value -= (logp[label] as number) / n;
    for (let j = 0; j < k; j++) slopes[i * k + j] = (weight * (exp(logp[j] as number) - (j === label ? 1 : 0))) / n;
  }
  return value;
}

/** T²·KL(teacher ‖ student), adding T(p_student − p_teacher)/n to the slopes. */
function distance(teacher: FloatArray, student: FloatArray, n: number, k: number, temperature: number, slopes: Float64Array): number {
  let value = 0;
  for (let i = 0; i < n; i++) {
    const [logq, logp] = [logSoftmax(teacher, i, k, temperature), logSoftmax(student, i, k, temperature)];
    for (let j = 0; j < k; j++) {
      const q = exp(logq[j] as number);
      value += (temperature * temperature * q * ((logq[j] as number) - (logp[j] as number))) / n;
      slopes[i * k + j] = (slopes[i * k + j] as number) + (temperature * (exp(logp[j] as number) - q)) / n;
    }
  }
  return value;
}
