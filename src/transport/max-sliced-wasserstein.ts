import { checkInteger } from '../core/check.js';
import { type OnIteration, readIterative } from '../core/iterations.js';
import { gemv } from '../kernels/gemv.js';
import type { Arena } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import {
  back,
  type CloudProblem,
  normalize,
  project,
  readSlices,
  type SlicedOptions,
  type Slices,
  weightMeans,
} from './sliced-wasserstein.js';
import { root } from './wasserstein1d.js';

export interface MaxSlicedOptions extends SlicedOptions {
  /** Ascent steps on the sphere from the best direction tried; 0 keeps it (25). */
  readonly refine?: number;
  /** Called after every ascent step with the length of the next one; false stops with the best direction so far. */
  readonly onIteration?: OnIteration;
}

export interface MaxSlicedResult {
  /** W_p along `direction`. */
  readonly distance: number;
  /** distance^p; the gradients are of this, the direction held. */
  readonly power: number;
  /** [d], of length 1. */
  readonly direction: Float64Array;
  readonly gradX: Float64Array;
  readonly gradY: Float64Array;
  /** [n] and [m]: by the weights, at the direction found. */
  readonly gradA: Float64Array;
  readonly gradB: Float64Array;
}

/**
 * Max-sliced Wasserstein distance: the largest transport cost between projections on a line. The best of the given or drawn
 * directions is improved by gradient ascent on the sphere with halved steps; the value never falls.
 *
 * @param problem `x` [n, d], `y` [m, d]; `a`, `b` weights of one total (uniform)
 * @param options as for `slicedWasserstein`, `refine` steps (25; 0: only the directions themselves), `onIteration` (return false to stop)
 * @returns `distance`, `power`, the `direction` [d], `gradX`, `gradY`, `gradA`, `gradB`
 * @throws {ShapeError | DomainError} as `slicedWasserstein`
 * @see Deshpande et al. 2019, Max-Sliced Wasserstein Distance and its Use for GANs, arXiv:1904.05877
 */
export function maxSlicedWasserstein(problem: CloudProblem, options: MaxSlicedOptions = {}): MaxSlicedResult {
  const { refine = 25, onIteration } = readIterative(options);
  checkInteger('refine', refine, 0);
  const slices = readSlices(problem, options);
  const { x, y, p, count } = slices;
  const d = x.cols;
  const { powers } = withArena((arena) => project(arena, slices, slices.directions, count));
  let best = 0;
  for (let l = 1; l < count; l++) if (powers[l]! > powers[best]!) best = l;
  let direction = slices.directions.slice(best * d, (best + 1) * d);
  let here = withArena((arena) => slope(arena, slices, direction));
  let step = 1;
  for (let k = 0; k < refine && step > 1e-6; k++) {
    const size = Math.sqrt(here.gradient.reduce((sum, v) => sum + v * v, 0));
    if (size === 0) break;
    const trial = direction.map((v, i) => v + (step * here.gradient[i]!) / size);
    normalize(trial, 0);
    const there = withArena((arena) => slope(arena, slices, trial));
    if (there.power > here.power) {
      direction = trial;
      here = there;
      step *= 1.5;
    } else {
      step /= 4;
    }
    if (onIteration?.({ iteration: k + 1, error: step }) === false) break;
  }
  return withArena((arena) => {
    const last = project(arena, slices, direction, 1);
    const power = last.powers[0]!;
    const [gradX, gradY] = [back(arena, last.gx, x, direction, 1), back(arena, last.gy, y, direction, 1)];
    const [gradA, gradB] = weightMeans(arena, last, slices, 1);
    return { distance: root(power, p), power, direction, gradX, gradY, gradA, gradB };
  });
}

/** The value along a direction and its derivative by the direction: Xᵀ·∂/∂(Xθ) + Yᵀ·∂/∂(Yθ), its part along θ removed. */
function slope(arena: Arena, slices: Slices, direction: Float64Array): { power: number; gradient: Float64Array } {
  const { x, y } = slices;
  const d = x.cols;
  const { powers, gx, gy } = project(arena, slices, direction, 1);
  const out = arena.zeros('f64', d);
  gemv(x.rows, d, arena.putAs('float64', x.data) as typeof gx, gx, out, { transA: true });
  gemv(y.rows, d, arena.putAs('float64', y.data) as typeof gx, gy, out, { transA: true, beta: 1 });
  const gradient = arena.take(out);
  let along = 0;
  for (let k = 0; k < d; k++) along += gradient[k]! * direction[k]!;
  for (let k = 0; k < d; k++) gradient[k]! -= along * direction[k]!;
  return { power: powers[0]!, gradient };
}
