// Sharpness-aware training for free: the model is held to what it said some epochs ago.
import { asRecord, checkFinite, checkInteger, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import {
  asFloats,
  asTensor,
  describe,
  type FloatArray,
  floats,
  isTypedArray,
  precisionOf,
  type Tensor,
  type TensorLike,
} from '../core/tensor.js';
import { log } from '../kernels/scalar.js';
import { softmaxRows } from '../kernels/softmax-rows.js';
import { withArena } from '../runtime/instance.js';

/**
 * Trajectory loss (SAF, MESA): the divergence of the present predictions from those of the same samples some epochs ago.
 *   (λ T²/n) Σ_i KL(softmax(past_i/T) ‖ softmax(logits_i/T));  gradient in the logits: (λ T/n)(p_T − past_T)
 *
 * @param logits [n, k]; @param past [n, k], logits of the same samples from E epochs ago (SAF) or of averaged weights (MESA)
 * @param options `temperature` T (5), `weight` λ (0.3)
 * @returns `value`, `grad` [n, k] in the precision of the logits, `perSample` [n] unweighted divergences; 0 when both are the same
 * @throws {ShapeError} when the shapes differ; {DomainError} on NaN, or a temperature that is not > 0
 * @see Du et al. 2022, arXiv:2205.14083, eq. 6–8
 */
export function trajectoryLoss(
  logits: TensorLike,
  past: TensorLike,
  options: { temperature?: number; weight?: number } = {},
): { value: number; grad: Tensor<FloatArray>; perSample: Float64Array } {
  asRecord('options', options);
  const { temperature = 5, weight = 0.3 } = options;
  checkPositive('temperature', temperature);
  checkPositive('weight', weight);
  const now = asTensor('logits', logits);
  const then = asTensor('past', past);
  const [n = 0, k = 0] = now.shape;
  if (now.shape.length !== 2 || then.shape.join() !== now.shape.join())
    throw new ShapeError(`past: expected shape [${now.shape.join(', ')}], got [${then.shape.join(', ')}]`);
  const given = asFloats('logits', now.data);
  checkFinite('logits', given);
  checkFinite('past', asFloats('past', then.data));
  const shares = (data: ArrayLike<number>) =>
    withArena((arena) => {
      const z = arena.put(Float64Array.from(data, (x) => Number(x) / temperature));
      const p = arena.alloc('f64', n * k);
      if (n * k > 0) softmaxRows(p, z, n, k);
      return arena.take(p);
    });
  const [p, q] = [shares(given), shares(then.data as ArrayLike<number>)];
  const grad = floats(precisionOf(given), n * k);
  const perSample = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = i * k; j < (i + 1) * k; j++) {
      if (q[j]! > 0) perSample[i] = perSample[i]! + q[j]! * (log(q[j]!) - log(Math.max(p[j]!, Number.MIN_VALUE)));
      grad[j] = ((weight * temperature) / n) * (p[j]! - q[j]!);
    }
  }
  const value = perSample.reduce((sum, x) => sum + (weight * temperature * temperature * x) / n, 0);
  return { value, grad: { data: grad, shape: [n, k] }, perSample };
}

/**
 * The logits of every sample from a fixed number of epochs ago: what SAF compares with.
 * @see Du et al. 2022, arXiv:2205.14083, algorithm 1
 */
export class LogitMemory {
  readonly #delay: number;
  readonly #classes: number;
  readonly #epochs: Float32Array[] = [];
  readonly #samples: number;

  /** @param samples in the data set; @param classes outputs; @param options `delay` E in epochs (3) */
  constructor(samples: number, classes: number, options: { delay?: number } = {}) {
    asRecord('options', options);
    const { delay = 3 } = options;
    checkInteger('samples', samples, 1);
    checkInteger('classes', classes, 1);
    checkInteger('delay', delay, 1);
    this.#samples = samples;
    this.#classes = classes;
    this.#delay = delay;
  }

  /** Keeps the logits [n, k] of samples `indices` in this epoch (counted from 0). @throws {ShapeError | DomainError} */
  record(epoch: number, indices: ArrayLike<number>, logits: TensorLike): void {
    checkInteger('epoch', epoch, 0);
    checkIndices(indices);
    const { data, shape } = asTensor('logits', logits);
    if (shape[0] !== indices.length || shape[1] !== this.#classes)
      throw new ShapeError(`logits: expected shape [${indices.length}, ${this.#classes}], got [${shape.join(', ')}]`);
    checkFinite('logits', asFloats('logits', data));
    const slot = epoch % (this.#delay + 1);
    this.#epochs[slot] ??= new Float32Array(this.#samples * this.#classes);
    for (let i = 0; i < indices.length; i++) {
      checkInteger('indices', indices[i], 0, this.#samples - 1);
      for (let j = 0; j < this.#classes; j++) this.#epochs[slot]![indices[i]! * this.#classes + j] = Number(data[i * this.#classes + j]);
    }
  }

  /** Logits of samples `indices` from `delay` epochs before this one [n, k]; undefined while the run is younger than that. */
  past(epoch: number, indices: ArrayLike<number>): Tensor<Float32Array> | undefined {
    checkInteger('epoch', epoch, 0);
    checkIndices(indices);
    const stored = epoch >= this.#delay ? this.#epochs[(epoch - this.#delay) % (this.#delay + 1)] : undefined;
    if (!stored) return undefined;
    const out = new Float32Array(indices.length * this.#classes);
    for (let i = 0; i < indices.length; i++) {
      const from = indices[i]! * this.#classes;
      if (!(from >= 0 && from < stored.length))
        throw new DomainError(`indices: expected samples from 0 to ${this.#samples - 1}, got ${indices[i]}`);
      out.set(stored.subarray(from, from + this.#classes), i * this.#classes);
    }
    return { data: out, shape: [indices.length, this.#classes] };
  }
}

function checkIndices(indices: ArrayLike<number>): void {
  if (!Array.isArray(indices) && !isTypedArray(indices))
    throw new DomainError(`indices: expected an array of sample numbers, got ${describe(indices)}`);
}
