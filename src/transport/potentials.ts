// The dual variables of one entropic problem inside the arena: F = f/ε + log a, G = g/ε + log b, always f64.
import { coarseMarginals, marginals, penaltyMass } from '../kernels/marginals.js';
import { exp, log } from '../kernels/scalar.js';
import { type Arena, type F64, slice } from '../runtime/arena.js';
import type { CostSource } from './source.js';

/** What a pair of potentials amounts to, recomputed in f64. */
export interface Certificate {
  /** L1 distance of both marginals to what they should be: a and b, or a·e^(−f/ρ) and b·e^(−g/ρ) under penalties. */
  readonly error: number;
  readonly transportCost: number;
  readonly mass: number;
}

/** Potentials, weights and penalties; all weights are > 0. */
export class Potentials {
  readonly arena: Arena;
  readonly source: CostSource;
  readonly F: F64;
  readonly G: F64;
  readonly a: F64;
  readonly b: F64;
  readonly la: F64;
  readonly lb: F64;
  /** KL penalties of the two marginals; Infinity keeps a marginal hard. */
  readonly penalty: readonly [number, number];
  epsilon: number;
  #noLogs: readonly [F64, F64];

  constructor(
    arena: Arena,
    source: CostSource,
    a: Float64Array,
    b: Float64Array,
    penalty: readonly [number, number],
    epsilon: number,
    start?: { f: ArrayLike<number>; g: ArrayLike<number> },
  ) {
    this.arena = arena;
    this.source = source;
    this.penalty = penalty;
    this.epsilon = epsilon;
    this.a = arena.put(a);
    this.b = arena.put(b);
    const [la, lb] = [logarithms(a), logarithms(b)];
    this.la = arena.put(la);
    this.lb = arena.put(lb);
    this.F = arena.put(start ? la.map((l, i) => l + (start.f[i] as number) / epsilon) : la);
    this.G = arena.put(start ? lb.map((l, j) => l + (start.g[j] as number) / epsilon) : lb);
    this.#noLogs = [arena.zeros('f64', a.length), arena.zeros('f64', b.length)];
  }

  /** ρ/(ρ + ε) of both sides; 1 for a hard marginal. */
  get kappa(): [number, number] {
    const [one, two] = this.penalty;
    return [one === Infinity ? 1 : one / (one + this.epsilon), two === Infinity ? 1 : two / (two + this.epsilon)];
  }

  /** Keeps f and g, changes ε. */
  rescale(epsilon: number): void {
    const ratio = this.epsilon / epsilon;
    for (const [X, l] of [
      [this.F, this.la],
      [this.G, this.lb],
    ] as const) {
      const [x, base] = [this.arena.view(X), this.arena.view(l)];
      for (let i = 0; i < x.length; i++) x[i] = base[i]! + (x[i]! - base[i]!) * ratio;
    }
    this.epsilon = epsilon;
  }

  /**
   * The constant t/ε by which moving mass between the potentials, (f + t, g − t), raises the dual most: 0 when both marginals are hard.
   * Removes the slow mode of penalties ρ ≫ ε (Séjourné, Vialard & Peyré 2022, arXiv:2201.00730).
   */
  translation(lu: F64 = this.#noLogs[0], lv: F64 = this.#noLogs[1]): number {
    const [one, two] = this.penalty;
    if (one === Infinity && two === Infinity) return 0;
    const here = penaltyMass(this.a, this.la, this.F, lu, this.epsilon / one);
    const there = penaltyMass(this.b, this.lb, this.G, lv, this.epsilon / two);
    const t = log(here / there) / (this.epsilon / one + this.epsilon / two);
    return Number.isFinite(t) ? t : 0;
  }

  /** The potentials in units of the cost. */
  unscaled(): { f: Float64Array; g: Float64Array } {
    const { arena, epsilon } = this;
    const [la, lb] = [arena.view(this.la), arena.view(this.lb)];
    return { f: arena.take(this.F).map((x, i) => epsilon * (x - la[i]!)), g: arena.take(this.G).map((x, j) => epsilon * (x - lb[j]!)) };
  }

  /** Recomputes marginals, error and ⟨P, C⟩ from the potentials in f64; `coarse` rounds the plan's entries to f32, as f32 costs are. */
  certify(coarse = false): Certificate {
    const { arena, source } = this;
    const mark = arena.mark();
    const r = arena.alloc('f64', source.rows);
    const part = arena.alloc('f64', source.cols);
    const c = new Float64Array(source.cols);
    let transportCost = 0;
    source.each((start, count, C) => {
      const [rows, F] = [slice(r, start, count), slice(this.F, start, count)];
      transportCost +=
        coarse && C.type === 'f32'
          ? coarseMarginals(rows, part, F, this.G, C, this.epsilon)
          : marginals(rows, part, F, this.G, C, this.epsilon);
      const view = arena.view(part);
      for (let j = 0; j < c.length; j++) c[j]! += view[j]!;
    });
    const rows = arena.take(r);
    arena.release(mark);
    const goal = (weights: F64, l: F64, X: F64, penalty: number): Float64Array => {
      const w = arena.take(weights);
      if (penalty === Infinity) return w;
      const [base, x] = [arena.view(l), arena.view(X)];
      return w.map((value, i) => value * exp(((base[i]! - x[i]!) * this.epsilon) / penalty));
    };
    const [wanted, wantedColumns] = [goal(this.a, this.la, this.F, this.penalty[0]), goal(this.b, this.lb, this.G, this.penalty[1])];
    let [error, mass] = [0, 0];
    for (let i = 0; i < rows.length; i++) {
      error += Math.abs(rows[i]! - wanted[i]!);
      mass += rows[i]!;
    }
    for (let j = 0; j < c.length; j++) error += Math.abs(c[j]! - wantedColumns[j]!);
    return { error, transportCost, mass };
  }
}

/** Logarithms of weights, of which many often agree. */
function logarithms(weights: Float64Array): Float64Array {
  const out = new Float64Array(weights.length);
  for (let i = 0; i < out.length; i++) out[i] = i > 0 && weights[i] === weights[i - 1] ? out[i - 1]! : log(weights[i]!);
  return out;
}
