// Iterations on scalings of a kernel matrix that has absorbed the potentials so far: K = exp(F + G − C/ε), u and v near 1.
import type { Precision } from '../core/tensor.js';
import { gibbs, lift, tighten } from '../kernels/gibbs.js';
import { log } from '../kernels/scalar.js';
import { type ScalingBlocks, type SoftBlocks, scaling } from '../kernels/sinkhorn-scaling.js';
import type { F32, F64, Real } from '../runtime/arena.js';
import type { Domain, Step } from './domain.js';
import type { Potentials } from './potentials.js';

/** Scalings beyond this are absorbed: entries that are 0 in K (below 1e-20 and 2.6e-261) then weigh less than 1e-10 of the plan. */
const absorbAt = { float32: 1e5, float64: 1e100 };
/** The published form lets scalings use most of the range of their type first. */
const rangeEnd = { float32: 1e12, float64: 1e250 };
/** A column whose largest exponent is below this is lifted when potentials are taken on (e^−30 against f32's e^−87). */
const lowestTop = -30;
/** Share of a lift that a chunk of usable iterations forgives. */
const forgiven = 0.25;

/** Sinkhorn iterations on scalings u, v of one kernel matrix; potentials take them over when they grow beyond the range of the type. */
export class ScalingDomain implements Domain {
  readonly #p: Potentials;
  readonly #blocks: ScalingBlocks;
  readonly #logs: { lu: F64; lv: F64; shiftU: F64; shiftV: F64 };
  readonly #top: F64;
  readonly #line: Real;
  readonly #cost: Real;
  readonly #limit: number;
  #logsFresh = true;
  /** Lifts, less what usable sums forgave since: in a row, or by turns with usable ones, they lead nowhere. */
  #lifts = 0;

  constructor(p: Potentials, work: Precision, early: boolean) {
    const { arena, source } = p;
    const { rows, cols } = source;
    this.#p = p;
    this.#limit = (early ? absorbAt : rangeEnd)[work];
    this.#cost = source.dense as Real;
    const real = (length: number) => arena.real(work, length);
    const [a, b] = [arena.putAs(work, arena.take(p.a)), arena.putAs(work, arena.take(p.b))];
    this.#blocks = { K: real(rows * cols), u: real(rows), v: real(cols), acc: real(cols), a, b, stats: arena.zeros('f64', 4) };
    const f64 = (length: number) => arena.zeros('f64', length);
    this.#logs = { lu: f64(rows), lv: f64(cols), shiftU: f64(rows), shiftV: f64(cols) };
    this.#top = f64(cols);
    this.#line = arena.real(source.precision, 2 * cols);
  }

  start(warm: boolean): void {
    if (warm) this.#form();
    else this.#lift();
  }

  /** Forms K from potentials that leave every row and every column with entries near 1, whatever they were: nothing can underflow. */
  #lift(): void {
    this.#lifts++;
    const { F, G, arena, epsilon } = this.#p;
    const { K } = this.#blocks;
    const single = K.type === 'f32' && this.#cost.type === 'f32' && this.#line.type === 'f32';
    if (single) lift(K as F32, F, this.#top, G, this.#cost as F32, this.#line as F32, epsilon);
    else tighten(F, this.#top, G, this.#cost, this.#line, epsilon);
    const [g, top] = [arena.view(G), arena.view(this.#top)];
    let raised = false;
    for (let j = 0; j < g.length; j++) {
      if (!(top[j]! < lowestTop)) continue;
      g[j]! -= top[j]!;
      raised = true;
    }
    if (single && !raised) this.#begin();
    else this.#form();
  }

  #form(): void {
    const { F, G, epsilon } = this.#p;
    gibbs(this.#blocks.K, F, G, this.#cost, epsilon);
    this.#begin();
  }

  /** Scalings 1 and what penalties need of the potentials that K has taken on. */
  #begin(): void {
    const { F, G, la, lb, arena, kappa } = this.#p;
    const { u, v } = this.#blocks;
    arena.view(u as F64).fill(1);
    arena.view(v as F64).fill(1);
    const { lu, lv, shiftU, shiftV } = this.#logs;
    for (const [logs, shift, X, base, power] of [
      [lu, shiftU, F, la, kappa[0]],
      [lv, shiftV, G, lb, kappa[1]],
    ] as const) {
      arena.view(logs).fill(0);
      const [s, x, l] = [arena.view(shift), arena.view(X), arena.view(base)];
      for (let i = 0; i < s.length; i++) s[i] = (1 - power) * (l[i]! - x[i]!);
    }
    this.#logsFresh = true;
  }

  iterate(count: number, tolerance: number, omega: number): Step {
    const { arena, kappa } = this.#p;
    const soft = omega !== 1 || kappa[0] !== 1 || kappa[1] !== 1;
    if (soft && !this.#logsFresh) this.#takeLogs();
    const done = scaling(
      this.#blocks,
      count,
      tolerance,
      this.#limit,
      soft ? ({ ...this.#logs, kappa, omega } satisfies SoftBlocks) : undefined,
    );
    this.#logsFresh = soft;
    const [rowError, columnError, widest, unusable] = arena.view(this.#blocks.stats) as unknown as [number, number, number, number];
    const usable = unusable === 0 && widest < Infinity && !Number.isNaN(rowError + columnError);
    if (usable) this.#lifts = Math.max(0, this.#lifts - forgiven);
    if (!usable || widest > this.#limit) {
      this.finish();
      if (usable) this.#form();
      else this.#lift();
    }
    return { done, error: usable ? rowError + columnError : Infinity, stuck: this.#lifts > 3 };
  }

  translate(): void {
    const { arena } = this.#p;
    const { lu, lv } = this.#logs;
    if (!this.#logsFresh) this.#takeLogs();
    const t = this.#p.translation(lu, lv);
    if (t === 0) return;
    // Into F and G, which leaves F_i + G_j and so K as it is.
    for (const [X, shift, sign, power] of [
      [this.#p.F, this.#logs.shiftU, 1, this.#p.kappa[0]],
      [this.#p.G, this.#logs.shiftV, -1, this.#p.kappa[1]],
    ] as const) {
      const [x, s] = [arena.view(X), arena.view(shift)];
      for (let i = 0; i < x.length; i++) {
        x[i]! += sign * t;
        s[i]! -= (1 - power) * sign * t;
      }
    }
  }

  #takeLogs(): void {
    const { arena } = this.#p;
    for (const [logs, scalings] of [
      [this.#logs.lu, this.#blocks.u],
      [this.#logs.lv, this.#blocks.v],
    ] as const) {
      const [to, from] = [arena.view(logs), arena.view(scalings as F64)];
      for (let i = 0; i < to.length; i++) to[i] = log(from[i]!);
    }
    this.#logsFresh = true;
  }

  /** Moves what the scalings hold into F and G, leaving u = v = 1 to the next `#form`. */
  finish(): void {
    const { arena } = this.#p;
    if (!this.#logsFresh) this.#takeLogs();
    for (const [X, logs, scalings] of [
      [this.#p.F, this.#logs.lu, this.#blocks.u],
      [this.#p.G, this.#logs.lv, this.#blocks.v],
    ] as const) {
      const [x, l] = [arena.view(X), arena.view(logs)];
      for (let i = 0; i < x.length; i++) if (Number.isFinite(l[i]!)) x[i]! += l[i]!;
      l.fill(0);
      arena.view(scalings as F64).fill(1);
    }
  }
}
