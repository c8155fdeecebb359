// Iterated Bregman projections for barycenters, on a kernel matrix or in the log domain; debiased by a reference that adapts.
import { gemm } from '../kernels/gemm.js';
import { exp, log } from '../kernels/scalar.js';
import { logSumExpRows } from '../kernels/softmax-rows.js';
import type { Arena, F64 } from '../runtime/arena.js';
import { transpose } from './source.js';

/** A checked problem: S histograms of total 1 on m points, costs [n, m] to the support and, where it is debiased, [n, n] within it. */
export interface BarycenterSetting {
  readonly cost: Float64Array;
  readonly self: Float64Array | undefined;
  /** [S, m] */
  readonly histograms: Float64Array;
  /** [S] of total 1. */
  readonly weights: Float64Array;
  readonly n: number;
  readonly m: number;
}

/** One way to iterate. `step` returns the largest L1 distance between the barycenter and a first marginal, and its own L1 change. */
export interface BarycenterIteration {
  step(): number;
  /** [n] of total 1 up to convergence. */
  barycenter(): Float64Array;
}

/** The kernel matrix e^(−C/ε) for all histograms at once: one product each way. */
export class KernelIteration implements BarycenterIteration {
  readonly #arena: Arena;
  readonly #s: BarycenterSetting;
  readonly #blocks: { K: F64; U: F64; V: F64; KV: F64; KU: F64; d: F64; Kd: F64 };
  readonly #selfKernel: F64 | undefined;
  readonly #histograms: Float64Array; // [m, S]
  readonly #p: Float64Array;

  constructor(arena: Arena, s: BarycenterSetting, epsilon: number) {
    this.#arena = arena;
    this.#s = s;
    const { n, m } = s;
    const S = s.weights.length;
    this.#histograms = transpose(s.histograms, S, m);
    const kernel = (cost: Float64Array) => {
      let least = Infinity;
      for (const c of cost) least = Math.min(least, c);
      return arena.put(cost.map((c) => exp((least - c) / epsilon)));
    };
    const ones = (length: number) => arena.put(new Float64Array(length).fill(1));
    const zeros = (length: number) => arena.zeros('f64', length);
    this.#blocks = { K: kernel(s.cost), U: ones(n * S), V: zeros(m * S), KV: zeros(n * S), KU: zeros(m * S), d: ones(n), Kd: zeros(n) };
    this.#selfKernel = s.self && kernel(s.self);
    this.#p = new Float64Array(n).fill(1 / n);
  }

  step(): number {
    const { n, m, weights } = this.#s;
    const { K, U, V, KV, KU, d, Kd } = this.#blocks;
    const [S, arena, p] = [weights.length, this.#arena, this.#p];
    gemm(m, S, n, K, U, KU, { transA: true });
    const [ku, v] = [arena.view(KU), arena.view(V)];
    for (let k = 0; k < v.length; k++) v[k] = this.#histograms[k] === 0 ? 0 : this.#histograms[k]! / ku[k]!;
    gemm(n, S, m, K, V, KV);
    const [kv, u, reference] = [arena.view(KV), arena.view(U), arena.view(d)];
    const off = new Float64Array(S);
    let change = 0;
    for (let i = 0; i < n; i++) {
      // Without debiasing the mean of the present marginals, with it the reference times the mean of what the histograms send.
      let mean = this.#selfKernel ? log(reference[i]!) : 0;
      for (let s = 0; s < S; s++) mean += weights[s]! * log(this.#selfKernel ? kv[i * S + s]! : u[i * S + s]! * kv[i * S + s]!);
      const next = exp(mean);
      change += Math.abs(next - p[i]!);
      p[i] = next;
      for (let s = 0; s < S; s++) {
        off[s]! += Math.abs(u[i * S + s]! * kv[i * S + s]! - next);
        u[i * S + s] = kv[i * S + s]! > 0 ? next / kv[i * S + s]! : 0;
      }
    }
    if (this.#selfKernel) {
      gemm(n, 1, n, this.#selfKernel, d, Kd);
      const [now, sums] = [arena.view(d), arena.view(Kd)];
      for (let i = 0; i < n; i++) now[i] = Math.sqrt((now[i]! * p[i]!) / sums[i]!);
    }
    return Math.max(largest(off), this.#selfKernel ? change : 0);
  }

  barycenter(): Float64Array {
    return this.#p;
  }
}

/** The same iterations on logarithms of the scalings: nothing underflows, whatever ε. Potentials are kept when ε shrinks. */
export class LogIteration implements BarycenterIteration {
  readonly #arena: Arena;
  readonly #s: BarycenterSetting;
  readonly #turned: Float64Array; // [m, n]
  readonly #logs: Float64Array; // of the histograms [S, m]
  /** Logarithms of the scalings u [S, n] and of the reference d [n]. */
  readonly #u: Float64Array;
  readonly #d: Float64Array;
  readonly #logP: Float64Array;
  readonly #scratch: F64;
  readonly #sums: F64;
  #epsilon: number;

  constructor(arena: Arena, s: BarycenterSetting, epsilon: number) {
    const { n, m } = s;
    this.#arena = arena;
    this.#s = s;
    this.#turned = transpose(s.cost, n, m);
    this.#logs = s.histograms.map((b) => log(b));
    this.#u = new Float64Array(s.weights.length * n);
    this.#d = new Float64Array(n);
    this.#logP = new Float64Array(n).fill(-log(n));
    this.#scratch = arena.zeros('f64', n * Math.max(m, s.self ? n : 0));
    this.#sums = arena.zeros('f64', Math.max(n, m));
    this.#epsilon = epsilon;
  }

  /** Keeps the potentials, changes ε. */
  rescale(epsilon: number): void {
    const ratio = this.#epsilon / epsilon;
    for (const x of [this.#u, this.#d]) for (let i = 0; i < x.length; i++) x[i]! *= ratio;
    this.#epsilon = epsilon;
  }

  step(): number {
    const { n, m, weights, cost, self } = this.#s;
    const sent: Float64Array[] = [];
    for (let s = 0; s < weights.length; s++) {
      const sums = this.#apply(this.#turned, this.#u.subarray(s * n, (s + 1) * n), m);
      const v = sums.map((x, j) => this.#logs[s * m + j]! - x);
      sent.push(this.#apply(cost, v, n));
    }
    const off = new Float64Array(weights.length);
    let change = 0;
    for (let i = 0; i < n; i++) {
      let mean = self ? this.#d[i]! : 0;
      for (let s = 0; s < weights.length; s++) mean += weights[s]! * (sent[s]![i]! + (self ? 0 : this.#u[s * n + i]!));
      const next = exp(mean);
      change += Math.abs(next - exp(this.#logP[i]!));
      this.#logP[i] = mean;
      for (let s = 0; s < weights.length; s++) {
        off[s]! += Math.abs(exp(this.#u[s * n + i]! + sent[s]![i]!) - next);
        this.#u[s * n + i] = mean - sent[s]![i]!;
      }
    }
    if (self) {
      const spread = this.#apply(self, this.#d, n);
      for (let i = 0; i < n; i++) this.#d[i] = (this.#d[i]! + this.#logP[i]! - spread[i]!) / 2;
    }
    return Math.max(largest(off), self ? change : 0);
  }

  barycenter(): Float64Array {
    return this.#logP.map((x) => exp(x));
  }

  /** log Σ_j e^(x_j − C_ij/ε) for every row of C [rows, x.length]. */
  #apply(C: Float64Array, x: Float64Array, rows: number): Float64Array {
    const width = x.length;
    const block = { ...this.#scratch, length: rows * width };
    const view = this.#arena.view(block);
    const inverse = 1 / this.#epsilon;
    for (let i = 0, k = 0; i < rows; i++) for (let j = 0; j < width; j++, k++) view[k] = x[j]! - C[k]! * inverse;
    const sums = { ...this.#sums, length: rows };
    logSumExpRows(sums, block, rows, width);
    return this.#arena.take(sums);
  }
}

function largest(values: Float64Array): number {
  return values.reduce((top, v) => Math.max(top, v), 0);
}
