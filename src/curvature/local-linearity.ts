import { samplesOf } from '../core/batches.js';
import { asRecord, checkFinite, checkLength, checkNonNegative, checkPositive, checkRange } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import type { Batch, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { square } from '../core/square.js';
import { readLong, stepper } from '../core/stepper.js';
import type { NumberArray, TensorLike } from '../core/tensor.js';
import { asFloats, asTensor, floats, precisionOf } from '../core/tensor.js';
import { checkModel } from './operators.js';
import { sampleLosses } from './sample-losses.js';

/** The random points of one evaluation, to repeat it exactly: ends [n, …] of a segment per sample and the place between them [n]. */
export interface LinearityDraws {
  readonly from: TensorLike;
  readonly to: TensorLike;
  readonly fraction: NumberArray;
}

/**
 * Local linearity error of the loss in its input: how far the loss between two random points near a sample is from the straight line
 * through them. It jumps before adversarial training by single steps collapses; forward passes only.
 *   x_a, x_b = x + U(−ε, ε), t ~ U(0, 1), x_c = (1 − t) x_a + t x_b;  E = mean_i (ℓ(x_c) − (1 − t) ℓ(x_a) − t ℓ(x_b))²
 * For a quadratic loss with Hessian H in the input, E = (½ t(1 − t)·(x_b − x_a)ᵀH(x_b − x_a))² exactly.
 *
 * @param model a model with `predict` and `loss`, one input; @param batch n samples; weights play no part
 * @param options `epsilon` half-width in units of the input (8/255), `seed` (0), or `draws` { from, to, fraction } in place of both
 * @returns `value` E, `perSample` squared errors [n]
 * @throws {ShapeError | DomainError} on an empty batch or draws that do not fit
 * @see Rocamora et al. 2024, arXiv:2401.11618 (ELLE), eq. 5
 */
export async function localLinearity(
  model: DifferentiableModel,
  batch: Batch,
  options: LongOptions & { epsilon?: number; seed?: number; draws?: LinearityDraws } = {},
): Promise<{ value: number; perSample: Float64Array }> {
  checkModel(model, 'predict', 'loss');
  const { draws } = readLong(options);
  const n = samplesOf(batch);
  if (n === 0) throw new ShapeError('batch: expected at least one sample, got none');
  const { x } = batch;
  const named = 'data' in x ? undefined : Object.keys(x);
  if (named && named.length !== 1) throw new ShapeError(`x: expected one input, got ${named.length}`);
  const center = asTensor('x', named ? (x as Record<string, TensorLike>)[named[0]!] : x);
  const { from, to, fraction } = draws ? given(draws, center.data.length, n) : drawn(center.data, n, options);
  const width = center.data.length / n;
  const between = from.map((a, i) => {
    const t = fraction[Math.floor(i / width)]!;
    return (1 - t) * a + t * to[i]!;
  });
  const losses = async (points: Float64Array) => {
    const data = floats(precisionOf(asFloats('x', center.data)), points.length);
    data.set(points);
    const moved = { data, shape: center.shape };
    return sampleLosses(model, { ...batch, x: named ? { [named[0]!]: moved } : moved });
  };
  const step = stepper(options, 3);
  const [a, b, c] = [await step(() => losses(from)), await step(() => losses(to)), await step(() => losses(between))];
  const perSample = c.map((loss, i) => square(loss - (1 - fraction[i]!) * a[i]! - fraction[i]! * b[i]!));
  return { value: perSample.reduce((sum, e) => sum + e / n, 0), perSample };
}

function drawn(center: ArrayLike<number | bigint>, n: number, { epsilon = 8 / 255, seed = 0 }: { epsilon?: number; seed?: number }) {
  checkPositive('epsilon', epsilon);
  const random = new Random(seed);
  const jitter = () => Float64Array.from(center as ArrayLike<number>, (x) => Number(x) + epsilon * (2 * random.uniform() - 1));
  return { from: jitter(), to: jitter(), fraction: random.fill(new Float64Array(n), 'uniform') };
}

function given(draws: LinearityDraws, size: number, n: number) {
  const { from, to, fraction } = asRecord('draws', draws, '{ from, to, fraction }');
  const read = (name: string, value: TensorLike) => {
    const numbers = Float64Array.from(asFloats(name, asTensor(name, value).data));
    checkLength(name, numbers, size);
    checkFinite(name, numbers);
    return numbers;
  };
  const place = Float64Array.from(asFloats('fraction', fraction));
  checkLength('fraction', place, n);
  for (const t of place) checkRange('fraction', t, 0, 1);
  return { from: read('from', from), to: read('to', to), fraction: place };
}

/**
 * The weight of the local-linearity penalty during training (ELLE-A): it jumps to its maximum when the error is an outlier among those
 * seen so far, and decays otherwise, so that the penalty costs nothing while the loss is locally linear.
 *
 * @see Rocamora et al. 2024, arXiv:2401.11618, algorithm 1
 */
export class ElleSchedule {
  readonly #options: { readonly largest: number; readonly decay: number; readonly deviations: number };
  #weight = 0;
  #count = 0;
  #mean = 0;
  #squares = 0;

  /** @param options `largest` weight (4000), `decay` per step (0.99), `deviations` above the mean that count as an outlier (2) */
  constructor(options: { largest?: number; decay?: number; deviations?: number } = {}) {
    asRecord('options', options);
    const { largest = 4000, decay = 0.99, deviations = 2 } = options;
    checkNonNegative('largest', largest);
    checkRange('decay', decay, 0, 1);
    checkPositive('deviations', deviations);
    this.#options = { largest, decay, deviations };
  }

  /** The weight for this step, given its local linearity error; the error joins the history. @throws {DomainError} on a negative error */
  next(error: number): number {
    checkNonNegative('error', error);
    const { largest, decay, deviations } = this.#options;
    const spread = this.#count > 0 ? Math.sqrt(this.#squares / this.#count) : 0;
    const outlier = this.#count > 2 && error > this.#mean + deviations * spread;
    this.#weight = outlier ? largest : this.#weight * decay;
    this.#count++;
    const gap = error - this.#mean;
    this.#mean += gap / this.#count;
    this.#squares += gap * (error - this.#mean);
    return this.#weight;
  }
}
