import { checkFinite, checkInteger, checkLength, checkNonNegative, checkNotEmpty, checkPositive, checkRange } from '../core/check.js';
import { asFloats, type NumberArray } from '../core/tensor.js';
import { dirichletMaxDensity } from './dirichlet-max-density.js';
import { checkProblem } from './problem.js';
import { corners, residualResample } from './residual-resample.js';

export interface AdaptiveSamplerOptions {
  /** Cells along every axis of the box. */
  readonly shape: readonly number[];
  /** Corners of the box, one number per axis (0 and 1). */
  readonly lower?: NumberArray;
  readonly upper?: NumberArray;
  /** Price of slopes (0.01), for residuals scaled to mean square 1 on a box scaled to longest side 1: less is more pointed. */
  readonly beta?: number;
  /** Share of the points that stays uniform (0.1), so that no place is forgotten. */
  readonly uniform?: number;
  readonly seed?: number;
}

/** What `adversarialAdaptiveSampler` makes. */
export interface AdaptiveSampler {
  /** Centres of the cells [cells, d]: where residuals are wanted. */
  readonly cells: { readonly data: Float64Array; readonly shape: readonly number[] };
  /** The present density of every cell, of integral 1; uniform before the first update. */
  readonly density: Float64Array;
  /** Takes the residuals at the cells and moves the density to where they are large. */
  update(residuals: NumberArray): void;
  /** `count` points [count, d] from the density; other ones at every call. */
  draw(count: number): { readonly data: Float64Array; readonly shape: readonly number[] };
}

/**
 * Adversarial adaptive sampling for residual minimisation (PINNs): min over models, max over densities p, of E_p[r²] − β ∫ |∇p|². The
 * model minimises the mean squared residual at drawn points; now and then `update` gives the maximiser the residuals of the cells.
 * The density lives on a grid in place of the paper's normalising flow: for boxes of one to three dimensions.
 *
 * @param options `shape` cells per axis, `lower` (0), `upper` (1), relative `beta` (0.01), `uniform` share (0.1), `seed` (0)
 * @returns `cells`, `density`, `update(residuals)`, `draw(count)`
 * @throws {ShapeError} on an empty shape, corners or residuals of another length; {DomainError} on β ≤ 0, NaN, a share outside 0 … 1
 * @see Tang, Zhai, Wan & Yang 2024, arXiv:2305.18702, algorithm 1
 */
export function adversarialAdaptiveSampler(options: AdaptiveSamplerOptions): AdaptiveSampler {
  checkProblem('options', options, '{ shape, … }');
  const { shape, beta = 0.01, uniform = 0.1, seed = 0 } = options;
  checkNotEmpty('shape', shape);
  for (const extent of shape) checkInteger('shape', extent, 1);
  checkPositive('beta', beta);
  checkNonNegative('seed', seed);
  checkRange('uniform', uniform, 0, 1);
  const [lower, upper] = corners(options, shape.length);
  const lengths = upper.map((high, axis) => high - lower[axis]!);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const volume = lengths.reduce((product, length) => product * length, 1);
  let density: Float64Array = new Float64Array(size).fill(1 / volume);
  let draws = 0;
  return {
    cells: { data: centres(shape, lower, lengths), shape: [size, shape.length] },
    get density() {
      return density;
    },
    update(residuals) {
      const r = Float64Array.from(asFloats('residuals', residuals), (v) => v * v);
      checkLength('residuals', r, size);
      checkFinite('residuals', r);
      const mean = r.reduce((sum, v) => sum + v / size, 0);
      if (mean === 0) return;
      // On the unit box with mean reward 1, so that β means the same at every stage of training.
      const { density: found } = dirichletMaxDensity(
        { data: r.map((v) => v / mean), shape },
        { beta, lengths: lengths.map((length) => length / largestOf(lengths)) },
      );
      const scale = size / found.data.reduce((sum, v) => sum + v, 0);
      density = found.data.map((v) => ((1 - uniform) * v * scale + uniform) / volume);
    },
    draw: (count) => residualResample({ data: density, shape }, count, { lower, upper, seed: seed + 7919 * draws++ }),
  };
}

function largestOf(values: Float64Array): number {
  return values.reduce((top, v) => Math.max(top, v), 0);
}

/** Centres of all cells [cells, d], last axis fastest. */
function centres(shape: readonly number[], lower: Float64Array, lengths: Float64Array): Float64Array {
  const d = shape.length;
  const size = shape.reduce((product, extent) => product * extent, 1);
  const out = new Float64Array(size * d);
  for (let i = 0; i < size; i++) {
    let rest = i;
    for (let axis = d - 1; axis >= 0; axis--) {
      out[i * d + axis] = lower[axis]! + (((rest % shape[axis]!) + 0.5) / shape[axis]!) * lengths[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
  }
  return out;
}
