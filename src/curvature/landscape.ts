import { checkAborted } from '../core/batches.js';
import { asRecord, checkArray, checkFinite, checkFunction, checkInteger, checkLength, checkPositive } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { Data, DifferentiableModel, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { readLong } from '../core/stepper.js';
import { asFloats, type FloatArray } from '../core/tensor.js';
import { exp, log } from '../kernels/scalar.js';
import { asModelVector, atParameters } from './at-parameters.js';
import { checkModel } from './operators.js';

/**
 * How many classes there are, and how many draws it takes to see them all, from how often each class seen was met: the coupon collector
 * for equally likely classes, the lower bound of Chao for any.
 *   equal: the M with M(1 − (1 − 1/M)ⁿ) = distinct;  Chao: distinct + f₁(f₁ − 1)/(2(f₂ + 1)), f_j classes met j times
 *
 * @param counts times each distinct class was met, all ≥ 1
 * @returns `equal` (Infinity when every draw was new), `chao`, `unseen` = equal − distinct, `drawsForAll` = M·(1 + ½ + … + 1/M)
 * @throws {DomainError} on counts that are not positive integers
 * @see Chao 1984; coupon collector: Feller, An Introduction to Probability Theory, §IX.3
 */
export function couponCollectorEstimate(counts: ArrayLike<number>): { equal: number; chao: number; unseen: number; drawsForAll: number } {
  checkArray('counts', counts);
  const distinct = counts.length;
  let draws = 0;
  let [once, twice] = [0, 0];
  for (let i = 0; i < distinct; i++) {
    checkInteger(`counts[${i}]`, counts[i], 1);
    draws += counts[i]!;
    if (counts[i] === 1) once++;
    if (counts[i] === 2) twice++;
  }
  const chao = distinct + (once * (once - 1)) / (2 * (twice + 1));
  const seen = (m: number) => m * (1 - exp(draws * log(1 - 1 / m)));
  let equal: number = distinct;
  if (distinct > 1 && distinct === draws) equal = Number.POSITIVE_INFINITY;
  else if (distinct > 1) {
    let [low, high] = [distinct, 2 * distinct];
    while (seen(high) < distinct) high *= 2;
    for (let i = 0; i < 200; i++) {
      const middle = (low + high) / 2;
      if (seen(middle) < distinct) low = middle;
      else high = middle;
    }
    equal = high;
  }
  const whole = Math.round(equal);
  let harmonic = 0;
  if (Number.isFinite(whole)) for (let i = 1; i <= Math.min(whole, 1e7); i++) harmonic += 1 / i;
  return { equal, chao, unseen: equal - distinct, drawsForAll: Number.isFinite(whole) ? whole * harmonic : Number.POSITIVE_INFINITY };
}

/** A minimum that some restarts reached. */
export interface Minimum {
  /** What identifies it: numbers that symmetries of the landscape leave alone. */
  readonly invariants: Float64Array;
  readonly value: number;
  readonly count: number;
}

/**
 * Counts the distinct minima of a landscape by restarts: each run is reduced to invariants, runs whose invariants agree are one minimum.
 *
 * @param minimize from a random generator to { value, invariants } of the point reached, or undefined for a run that failed
 * @param options `restarts` (100), `tolerance` on the distance between invariants relative to 1 + their norm (1e-6), `seed` (0), `signal`,
 *   `onProgress`
 * @returns `minima` most frequent first, `runs` that succeeded, `estimate` of all there are (`couponCollectorEstimate`)
 * @throws {ShapeError | DomainError} on invariants of different lengths, or that are not finite
 * @see arXiv:2306.14817 (black holes and the loss landscape), §4
 */
export async function countMinima(
  minimize: (
    random: Random,
  ) => { value: number; invariants: ArrayLike<number> } | undefined | Promise<{ value: number; invariants: ArrayLike<number> } | undefined>,
  options: LongOptions & { restarts?: number; tolerance?: number; seed?: number } = {},
): Promise<{ minima: Minimum[]; runs: number; estimate: ReturnType<typeof couponCollectorEstimate> }> {
  const { restarts = 100, tolerance = 1e-6, seed = 0, signal, onProgress } = readLong(options);
  checkFunction('minimize', minimize);
  checkInteger('restarts', restarts, 1);
  checkPositive('tolerance', tolerance);
  const random = new Random(seed);
  const found: { invariants: Float64Array; value: number; count: number }[] = [];
  let runs = 0;
  for (let run = 0; run < restarts; run++) {
    checkAborted(signal);
    const reached = await minimize(random);
    onProgress?.({ done: run + 1, total: restarts, phase: 'restarts' });
    if (!reached) continue;
    runs++;
    const invariants = Float64Array.from(asFloats('invariants', asRecord('minimize', reached, '{ value, invariants }').invariants));
    checkFinite('invariants', invariants);
    const first = found[0];
    if (first && first.invariants.length !== invariants.length)
      throw new ShapeError(`invariants: expected ${first.invariants.length} elements, got ${invariants.length}`);
    let scale = 1;
    for (const x of invariants) scale = Math.max(scale, Math.abs(x));
    const same = found.find((minimum) => minimum.invariants.every((x, i) => Math.abs(x - invariants[i]!) <= tolerance * scale));
    if (same) {
      same.count++;
      same.value = Math.min(same.value, reached.value);
    } else found.push({ invariants, value: reached.value, count: 1 });
  }
  found.sort((a, b) => b.count - a.count || a.value - b.value);
  return { minima: found, runs, estimate: couponCollectorEstimate(found.map(({ count }) => count)) };
}

/** The loss along a path between two parameter vectors. */
export interface Connection {
  /** Highest loss on the path minus the higher of its ends; ≤ 0 when the path never rises above them. */
  readonly barrier: number;
  readonly t: Float64Array;
  readonly loss: Float64Array;
}

/**
 * Mode connectivity: the barrier between two minima along the straight segment, and along a quadratic Bézier curve whose middle point is
 * trained to keep the path low.
 *   w(t) = (1 − t)² a + 2t(1 − t) c + t² b, c by gradient descent on E_t L(w(t))
 *
 * @param model any DifferentiableModel; its parameters are put back; @param data the loss is the mean over it
 * @param a first parameters [d]; @param b second parameters [d]
 * @param options `points` on each path (21), `steps` of descent for the curve (0: the segment only), `learningRate` (0.1), `seed` (0), `signal`
 * @returns `segment` and, when trained, `curve`, each { barrier, t, loss }, and the curve's middle point `control` [d]
 * @throws {ShapeError} on lengths that differ from the model's
 * @see Garipov et al. 2018, arXiv:1802.10026
 */
export async function modeConnectivity(
  model: DifferentiableModel,
  data: Data,
  a: FloatArray,
  b: FloatArray,
  options: LongOptions & { points?: number; steps?: number; learningRate?: number; seed?: number } = {},
): Promise<{ segment: Connection; curve: Connection | undefined; control: FloatArray | undefined }> {
  checkModel(model, 'loss', 'gradient', 'getParameters', 'setParameters');
  const { points = 21, steps = 0, learningRate = 0.1, seed = 0, signal, onProgress } = readLong(options);
  checkInteger('points', points, 3);
  checkInteger('steps', steps, 0);
  checkPositive('learningRate', learningRate);
  for (const [name, w] of [['a', a] as const, ['b', b] as const]) {
    checkLength(name, w, model.parameterCount);
    checkFinite(name, w);
  }
  const middle = Float64Array.from(a, (x, i) => (x + b[i]!) / 2);
  const at = (t: number, c: Float64Array) =>
    asModelVector(
      model,
      c.map((x, i) => (1 - t) * (1 - t) * a[i]! + 2 * t * (1 - t) * x + t * t * b[i]!),
    );
  const along = async (c: Float64Array): Promise<Connection> => {
    const t = Float64Array.from({ length: points }, (_, i) => i / (points - 1));
    const loss = new Float64Array(points);
    for (const [i, place] of t.entries()) {
      checkAborted(signal);
      loss[i] = await atParameters(model, at(place, c), () => model.loss(data));
    }
    const barrier = loss.reduce((top, x) => Math.max(top, x), Number.NEGATIVE_INFINITY) - Math.max(loss[0]!, loss[points - 1]!);
    return { barrier, t, loss };
  };
  const segment = await along(middle);
  if (steps === 0) return { segment, curve: undefined, control: undefined };
  const random = new Random(seed);
  let c = middle;
  for (let step = 0; step < steps; step++) {
    checkAborted(signal);
    const t = random.uniform();
    const { grad } = await atParameters(model, at(t, c), () => model.gradient(data));
    if (!grad.every(Number.isFinite))
      throw new DomainError('learningRate: expected a rate at which the curve stays finite, got a larger one');
    c = c.map((x, i) => x - learningRate * 2 * t * (1 - t) * grad[i]!);
    onProgress?.({ done: step + 1, total: steps, phase: 'curve' });
  }
  return { segment, curve: await along(c), control: asModelVector(model, c) };
}
