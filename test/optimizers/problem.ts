// A small problem with a known course: f(w) = Σ (k·wₖ²/2 + wₖ³/10), from (1, −2, ½).
import type { Optimizer } from '../../src/optimizers/index.js';

/** Where seven steps of an optimizer lead. */
export function descend<S>(optimizer: Optimizer<S>): Float64Array {
  const w = Float64Array.of(1, -2, 0.5);
  const state = optimizer.init(w);
  for (let t = 0; t < 7; t++)
    optimizer.step(
      w,
      w.map((x, k) => (k + 1) * x + 0.3 * x * x),
      state,
    );
  return w;
}
