// From features to predictions over clusters, for labelling without a classifier.
import { checkInteger, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { type OnIteration, readIterative } from '../core/iterations.js';
import { Random } from '../core/random.js';
import { square } from '../core/square.js';
import { type FloatArray, floats, precisionOf } from '../core/tensor.js';
import { type Matrix, readMatrix } from './problem.js';
import { prepare } from './source.js';

export interface PrototypeOptions {
  readonly classes: number;
  /** Divides cosine similarities (0.1). */
  readonly temperature?: number;
  /** Passes of spherical k-means (50); it stops earlier once no sample moves. */
  readonly maxIterations?: number;
  readonly seed?: number;
  /** Called after every pass with the share of samples that moved; false stops. */
  readonly onIteration?: OnIteration;
}

export interface PrototypeResult {
  /** [N, K] */
  readonly logits: FloatArray;
  /** [K, d], of length 1. */
  readonly prototypes: FloatArray;
  /** Passes of k-means. */
  readonly iterations: number;
  /** True when no sample moved in the last pass. */
  readonly converged: boolean;
}

/**
 * Logits from features: cosine similarity to K prototypes found by spherical k-means (k-means++ start), over a temperature.
 *
 * @param features [N, d]
 * @param options `classes` K, `temperature` (0.1), `maxIterations` (50), `seed` (0), `onIteration` (return false to stop)
 * @returns `logits` [N, K] and unit `prototypes` [K, d], row-major in the precision of the features; `iterations`, `converged`
 * @throws {DomainError} when classes exceeds the samples, or a feature vector is 0; {ShapeError} when features is no matrix
 * @see Dhillon & Modha 2001, doi:10.1023/A:1007612920971; prototypes as classifiers: Caron et al. 2020, arXiv:2006.09882
 */
export function prototypeLogits(features: Matrix, options: PrototypeOptions): PrototypeResult {
  const { classes, temperature = 0.1, maxIterations = 50, seed = 0, onIteration } = readIterative(options, '{ classes }');
  const points = readMatrix('features', features);
  const { rows: n, cols: d } = points;
  checkInteger('classes', classes, 1, n);
  checkInteger('maxIterations', maxIterations, 0);
  checkPositive('temperature', temperature);
  const unit = prepare(points, 'cosine').data;
  const similarity = (i: number, c: Float64Array, k: number) => {
    let sum = 0;
    for (let p = 0; p < d; p++) sum += unit[i * d + p]! * c[k * d + p]!;
    return sum;
  };
  for (let i = 0; i < n; i++)
    if (unit.subarray(i * d, (i + 1) * d).every((v) => v === 0))
      throw new DomainError(`features: expected vectors that are not 0, got 0 in row ${i}`);

  const centres = new Float64Array(classes * d);
  const random = new Random(seed);
  const far = new Float64Array(n).fill(1);
  for (let k = 0; k < classes; k++) {
    let left = random.uniform() * far.reduce((s, v) => s + v, 0);
    let chosen = 0;
    while (chosen < n - 1 && (left -= far[chosen]!) > 0) chosen++;
    for (let p = 0; p < d; p++) centres[k * d + p] = unit[chosen * d + p]!;
    for (let i = 0; i < n; i++) far[i] = Math.min(k === 0 ? Infinity : far[i]!, Math.max(0, 1 - similarity(i, centres, k)));
  }
  const owner = new Int32Array(n).fill(-1);
  let [iterations, converged, stopped] = [0, false, false];
  while (iterations < maxIterations && !stopped) {
    let moved = 0;
    const sums = new Float64Array(classes * d);
    for (let i = 0; i < n; i++) {
      let [best, most] = [0, -Infinity];
      for (let k = 0; k < classes; k++) {
        const s = similarity(i, centres, k);
        if (s > most) [best, most] = [k, s];
      }
      if (owner[i] !== best) moved++;
      owner[i] = best;
      for (let p = 0; p < d; p++) sums[best * d + p]! += unit[i * d + p]!;
    }
    converged = moved === 0;
    iterations++;
    stopped = onIteration?.({ iteration: iterations, error: moved / n }) === false;
    if (converged) break;
    for (let k = 0; k < classes; k++) {
      let squares = 0;
      for (let p = k * d; p < (k + 1) * d; p++) squares += square(sums[p]!);
      if (squares > 0) for (let p = k * d; p < (k + 1) * d; p++) centres[p] = sums[p]! / Math.sqrt(squares);
    }
  }
  const logits = floats(precisionOf(points.data), n * classes);
  for (let i = 0; i < n; i++) for (let k = 0; k < classes; k++) logits[i * classes + k] = similarity(i, centres, k) / temperature;
  const prototypes = floats(precisionOf(points.data), classes * d);
  prototypes.set(centres);
  return { logits, prototypes, iterations, converged };
}
