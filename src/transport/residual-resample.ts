import { asRecord, checkInteger, checkLength, checkNonNegative } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { Random } from '../core/random.js';
import { asFloats, asTensor, type NumberArray, type TensorLike } from '../core/tensor.js';

export interface ResampleOptions {
  /** The corner of the box with the least coordinates, one per axis (0), and its opposite (1). */
  readonly lower?: NumberArray;
  readonly upper?: NumberArray;
  /** One draw in each of `count` equal parts of the mass, in the order of the cells, rather than independent draws (false). */
  readonly stratified?: boolean;
  readonly seed?: number;
}

/**
 * Points drawn from a density on a regular grid of cells: a cell by inverse distribution function, a place in it uniformly.
 *
 * @param density [n_1, …, n_d] ≥ 0, any total: of `dirichletMaxDensity`, or squared residuals themselves
 * @param count of points
 * @param options `lower` (0) and `upper` (1) corners, `stratified` (false), `seed` (0)
 * @returns `data` [count, d] f64 with its `shape`
 * @throws {ShapeError} when corners do not fit the grid; {DomainError} on negative densities, NaN, only zeros, an empty box
 * @see Tang, Zhai, Wan & Yang 2024, arXiv:2305.18702, §3.3 (where a flow takes the place of the grid)
 */
export function residualResample(
  density: TensorLike,
  count: number,
  options: ResampleOptions = {},
): { readonly data: Float64Array; readonly shape: readonly number[] } {
  const { stratified = false, seed = 0 } = asRecord('options', options);
  checkInteger('count', count, 0);
  checkNonNegative('seed', seed);
  const { data, shape } = asTensor('density', density);
  if (shape.length === 0 || data.length === 0) throw new ShapeError(`density: expected at least one cell, got shape [${shape.join(', ')}]`);
  const [lower, upper] = corners(options, shape.length);
  const p = asFloats('density', data);
  const sums = new Float64Array(p.length);
  let total = 0;
  for (let i = 0; i < p.length; i++) {
    if (!(p[i]! >= 0 && p[i]! < Infinity)) throw new DomainError(`density: expected numbers >= 0, got ${p[i]} at index ${i}`);
    total += p[i]!;
    sums[i] = total;
  }
  if (!(total > 0)) throw new DomainError('density: expected at least one cell > 0, got only zeros');
  const random = new Random(seed);
  const d = shape.length;
  const out = new Float64Array(count * d);
  for (let k = 0; k < count; k++) {
    const u = stratified ? (k + random.uniform()) / count : random.uniform();
    let cell = firstAbove(sums, u * total);
    for (let axis = d - 1; axis >= 0; axis--) {
      const n = shape[axis]!;
      const place = ((cell % n) + random.uniform()) / n;
      out[k * d + axis] = lower[axis]! + place * (upper[axis]! - lower[axis]!);
      cell = Math.floor(cell / n);
    }
  }
  return { data: out, shape: [count, d] };
}

/** Opposite corners of a box of d dimensions, checked. */
export function corners(options: { lower?: NumberArray; upper?: NumberArray }, d: number): [Float64Array, Float64Array] {
  const read = (name: 'lower' | 'upper', fill: number) => {
    const values = Float64Array.from(asFloats(name, options[name] ?? new Float64Array(d).fill(fill)));
    checkLength(name, values, d);
    return values;
  };
  const [lower, upper] = [read('lower', 0), read('upper', 1)];
  for (let axis = 0; axis < d; axis++) {
    if (!(upper[axis]! - lower[axis]! > 0 && upper[axis]! - lower[axis]! < Infinity))
      throw new DomainError(`upper: expected more than lower (${lower[axis]}) on axis ${axis}, got ${upper[axis]}`);
  }
  return [lower, upper];
}

/** The first index whose running sum is above `target`: cells of mass 0 are never chosen. */
function firstAbove(sums: Float64Array, target: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}
