import { checkInteger, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { square } from '../core/square.js';
import { readLong } from '../core/stepper.js';
import { exp, log } from '../kernels/scalar.js';
import { lanczos } from '../linalg/lanczos.js';
import { checkOperator } from '../linalg/operator.js';
import { eighTridiagonal } from '../linalg/tridiagonal.js';
import { draw, readVectors, type Vectors } from './probes.js';

export interface SpectralDensityOptions extends LongOptions {
  /** Lanczos runs to average, each from a random start; 1. */
  readonly probes?: number;
  /** Lanczos steps of each run (nodes of its quadrature); 100, at most the size. */
  readonly steps?: number;
  /** Start vectors in place of random ones, [runs, d]. */
  readonly starts?: Vectors;
  /** Which program's smoothing and grid; `'pyhessian'`. */
  readonly convention?: 'pyhessian' | 'curvlinops';
  /** Points of the grid; 10000 (pyhessian) or 1024 (curvlinops). */
  readonly bins?: number;
  /** pyhessian: variance of each Gaussian, relative to max(1, width of the grid); 1e-5. No Gaussian is narrower than a quarter of a bin. */
  readonly sigmaSquared?: number;
  /** pyhessian: how far the grid reaches beyond the mean extreme nodes; 0.01. */
  readonly overhead?: number;
  /** curvlinops: width of the Gaussians, > 1; 3. */
  readonly kappa?: number;
  /** curvlinops: margin on both ends relative to the spectrum's width; 0.05. */
  readonly margin?: number;
  /** curvlinops: ends of the spectrum; the extreme nodes of all runs by default. */
  readonly boundaries?: readonly [number, number];
  readonly seed?: number;
}

export interface SpectralDensity {
  /** Eigenvalue axis [bins]. */
  readonly grid: Float64Array;
  /** Density on it [bins]; integrates to 1 (pyhessian exactly as a sum, curvlinops up to the margin cut off). */
  readonly density: Float64Array;
  /** Quadrature nodes of each run, ascending: its Ritz values. */
  readonly nodes: Float64Array[];
  /** Weights of the nodes, summing to 1: Σ w θ^j is zᵀA^j z/zᵀz exactly for j < 2·steps. */
  readonly weights: Float64Array[];
  /** Products with the operator. */
  readonly iterations: number;
}

/**
 * The spectral density (1/d) Σ δ(λ − λ_i) of a symmetric operator by stochastic Lanczos quadrature.
 *   nodes θ and weights w = (first components)² of the eigenvectors of T; density = mean over runs of Σ w·N(λ; θ, σ²)
 *
 * @param op symmetric operator of size d; steps·probes products
 * @param options `probes` (1), `steps` (100), `starts`, `convention` 'pyhessian' (variance sigmaSquared·max(1, width), grid the mean
 *   extreme nodes ± overhead, divided by its own sum) or 'curvlinops' (σ = 2/((steps − 1)√(8 ln κ)) on the spectrum scaled to [−1, 1]),
 *   `bins`, `sigmaSquared`, `overhead`, `kappa`, `margin`, `boundaries`, `seed` (0), `signal`, `onProgress`
 * @returns `grid`, `density` [bins], `nodes` and `weights` per run, `iterations`
 * @throws {ShapeError | DomainError} on wrong shapes or options, or products that are not finite
 * @see Ghorbani et al. 2019, arXiv:1901.10159; Yao et al. 2020, arXiv:1912.07145; Papyan 2020, arXiv:2008.11865 (algorithm 2)
 */
export async function spectralDensity(op: LinearOperator, options: SpectralDensityOptions = {}): Promise<SpectralDensity> {
  checkOperator('op', op);
  const { probes = 1, steps = 100, convention = 'pyhessian', seed = 0, signal, onProgress } = readLong(options);
  checkOneOf('convention', convention, ['pyhessian', 'curvlinops']);
  const { bins = convention === 'pyhessian' ? 10_000 : 1024 } = options;
  checkInteger('probes', probes, 1);
  checkInteger('steps', steps, 2);
  checkInteger('bins', bins, 2);
  const kind = convention === 'pyhessian' ? 'sign' : 'normal';
  const starts = options.starts ? readVectors('starts', options.starts, op.size) : draw(probes, op.size, seed, kind);
  const nodes: Float64Array[] = [];
  const weights: Float64Array[] = [];
  let iterations = 0;
  for (const [run, start] of starts.entries()) {
    const {
      alpha,
      beta,
      steps: made,
    } = await lanczos(op, {
      steps,
      start,
      basis: false,
      ...(signal ? { signal } : {}),
      onProgress: ({ done, total = steps }) =>
        onProgress?.({ done: run * total + done, total: starts.length * total, phase: 'spectral density' }),
    });
    iterations += made;
    const { values, vectors } = eighTridiagonal(alpha, beta, { vectors: 'first' });
    nodes.push(values);
    weights.push(vectors.map((x) => x * x));
  }
  return {
    ...smooth(nodes, weights, { ...options, convention, bins, steps: Math.max(2, Math.min(steps, op.size)) }),
    nodes,
    weights,
    iterations,
  };
}

type Smoothing = SpectralDensityOptions & Required<Pick<SpectralDensityOptions, 'convention' | 'bins' | 'steps'>>;

/** Grid and density of quadrature nodes and weights, in either convention. */
export function smooth(
  nodes: readonly Float64Array[],
  weights: readonly Float64Array[],
  options: Smoothing,
): { grid: Float64Array; density: Float64Array } {
  const { convention, bins } = options;
  const mean = (pick: (run: Float64Array) => number) => nodes.reduce((sum, run) => sum + pick(run) / nodes.length, 0);
  let low: number;
  let high: number;
  let sigma: number;
  if (convention === 'pyhessian') {
    const { sigmaSquared = 1e-5, overhead = 0.01 } = options;
    checkPositive('sigmaSquared', sigmaSquared);
    checkPositive('overhead', overhead);
    low = mean((run) => run[0]!) - overhead;
    high = mean((run) => run.at(-1)!) + overhead;
    // Narrower Gaussians would fall between the points of the grid, and their mass with them.
    sigma = Math.max(Math.sqrt(sigmaSquared * Math.max(1, high - low)), (high - low) / (bins - 1) / 4);
  } else {
    const { kappa = 3, margin = 0.05, steps } = options;
    if (!(kappa > 1)) throw new DomainError(`kappa: expected a number > 1, got ${kappa}`);
    checkPositive('margin', margin);
    const [first, last] = options.boundaries ?? [Math.min(...nodes.map((run) => run[0]!)), Math.max(...nodes.map((run) => run.at(-1)!))];
    const size = Math.max(Math.abs(first), Math.abs(last));
    const width = Math.max(last - first, 1e-6 * size) || 1e-12; // a single eigenvalue has no width of its own
    low = first - margin * width;
    high = last + margin * width;
    sigma = ((high - low) / 2) * (2 / (steps - 1) / Math.sqrt(8 * log(kappa)));
  }
  const grid = Float64Array.from({ length: bins }, (_, i) => low + ((high - low) * i) / (bins - 1));
  const density = new Float64Array(bins);
  const peak = 1 / (Math.sqrt(2 * Math.PI) * sigma) / nodes.length;
  const reach = sigma * Math.sqrt(2 * 745); // beyond it a Gaussian is 0 in f64
  const step = (high - low) / (bins - 1);
  for (const [r, run] of nodes.entries()) {
    for (const [j, node] of run.entries()) {
      const weight = weights[r]![j]! * peak;
      const from = Math.max(0, Math.ceil((node - reach - low) / step));
      const to = Math.min(bins - 1, Math.floor((node + reach - low) / step));
      for (let i = from; i <= to; i++) density[i] = density[i]! + weight * exp(-square((grid[i]! - node) / sigma) / 2);
    }
  }
  if (convention === 'pyhessian') {
    const sum = density.reduce((total, x) => total + x, 0) * (grid[1]! - grid[0]!);
    for (let i = 0; i < bins; i++) density[i] = density[i]! / sum;
  }
  return { grid, density };
}
