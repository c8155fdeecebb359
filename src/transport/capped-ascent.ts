// Block ascent on the dual of entropic partial transport: scalings with caps, and the price of mass.
import { gibbs } from '../kernels/gibbs.js';
import { exp as expOf, log } from '../kernels/scalar.js';
import { capped } from '../kernels/sinkhorn-scaling.js';
import type { Arena, F64, Real } from '../runtime/arena.js';
import { cappedNewton } from './capped-newton.js';

/** Block ascent on scalings of K = exp((f + g + level − C)/ε), absorbed when they grow. */
export class CappedAscent {
  readonly #arena: Arena;
  readonly #C: Real;
  readonly #F: F64;
  readonly #G: F64;
  readonly #b: Float64Array;
  readonly #mass: number;
  #epsilon: number;
  readonly #blocks: { K: F64; u: F64; v: F64; acc: F64; a: F64; stats: F64 };
  readonly #caps: readonly [F64, Float64Array];
  #level: number;
  /** e^(change of level/ε) since K was formed. */
  #price = 1;

  constructor(arena: Arena, C: Real, a: Float64Array, b: Float64Array, mass: number, epsilon: number) {
    const f64 = (length: number) => arena.zeros('f64', length);
    this.#arena = arena;
    this.#C = C;
    this.#b = b;
    this.#mass = mass;
    this.#epsilon = epsilon;
    this.#F = f64(a.length);
    this.#G = f64(b.length);
    let least = Infinity;
    for (const c of arena.view(C)) if (c < least) least = c;
    this.#level = least; // the largest entry of the first kernel matrix is 1
    this.#blocks = { K: f64(C.length), u: f64(a.length), v: f64(b.length), acc: f64(b.length), a: arena.put(a), stats: f64(4) };
    this.#caps = [f64(a.length), new Float64Array(b.length)];
    this.#form();
  }

  /** K from the potentials; a scaling may grow to where its potential would be 0. */
  #form(): void {
    const arena = this.#arena;
    const shifted = arena.view(this.#G);
    for (let j = 0; j < shifted.length; j++) shifted[j]! += this.#level / this.#epsilon;
    gibbs(this.#blocks.K, this.#F, this.#G, this.#C, this.#epsilon);
    for (let j = 0; j < shifted.length; j++) shifted[j]! -= this.#level / this.#epsilon;
    const [F, G, caps] = [arena.view(this.#F), shifted, arena.view(this.#caps[0])];
    for (let i = 0; i < caps.length; i++) caps[i] = Math.max(1, expOf(-F[i]!));
    for (let j = 0; j < G.length; j++) this.#caps[1][j] = Math.max(1, expOf(-G[j]!));
    arena.view(this.#blocks.u).fill(1);
    arena.view(this.#blocks.v).fill(1);
  }

  /** One iteration; returns the L1 change of the plan's marginals and what it lacks in mass. */
  step(): number {
    const arena = this.#arena;
    const { v, acc, stats } = this.#blocks;
    capped(this.#blocks, this.#caps[0]);
    const [scalings, sums] = [arena.view(v), arena.view(acc)];
    // The price t with Σ_j min(cap_j·t·sum_j, b_j) = mass: saturated columns from the cheapest threshold on.
    const capsV = this.#caps[1];
    const b = this.#b;
    const threshold = b.map((w, j) => (sums[j]! > 0 ? w / (capsV[j]! * sums[j]!) : Infinity));
    const order = Array.from(b.keys()).sort((p, q) => (threshold[p]! < threshold[q]! ? -1 : threshold[p]! > threshold[q]! ? 1 : p - q));
    // Sums of what is still open, from the far end: subtracting the saturated ones instead would cancel.
    const open = new Float64Array(order.length + 1);
    for (let k = order.length - 1; k >= 0; k--) open[k] = open[k + 1]! + capsV[order[k]!]! * sums[order[k]!]!;
    let [full, t] = [0, Infinity];
    for (const [k, j] of order.entries()) {
      t = (this.#mass - full) / open[k]!;
      if (t <= threshold[j]!) break;
      full += b[j]!;
      t = threshold[j]!;
    }
    if (!(t > 0 && t < Infinity)) t = this.#price;
    let [error, widest, moved] = [arena.view(stats)[0]!, arena.view(stats)[2]!, 0];
    for (let j = 0; j < scalings.length; j++) {
      const wanted = Math.min(capsV[j]! * t, sums[j]! > 0 ? b[j]! / sums[j]! : Infinity);
      const next = wanted < Infinity ? wanted : scalings[j]!;
      error += Math.abs(next - scalings[j]!) * sums[j]!;
      moved += next * sums[j]!;
      scalings[j] = next;
      widest = Math.max(widest, next, 1 / next);
    }
    this.#price = t;
    if (!(widest < 1e100)) {
      this.finish();
      this.#form();
    }
    return error + Math.abs(moved - this.#mass);
  }

  /** A Newton step, where block ascent hardly moves. */
  accelerate(spread: number, tolerance: number): void {
    this.finish();
    const arena = this.#arena;
    const [a, C, epsilon] = [arena.take(this.#blocks.a), arena.view(this.#C), this.#epsilon];
    const problem = { a, b: this.#b, C, mass: this.#mass, epsilon, spread };
    const start = { F: arena.take(this.#F), G: arena.take(this.#G), level: this.#level / epsilon };
    const next = cappedNewton(problem, start, Math.max(1e-15, 1e-3 * tolerance));
    if (next) {
      arena.view(this.#F).set(next.F);
      arena.view(this.#G).set(next.G);
      this.#level = next.level * epsilon;
    }
    this.#form();
  }

  /** Keeps the potentials, changes ε. */
  rescale(epsilon: number): void {
    if (epsilon === this.#epsilon) return;
    this.finish();
    const ratio = this.#epsilon / epsilon;
    for (const X of [this.#F, this.#G]) {
      const x = this.#arena.view(X);
      for (let i = 0; i < x.length; i++) x[i]! *= ratio;
    }
    this.#epsilon = epsilon;
    this.#form();
  }

  /** Potentials in units of the cost. */
  finish(): { f: Float64Array; g: Float64Array; level: number } {
    const arena = this.#arena;
    const [F, G, u, v] = [arena.view(this.#F), arena.view(this.#G), arena.view(this.#blocks.u), arena.view(this.#blocks.v)];
    for (let i = 0; i < F.length; i++) F[i] = Math.min(0, F[i]! + log(u[i]!));
    for (let j = 0; j < G.length; j++) G[j] = Math.min(0, G[j]! + log(v[j]! / this.#price));
    this.#level += this.#epsilon * log(this.#price);
    this.#price = 1;
    u.fill(1);
    v.fill(1);
    return {
      f: arena.take(this.#F).map((x) => x * this.#epsilon),
      g: arena.take(this.#G).map((x) => x * this.#epsilon),
      level: this.#level,
    };
  }
}
