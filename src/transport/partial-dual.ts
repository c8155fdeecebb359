// The dual of progressive partial transport: column potentials v, rows eliminated exactly. With a virtual column of cost 0 that takes what
// is not transported, Q̂_ij = softmax_j((v_j − C_ij)/ε)/N, and the optimum minimises the convex
//   Φ(v) = (ε/N) Σ_i log Σ_j e^((v_j − C_ij)/ε) + ρλ log Σ_k β_k e^(−v_k/λ)    (v of the virtual column = 0; λ = ∞: −ρ⟨β, v⟩),
// whose gradient is column masses x(v) minus ρ·p(v), p = softmax(log β − v/λ).
import type { FloatArray, Precision } from '../core/tensor.js';
import { flatKernel, type LabelKernel, type LabelRows, labelKernel } from '../kernels/label-kernel.js';
import { labelPlan, shares } from '../kernels/partial-dual.js';
import { exp } from '../kernels/scalar.js';
import { capped, gramv } from '../kernels/sinkhorn-scaling.js';
import { type Arena, type F32, type F64, type Real, slice } from '../runtime/arena.js';

/** Exponent of a scaling beyond which the kernel matrix is formed anew: squares of row scalings stay far inside the range of numbers. */
const reach = { float32: 20, float64: 250 };
/** Shares of a row below this are dropped in single precision: e^20 times as much is still nothing, and denormal products are slow. */
const negligible = 1e-20;
/** Rows whose f32 column sums are added before f64 takes over. */
const block = 256;
/** Kernel matrices of f64 logits that span fewer ε have a simpler form; with scalings of `reach` they stay inside the range of numbers. */
const easySpan = 300;
/** Stored columns are a multiple of this, so that no pass over the kernel matrix has a tail. */
const columnStep = 8;

/** What the dual is of: N rows, K clusters with prior β of total 1, ρ, ε, λ and the precision to work in. */
export interface DualProblem {
  readonly rows: number;
  readonly prior: Float64Array;
  readonly mass: number;
  readonly epsilon: number;
  readonly lambda: number;
  readonly precision: Precision;
}

/** Writes the kernel matrix at G = v/ε. */
type Form = (blocks: LabelKernel, G: F64, v: Float64Array) => void;

/** Φ, its gradient and products with its Hessian, from a kernel matrix that is formed anew when potentials have moved far. */
export class PartialDual {
  readonly rows: number;
  /** Real columns; one more is stored where mass < 1. */
  readonly columns: number;
  /** Columns including the virtual one. */
  readonly width: number;
  readonly mass: number;
  readonly epsilon: number;
  readonly #problem: DualProblem;
  readonly #arena: Arena;
  readonly #form: Form;
  readonly #G: F64;
  readonly #cap: F64;
  readonly #kernel: LabelKernel;
  readonly #blocks: { K: Real; u: Real; v: Real; acc: Real; a: Real; stats: F64 };
  /** Where `masses` was called last, and what it found. */
  #last: { v: Float64Array; x: Float64Array } | undefined;
  #single: PartialDual | undefined;
  #scratch: { weight: F32; product: F32; p: F32; y: F32 } | undefined;

  /** @param form writes the kernel matrix; @param start v expected first */
  private constructor(arena: Arena, problem: DualProblem, form: Form, start: Float64Array) {
    const { rows, precision, mass, epsilon } = problem;
    this.#arena = arena;
    this.#problem = problem;
    this.#form = form;
    this.rows = rows;
    this.columns = problem.prior.length;
    this.mass = mass;
    this.epsilon = epsilon;
    this.width = mass < 1 ? this.columns + 1 : this.columns;
    const pitch = columnStep * Math.ceil(this.width / columnStep);
    const real = (length: number) => arena.zeroReal(precision, length);
    this.#G = arena.zeros('f64', pitch);
    this.#cap = arena.alloc('f64', rows);
    arena.view(this.#cap).fill(Infinity);
    const K = arena.real(precision, rows * pitch);
    this.#kernel = { K, F: arena.alloc('f64', rows), base: arena.alloc('f64', rows) };
    this.#blocks = { K, u: real(rows), v: real(pitch), acc: real(pitch), a: real(rows), stats: arena.zeros('f64', 4) };
    arena.view(this.#blocks.a as F64).fill(1 / rows);
    // In double precision potentials of hundreds of ε fit into the scalings: the kernel matrix at 0 is cheaper to form.
    const near = precision === 'float64' && start.every((value) => Math.abs(value) < 0.5 * reach.float64 * epsilon);
    this.#formAt(near ? new Float64Array(this.width) : start);
  }

  /** The dual of every `stride`-th row of labels; `problem.rows` counts those rows. */
  static of(arena: Arena, labels: LabelRows, stride: number, problem: DualProblem, start: Float64Array): PartialDual {
    const { epsilon, mass } = problem;
    const shape = { epsilon, stride, width: mass < 1 ? labels.cols + 1 : labels.cols };
    const easy = labels.logits && problem.precision === 'float64' && labels.high - labels.low < easySpan * epsilon;
    let known = false;
    const form: Form = (blocks, G, v) => {
      if (easy && !known && v.every((value) => value === 0)) flatKernel(blocks, labels, { ...shape, pitch: G.length });
      else labelKernel(blocks, labels, G, { ...shape, known });
      known = true;
    };
    return new PartialDual(arena, problem, form, start);
  }

  /** The same dual in single precision, exact to its rounding where potentials are near `start`: for Newton's steps. */
  single(start: Float64Array): PartialDual {
    if (this.#problem.precision === 'float32') return this;
    this.#single ??= new PartialDual(
      this.#arena,
      { ...this.#problem, precision: 'float32' },
      ({ K }, _, v) => this.#shares(K as F32, v),
      start,
    );
    return this.#single;
  }

  /** The shares of every row at v. */
  #shares(K: F32, v: Float64Array): void {
    this.masses(v);
    shares(K, this.#blocks.K as F64, this.#blocks.u as F64, this.#blocks.v as F64, negligible);
  }

  #formAt(v: Float64Array, top?: F64): void {
    const g = this.#arena.view(this.#G);
    for (let j = 0; j < v.length; j++) g[j] = v[j]! / this.epsilon;
    this.#form({ ...this.#kernel, top }, this.#G, v);
  }

  /**
   * v with its columns raised until the best row of each holds at least e^−depth of its own largest entry there: a column below the
   * range of exponentials has no mass and no slope to climb back by.
   */
  raised(v: Float64Array, depth: number): Float64Array {
    const least = exp(-depth);
    if (this.masses(v).every((mass) => mass >= least)) return v;
    const top = this.#arena.alloc('f64', this.#G.length);
    this.#formAt(v, top);
    this.#last = undefined;
    const exponents = this.#arena.view(top);
    return v.map((value, j) => value + this.epsilon * Math.max(0, -depth - exponents[j]!));
  }

  /** Column masses [width] of the plan with exact rows at v [width]. */
  masses(v: Float64Array): Float64Array {
    if (this.#last?.v.every((value, j) => value === v[j])) return this.#last.x;
    const arena = this.#arena;
    const { precision } = this.#problem;
    const g = arena.view(this.#G);
    if (v.some((value, j) => !(Math.abs(value / this.epsilon - g[j]!) < reach[precision]))) this.#formAt(v);
    const { K, u, v: V, acc, a, stats } = this.#blocks;
    const [scalings, at] = [arena.view(V as F64), arena.view(this.#G)];
    for (let j = 0; j < v.length; j++) scalings[j] = exp(v[j]! / this.epsilon - at[j]!);
    const x = new Float64Array(this.width);
    const step = K.type === 'f32' ? block : this.rows;
    for (let i = 0; i < this.rows; i += step) {
      const count = Math.min(step, this.rows - i);
      const part = slice(K as F64, i * V.length, count * V.length);
      capped({ K: part, u: slice(u as F64, i, count), v: V, acc, a: slice(a as F64, i, count), stats }, slice(this.#cap, i, count));
      const sums = arena.view(acc as F64);
      for (let j = 0; j < x.length; j++) x[j]! += sums[j]!;
    }
    for (let j = 0; j < x.length; j++) x[j]! *= scalings[j]!;
    this.#last = { v: v.slice(), x };
    return x;
  }

  /** Column masses the penalty wants at v: ρ·p(v), and 1 − ρ for the virtual column. */
  wanted(v: Float64Array): Float64Array {
    const base = this.width > this.columns ? v[this.columns]! : 0;
    const out = new Float64Array(this.width);
    if (this.#problem.lambda === Infinity) {
      for (let j = 0; j < this.columns; j++) out[j] = this.mass * this.#problem.prior[j]!;
    } else {
      let [least, sum] = [Infinity, 0];
      for (let j = 0; j < this.columns; j++) least = Math.min(least, v[j]! - base);
      for (let j = 0; j < this.columns; j++) sum += out[j] = this.#problem.prior[j]! * exp((least - (v[j]! - base)) / this.#problem.lambda);
      for (let j = 0; j < this.columns; j++) out[j]! *= this.mass / sum;
    }
    if (this.width > this.columns) out[this.columns] = 1 - this.mass;
    return out;
  }

  /** The Hessian of Φ at the last point of `masses`, as a product with d [columns], in single precision; x and ρ·p as found there. */
  hessian(x: Float64Array, wanted: Float64Array): (d: Float64Array) => Float64Array {
    const arena = this.#arena;
    const { K, u, v } = this.#blocks;
    const single = (length: number) => arena.zeros('f32', length);
    this.#scratch ??= { weight: single(this.rows), product: single(this.rows), p: single(v.length), y: single(v.length) };
    const { weight, product, p, y } = this.#scratch;
    const [w, factors] = [arena.view(weight), arena.view(u as F32)];
    for (let i = 0; i < w.length; i++) w[i] = this.rows * factors[i]! * factors[i]!;
    const scalings = arena.take(v as F32);
    const [into, out] = [arena.view(p), arena.view(y)];
    const { lambda } = this.#problem;
    const soft = lambda === Infinity ? 0 : 1 / lambda;
    return (d) => {
      let along = 0;
      for (let j = 0; j < this.columns; j++) {
        into[j] = scalings[j]! * d[j]!;
        along += wanted[j]! * d[j]!;
      }
      gramv(y, K, p, weight, product);
      return d.map((value, j) => (x[j]! * value - scalings[j]! * out[j]!) / this.epsilon + soft * wanted[j]! * (value - along / this.mass));
    };
  }

  /** The plan [rows, columns] at the point of the last `masses`, what its rows lack, and Σ ε·log of the row factors. */
  plan(): { plan: FloatArray; slack: Float64Array; rowTerms: number } {
    const arena = this.#arena;
    const { K, u, v } = this.#blocks;
    const [plan, slack] = [arena.real(this.#problem.precision, this.rows * this.columns), arena.alloc('f64', this.rows)];
    let rowTerms = labelPlan(plan, slack, K, u, v, this.columns, this.width);
    for (const value of arena.view(this.#kernel.F)) rowTerms += value;
    return { plan: arena.take<'f32' | 'f64'>(plan), slack: arena.take(slack), rowTerms: this.epsilon * rowTerms };
  }
}
