import { asRecord, checkInteger, checkOneOf, checkRange } from '../core/check.js';

export interface GradualScheduleOptions {
  /** Sparsity before the first step (0). */
  readonly from?: number;
  /** Sparsity after the last step. */
  readonly to: number;
  readonly steps: number;
  /** cubic (default): fast first, slow at the end; linear; density: every step removes the same share of what is left. */
  readonly shape?: 'cubic' | 'linear' | 'density';
}

/**
 * Sparsities after each of `steps` rounds of gradual pruning, ending exactly at `to`.
 *   cubic: s_t = to + (from − to)(1 − t/T)³;  density: 1 − s_t falls by one factor per step
 *
 * @param options `to`, `steps`, `from` (0), `shape` (cubic)
 * @returns sparsities [steps], not decreasing when to ≥ from
 * @throws {DomainError} when a value is out of range
 * @see Zhu & Gupta 2017, arXiv:1710.01878, eq. 1; Gupta et al. 2022, arXiv:2209.14624; density: Frantar et al. 2021, arXiv:2107.03356, §4.1
 */
export function gradualSchedule(options: GradualScheduleOptions): Float64Array {
  const { from = 0, to, steps, shape = 'cubic' } = asRecord('options', options, '{ to, steps }');
  checkRange('from', from, 0, 1);
  checkRange('to', to, 0, 1);
  checkInteger('steps', steps, 1);
  checkOneOf('shape', shape, ['cubic', 'linear', 'density']);
  const out = new Float64Array(steps);
  // The T-th root by bisection on the power, from exact operations: the same bits in every runtime.
  const factor = shape === 'density' ? root(from < 1 ? (1 - to) / (1 - from) : 1, steps) : 0;
  let density = 1 - from;
  for (let t = 1; t <= steps; t++) {
    const left = 1 - t / steps;
    density *= factor;
    out[t - 1] = shape === 'cubic' ? to + (from - to) * left * left * left : shape === 'linear' ? to + (from - to) * left : 1 - density;
  }
  out[steps - 1] = to;
  return out;
}

/** x^(1/n) for x in [0, ∞), by bisection. */
function root(x: number, n: number): number {
  let [low, high] = [0, Math.max(1, x)];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    let power = 1;
    for (let k = 0; k < n; k++) power *= middle;
    if (power < x) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
