// Over-relaxation chosen while iterating. Near its fixed point Sinkhorn is Gauss–Seidel on a consistently ordered system, so that Young's
// theory holds: with λ the rate of plain iterations, ω = 2/(1 + √(1 − λ)) is best and contracts by ω − 1, and a rate μ seen under ω comes
// from λ = (μ + ω − 1)²/(ω² μ) (Thibault, Chizat, Dossal & Papadakis 2017, arXiv:1711.01851; Lehmann, von Renesse, Sambale & Uschmajew
// 2021, arXiv:2012.12562).
import { square } from '../core/square.js';
import { pow } from '../kernels/scalar.js';

/** Watches errors and proposes the ω of the next iterations; falls back to 1 where bold steps made things worse. */
export class Relaxation {
  omega = 1;
  readonly #adapts: boolean;
  #last = Infinity;
  #best = Infinity;
  #ceiling = 1.998;
  #settled = 0;

  /** @param choice a fixed ω in (0, 2), or 'auto' */
  constructor(choice: number | 'auto') {
    this.#adapts = choice === 'auto';
    if (choice !== 'auto') this.omega = choice;
  }

  /** Iterations after which the rate under the present ω shows. */
  get window(): number {
    return Math.max(10, Math.min(200, Math.round(3 / (2 - this.omega))));
  }

  /** Takes the error after `done` more iterations, and moves ω. */
  observe(error: number, done: number): void {
    const last = this.#last;
    this.#last = error;
    if (!this.#adapts) return;
    if (error < this.#best) this.#best = error;
    if (error > 20 * this.#best && this.omega > 1) {
      // Too bold while far from the solution: plain iterations again, and less later.
      this.#ceiling = 1 + 0.9 * (this.omega - 1);
      this.omega = 1;
      this.#best = error;
      this.#settled = 0;
      return;
    }
    if (++this.#settled < 2 || !(error < last) || !Number.isFinite(last)) return;
    const rate = pow(error / last, 1 / done);
    const { omega } = this;
    if (rate <= omega - 1) return;
    const lambda = Math.min(square(rate + omega - 1) / (omega * omega * rate), 1 - 1e-7);
    const next = Math.min(this.#ceiling, 2 / (1 + Math.sqrt(1 - lambda)));
    if (next > omega + 0.1 * (2 - omega)) {
      this.omega = next;
      this.#settled = 0;
    }
  }
}
