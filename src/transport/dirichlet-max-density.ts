// Where a residual is large, smoothed: the adversary's density in adaptive sampling, on a grid.

import { checkFinite, checkInteger, checkLength, checkPositive } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { asFloats, asTensor, type NumberArray, type TensorLike } from '../core/tensor.js';
import { Grid } from './grid.js';

export interface DirichletOptions {
  /** β > 0: the larger, the closer to uniform, in units of the reward times length². */
  readonly beta: number;
  /** Side lengths of the box, one per axis (1). */
  readonly lengths?: NumberArray;
  /** Changes of the set where the density is 0 (100). */
  readonly maxIterations?: number;
  /** Called after every change of that set with the cells that changed; false stops. */
  readonly onIteration?: (info: { readonly iteration: number; readonly error: number }) => unknown;
}

export interface DirichletDensity {
  /** Density of every cell, ≥ 0, of integral 1, in the shape of the reward. */
  readonly density: { readonly data: Float64Array; readonly shape: readonly number[] };
  /** ∫ p·reward − β ∫ |∇p|² */
  readonly objective: number;
  /** The price of mass c: reward + 2βΔp = c wherever p > 0, and at most c elsewhere. */
  readonly multiplier: number;
  readonly iterations: number;
  readonly converged: boolean;
}

/**
 * The density that gathers most of a reward at a price on its slope: argmax over p ≥ 0, ∫p = 1, of ∫ p·reward − β ∫ |∇p|², on a regular
 * grid of cells with no flow through the boundary. A Poisson problem where p > 0 everywhere, an obstacle problem else; solved by a primal–dual
 * active set with conjugate gradients inside. The Dirichlet price stands for the Wasserstein-1 ball |∇p| ≤ 1 of adversarial sampling.
 *
 * @param reward [n_1, …, n_d], one number per cell: a squared residual
 * @param options `beta` β > 0, `lengths` of the box (1), `maxIterations` (100), `onIteration` (return false to stop)
 * @returns `density` of the same shape, `objective`, `multiplier`, `iterations`, `converged`
 * @throws {ShapeError} on an empty grid or lengths of another number; {DomainError} on NaN, or β ≤ 0
 * @see Tang, Zhai, Wan & Yang 2024, arXiv:2305.18702, §3; active sets: Hintermüller, Ito & Kunisch 2002, doi:10.1137/S1052623401383558
 */
export function dirichletMaxDensity(reward: TensorLike, options: DirichletOptions): DirichletDensity {
  const { beta, maxIterations = 100, onIteration } = readIterative(options, '{ beta }');
  checkPositive('beta', beta);
  checkInteger('maxIterations', maxIterations, 1);
  const { data, shape } = asTensor('reward', reward);
  if (shape.length === 0 || data.length === 0) throw new ShapeError(`reward: expected at least one cell, got shape [${shape.join(', ')}]`);
  const lengths = Array.from(asFloats('lengths', options.lengths ?? shape.map(() => 1)));
  checkLength('lengths', lengths, shape.length);
  for (const length of lengths) checkPositive('lengths', length);
  const r = Float64Array.from(asFloats('reward', data));
  checkFinite('reward', r);
  const grid = new Grid(shape, lengths);
  const { size, volume } = grid;
  const mean = r.reduce((sum, v) => sum + v, 0) / size;
  const wanted = r.map((v) => (v - mean) / (2 * beta));
  const ones = new Float64Array(size).fill(1);

  const free = new Uint8Array(size).fill(1);
  let p: Float64Array = new Float64Array(size);
  let level = 0; // (c − mean)/(2β)
  let [iterations, converged] = [0, false];
  while (iterations < maxIterations && !converged) {
    iterations++;
    if (free.every((f) => f === 1)) {
      p = grid.solve(wanted, free).map((v) => v + 1 / (size * volume));
      level = 0;
    } else {
      const [u, w] = [grid.solve(wanted, free), grid.solve(ones, free)];
      const total = (x: Float64Array) => volume * x.reduce((sum, v) => sum + v, 0);
      level = (total(u) - 1) / total(w);
      p = u.map((v, i) => v - level * w[i]!);
    }
    // Where p is held at 0, `slack` is what the reward lacks: it must not be negative.
    const slope = grid.laplacian(p);
    const floor = -1e-10 / (size * volume);
    let changed = 0;
    for (let i = 0; i < size; i++) {
      const keep = free[i] ? p[i]! >= floor : level - wanted[i]! + slope[i]! < 0;
      if (keep !== (free[i] === 1)) {
        free[i] = keep ? 1 : 0;
        changed++;
      }
    }
    converged = changed === 0;
    if (onIteration?.({ iteration: iterations, error: changed }) === false) break;
  }
  for (let i = 0; i < size; i++) p[i] = free[i] ? Math.max(0, p[i]!) : 0;
  const held = volume * p.reduce((sum, v) => sum + v, 0);
  for (let i = 0; i < size; i++) p[i]! /= held;
  const pull = grid.laplacian(p);
  let objective = 0;
  for (let i = 0; i < size; i++) objective += volume * p[i]! * (r[i]! - beta * pull[i]!);
  return { density: { data: p, shape: [...shape] }, objective, multiplier: mean + 2 * beta * level, iterations, converged };
}
