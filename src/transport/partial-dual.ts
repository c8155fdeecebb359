// The dual of progressive partial transport: column potentials v, rows eliminated exactly. With a virtual column of cost 0 that takes what
// is not transported, Q̂_ij = softmax_j((v_j − C_ij)/ε)/N, and the optimum minimises the convex
//   Φ(v) = (ε/N) Σ_i log Σ_j e^((v_j − C_ij)/ε) + ρλ log Σ_k β_k e^(−v_k/λ)    (v of the virtual column = 0; λ = ∞: −ρ⟨β, v⟩),
// whose gradient is column masses x(v) minus ρ·p(v), p = softmax(log β − v/λ).
import type { FloatArray, Precision } from '../core/tensor.js';
import { gibbs, lift, tighten } from '../kernels/gibbs.js';
import { labelPlan, roundTo } from '../kernels/partial-dual.js';
import { exp } from '../kernels/scalar.js';
import { capped, gramv } from '../kernels/sinkhorn-scaling.js';
import { type Arena, type F32, type F64, type Real, slice } from '../runtime/arena.js';

/** Exponent of a scaling beyond which the kernel matrix is formed anew: squares of row scalings stay far inside f32's range. */
const reach = 20;
/** Entries of the single-precision copy below this are dropped: e^20 times as much is still nothing, and denormal products are slow. */
const negligible = 1e-20;
/** Rows whose f32 column sums are added before f64 takes over. */
const block = 256;

/** Φ, its gradient and products with its Hessian, from a kernel matrix that is formed anew when potentials have moved far. */
export class PartialDual {
  readonly rows: number;
  /** Real columns; one more is stored where mass < 1. */
  readonly columns: number;
  readonly mass: number;
  readonly epsilon: number;
  readonly #lambda: number;
  readonly #prior: Float64Array;
  readonly #arena: Arena;
  readonly #C: Real;
  readonly #F: F64;
  readonly #G: F64;
  readonly #cap: F64;
  readonly #blocks: { K: Real; u: Real; v: Real; acc: Real; a: Real; stats: F64 };
  readonly #scratch: { line: Real; top: F64; weight: F32; product: F32; p: F32; y: F32 };
  /** K in single precision for Hessian products, which steer a Newton step but do not decide where it ends. */
  readonly #single: F32;
  #singleFresh = false;

  /** @param fill writes costs [rows, width] with zeros in the virtual column; @param prior β, total 1; @param start v expected first */
  constructor(
    arena: Arena,
    fill: (C: Real, width: number) => void,
    rows: number,
    precision: Precision,
    prior: Float64Array,
    mass: number,
    epsilon: number,
    lambda: number,
    start?: Float64Array,
  ) {
    const k = prior.length;
    const width = mass < 1 ? k + 1 : k;
    this.#arena = arena;
    this.rows = rows;
    this.columns = k;
    this.mass = mass;
    this.epsilon = epsilon;
    this.#lambda = lambda;
    this.#prior = prior;
    const real = (length: number) => arena.zeroReal(precision, length);
    this.#C = arena.real(precision, rows * width);
    fill(this.#C, width);
    this.#F = arena.zeros('f64', rows);
    this.#G = arena.zeros('f64', width);
    this.#cap = arena.alloc('f64', rows);
    arena.view(this.#cap).fill(Infinity);
    this.#blocks = {
      K: arena.real(precision, rows * width),
      u: real(rows),
      v: real(width),
      acc: real(width),
      a: real(rows),
      stats: arena.zeros('f64', 4),
    };
    arena.view(this.#blocks.a as F64).fill(1 / rows);
    const single = (length: number) => arena.zeros('f32', length);
    this.#scratch = {
      line: real(2 * width),
      top: arena.zeros('f64', width),
      weight: single(rows),
      product: single(rows),
      p: single(width),
      y: single(width),
    };
    this.#single = precision === 'float32' ? (this.#blocks.K as F32) : arena.alloc('f32', rows * width);
    this.#form(start ?? new Float64Array(width));
  }

  /** Columns including the virtual one. */
  get width(): number {
    return this.#G.length;
  }

  /** K = exp((v_j − C_ij)/ε − row maximum): every row holds a 1. */
  #form(v: Float64Array): void {
    const g = this.#arena.view(this.#G);
    for (let j = 0; j < g.length; j++) g[j] = v[j]! / this.epsilon;
    const { top, line } = this.#scratch;
    const { K } = this.#blocks;
    if (K.type === 'f32') {
      lift(K, this.#F, top, this.#G, this.#C as F32, line as F32, this.epsilon);
      return;
    }
    tighten(this.#F, top, this.#G, this.#C, line, this.epsilon);
    gibbs(K, this.#F, this.#G, this.#C, this.epsilon);
    this.#singleFresh = false;
  }

  /**
   * v with its columns raised until the best row of each holds at least e^−depth of its own largest entry there: a column below the
   * range of exponentials has no mass and no slope to climb back by. To be asked before the first `masses`.
   */
  raised(v: Float64Array, depth: number): Float64Array {
    const top = this.#arena.view(this.#scratch.top);
    return v.map((value, j) => value + this.epsilon * Math.max(0, -depth - top[j]!));
  }

  /** Column masses [width] of the plan with exact rows at v [width]. */
  masses(v: Float64Array): Float64Array {
    const arena = this.#arena;
    const far = (g: Float64Array) => g.some((value, j) => !(Math.abs(v[j]! / this.epsilon - value) < reach));
    if (far(arena.view(this.#G))) this.#form(v);
    const g = arena.view(this.#G);
    const { K, u, v: V, acc, a, stats } = this.#blocks;
    const scalings = arena.view(V as F64);
    for (let j = 0; j < scalings.length; j++) scalings[j] = exp(v[j]! / this.epsilon - g[j]!);
    const x = new Float64Array(this.width);
    const step = K.type === 'f32' ? block : this.rows;
    for (let i = 0; i < this.rows; i += step) {
      const count = Math.min(step, this.rows - i);
      const part = slice(K as F64, i * this.width, count * this.width);
      capped({ K: part, u: slice(u as F64, i, count), v: V, acc, a: slice(a as F64, i, count), stats }, slice(this.#cap, i, count));
      const sums = arena.view(acc as F64);
      for (let j = 0; j < x.length; j++) x[j]! += sums[j]!;
    }
    return x.map((sum, j) => sum * scalings[j]!);
  }

  /** Column masses the penalty wants at v: ρ·p(v), and 1 − ρ for the virtual column. */
  wanted(v: Float64Array): Float64Array {
    const base = this.width > this.columns ? v[this.columns]! : 0;
    const out = new Float64Array(this.width);
    if (this.#lambda === Infinity) {
      for (let j = 0; j < this.columns; j++) out[j] = this.mass * this.#prior[j]!;
    } else {
      let [least, sum] = [Infinity, 0];
      for (let j = 0; j < this.columns; j++) least = Math.min(least, v[j]! - base);
      for (let j = 0; j < this.columns; j++) sum += out[j] = this.#prior[j]! * exp((least - (v[j]! - base)) / this.#lambda);
      for (let j = 0; j < this.columns; j++) out[j]! *= this.mass / sum;
    }
    if (this.width > this.columns) out[this.columns] = 1 - this.mass;
    return out;
  }

  /** The Hessian of Φ at the last point of `masses`, as a product with d [columns]; x and ρ·p as found there. */
  hessian(x: Float64Array, wanted: Float64Array): (d: Float64Array) => Float64Array {
    const arena = this.#arena;
    const { K } = this.#blocks;
    if (K.type === 'f64' && !this.#singleFresh) roundTo(this.#single, K, negligible);
    this.#singleFresh = true;
    const { weight, product, p, y } = this.#scratch;
    const [w, u] = [arena.view(weight), arena.view(this.#blocks.u as F64)];
    for (let i = 0; i < w.length; i++) w[i] = this.rows * u[i]! * u[i]!;
    const scalings = arena.take(this.#blocks.v as F64);
    const [into, out] = [arena.view(p), arena.view(y)];
    const soft = this.#lambda === Infinity ? 0 : 1 / this.#lambda;
    return (d) => {
      let along = 0;
      for (let j = 0; j < this.columns; j++) {
        into[j] = scalings[j]! * d[j]!;
        along += wanted[j]! * d[j]!;
      }
      gramv(y, this.#single, p, weight, product);
      return d.map((value, j) => (x[j]! * value - scalings[j]! * out[j]!) / this.epsilon + soft * wanted[j]! * (value - along / this.mass));
    };
  }

  /** The plan [rows, columns] at the point of the last `masses`, what its rows lack, and Σ ε·log of the row factors. */
  plan(): { plan: FloatArray; slack: Float64Array; rowTerms: number } {
    const arena = this.#arena;
    const { K, u, v } = this.#blocks;
    const [plan, slack] = [arena.real(K.type === 'f32' ? 'float32' : 'float64', this.rows * this.columns), arena.alloc('f64', this.rows)];
    let rowTerms = labelPlan(plan, slack, K, u, v, this.columns);
    for (const value of arena.view(this.#F)) rowTerms += value;
    return { plan: arena.take<'f32' | 'f64'>(plan), slack: arena.take(slack), rowTerms: this.epsilon * rowTerms };
  }
}
