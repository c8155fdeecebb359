// Iterations that never leave the log domain: one exponential per entry, no kernel matrix, costs by tiles.
import type { Precision } from '../core/tensor.js';
import { tighten } from '../kernels/gibbs.js';
import { logBegin, logColumns, logRows } from '../kernels/sinkhorn-log.js';
import { type F64, type Real, slice } from '../runtime/arena.js';
import type { Domain, Step } from './domain.js';
import type { Potentials } from './potentials.js';

/** A column whose largest exponent is below this is raised (e^−30 against f32's e^−87). */
const lowestTop = -30;

/** Sinkhorn iterations on the potentials themselves: rows of exponentials that live for one row, costs whole or by tiles. */
export class LogDomain implements Domain {
  readonly #p: Potentials;
  readonly #line: Real;
  readonly #acc: Real;
  readonly #row: Real;
  readonly #stats: F64;
  readonly #tops: readonly [F64, F64];
  readonly #scratch: Real;

  constructor(p: Potentials, work: Precision) {
    const { arena, source } = p;
    this.#p = p;
    this.#line = arena.real(work, source.cols);
    this.#acc = arena.real(work, source.cols);
    this.#row = arena.real(work, 2 * source.cols);
    this.#stats = arena.zeros('f64', 4);
    this.#tops = [arena.zeros('f64', source.cols), arena.zeros('f64', source.cols)];
    this.#scratch = arena.real(source.precision, 2 * source.cols);
  }

  start(warm: boolean): void {
    if (!warm) this.#lift();
  }

  /** F from a hard minimum over the columns, and G raised where a whole column would underflow. */
  #lift(): void {
    const { arena, source, F, G, epsilon } = this.#p;
    const [part, top] = this.#tops;
    arena.view(top).fill(-Infinity);
    source.each((start, count, C) => {
      tighten(slice(F, start, count), part, G, C, this.#scratch, epsilon);
      const [one, all] = [arena.view(part), arena.view(top)];
      for (let j = 0; j < all.length; j++) if (one[j]! > all[j]!) all[j] = one[j]!;
    });
    const [g, all] = [arena.view(G), arena.view(top)];
    for (let j = 0; j < g.length; j++) if (all[j]! < lowestTop) g[j]! -= all[j]!;
  }

  iterate(count: number, tolerance: number, omega: number): Step {
    const { arena, G, b, lb, kappa } = this.#p;
    let error = Infinity;
    for (let done = 1; done <= count; done++) {
      this.#rows(omega);
      logColumns(G, this.#line, this.#acc, b, lb, kappa[1], omega, this.#stats);
      const [rowError, columnError, , unusable] = arena.view(this.#stats) as unknown as [number, number, number, number];
      error = rowError + (unusable > 0 ? this.#raisedColumns(omega) : columnError);
      if (error <= tolerance || Number.isNaN(error)) return { done, error, stuck: Number.isNaN(error) };
    }
    return { done: count, error, stuck: false };
  }

  /** Row updates, and the column sums that they lead to. */
  #rows(omega: number): void {
    const { source, F, G, a, la, epsilon, kappa } = this.#p;
    logBegin(this.#line, this.#acc, G, this.#stats);
    source.each((start, rows, C) => {
      const [tile, mass, base] = [slice(F, start, rows), slice(a, start, rows), slice(la, start, rows)];
      logRows(tile, this.#acc, this.#line, C, mass, base, this.#row, epsilon, kappa[0], omega, this.#stats);
    });
  }

  /** Column updates where a column lay below the range of exponentials: its largest entry becomes 1 first. Returns their error. */
  #raisedColumns(omega: number): number {
    const { arena, source, F, G, b, lb, epsilon, kappa } = this.#p;
    const top = new Float64Array(source.cols).fill(-Infinity);
    source.each((start, count, C) => {
      const [c, f] = [arena.view(C), arena.view(F)];
      for (let i = 0; i < count; i++)
        for (let j = 0; j < top.length; j++) top[j] = Math.max(top[j]!, f[start + i]! - c[i * top.length + j]! / epsilon);
    });
    const g = arena.view(G);
    for (let j = 0; j < g.length; j++) if (g[j]! + top[j]! < lowestTop) g[j] = -top[j]!;
    this.#rows(0); // F stays
    logColumns(G, this.#line, this.#acc, b, lb, kappa[1], omega, this.#stats);
    return arena.view(this.#stats)[1]!;
  }

  translate(): void {
    const { arena, F, G } = this.#p;
    const t = this.#p.translation();
    if (t === 0) return;
    const [f, g] = [arena.view(F), arena.view(G)];
    for (let i = 0; i < f.length; i++) f[i]! += t;
    for (let j = 0; j < g.length; j++) g[j]! -= t;
  }

  finish(): void {}
}

/**
 * Iterations for a symmetric problem, one measure against itself, on one potential: f ← (f + T f)/2. Its error modes contract by ½ or
 * better whatever ε, where alternating updates of f and g excite antisymmetric modes that hardly decay at all (Feydy et al. 2019, §3.1).
 */
export class SymmetricDomain implements Domain {
  readonly #p: Potentials;
  readonly #line: Real;
  readonly #acc: Real;
  readonly #row: Real;
  readonly #stats: F64;

  constructor(p: Potentials, work: Precision) {
    const { arena, source } = p;
    this.#p = p;
    this.#line = arena.real(work, source.cols);
    this.#acc = arena.real(work, source.cols);
    this.#row = arena.real(work, 2 * source.cols);
    this.#stats = arena.zeros('f64', 4);
  }

  start(): void {}

  iterate(count: number, tolerance: number): Step {
    const { arena, source, F, a, la, epsilon, kappa } = this.#p;
    let error = Infinity;
    for (let done = 1; done <= count; done++) {
      logBegin(this.#line, this.#acc, F, this.#stats);
      source.each((start, rows, C) => {
        const [tile, mass, base] = [slice(F, start, rows), slice(a, start, rows), slice(la, start, rows)];
        logRows(tile, this.#acc, this.#line, C, mass, base, this.#row, epsilon, kappa[0], 0.5, this.#stats);
      });
      error = arena.view(this.#stats)[0]!;
      if (error <= tolerance || Number.isNaN(error)) return { done, error, stuck: Number.isNaN(error) };
    }
    return { done: count, error, stuck: false };
  }

  translate(): void {}

  finish(): void {
    const { arena, F, G } = this.#p;
    arena.view(G).set(arena.view(F));
  }
}
