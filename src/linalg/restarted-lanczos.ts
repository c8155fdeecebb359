// Thick-restart Lanczos (Wu & Simon 2000): a Krylov basis of bounded size, compressed to its best Ritz vectors when it is full.
import { checkAborted } from '../core/batches.js';
import { DomainError } from '../core/errors.js';
import type { LinearOperator, LongOptions } from '../core/model-types.js';
import { Random } from '../core/random.js';
import { Basis } from './basis.js';
import { eigh } from './eigh.js';
import { breakdownLevel } from './lanczos.js';
import { norm, products } from './operator.js';

export type SpectrumEnd = 'largest' | 'smallest' | 'magnitude';

/** How much an eigenvalue is wanted: the larger the better. */
export const rank: Readonly<Record<SpectrumEnd, (value: number) => number>> = {
  largest: (value) => value,
  smallest: (value) => -value,
  magnitude: (value) => Math.abs(value),
};

export interface RestartedOptions extends LongOptions {
  readonly k: number;
  readonly end: SpectrumEnd;
  /** Vectors in the basis before it is compressed. */
  readonly subspace: number;
  /** On the residual of each pair, relative to the largest |Ritz value| seen. */
  readonly tolerance: number;
  readonly maxProducts: number;
  readonly seed: number;
  readonly verify: boolean;
  readonly start: Float64Array | undefined;
}

export interface Pair {
  readonly value: number;
  readonly vector: Float64Array;
}

/**
 * Steps before a search of the complement may end early. A missing copy has about 1/√d of the start vector's length; by then Lanczos
 * has amplified an isolated one far above that (Kuczyński & Woźniakowski 1992).
 */
const provingSteps = 12;

interface Ritz {
  readonly values: Float64Array;
  /** weights[i] [count]: Ritz vector i in the basis, locked vectors left out. */
  readonly weights: Float64Array[];
  readonly residuals: Float64Array;
}

/** The search: one basis whose first `locked` vectors are finished eigenvectors, and the projection T of A on the others. */
class Search {
  readonly basis: Basis;
  locked = 0;
  largest = 0;
  readonly #A: ReturnType<typeof products>;
  readonly #random: Random;
  readonly #op: LinearOperator;
  readonly #options: RestartedOptions;

  constructor(op: LinearOperator, options: RestartedOptions) {
    this.#op = op;
    this.#options = options;
    this.#A = products(op);
    this.#random = new Random(options.seed);
    this.basis = new Basis(op.size, Math.min(op.size, options.subspace + options.k + 2) + 1);
  }

  get products(): number {
    return this.#A.count;
  }

  /** True residual norm of a pair: one product. */
  async residual({ value, vector }: Pair): Promise<number> {
    const w = await this.#A.apply(vector);
    for (let i = 0; i < w.length; i++) w[i] = w[i]! - value * vector[i]!;
    return norm(w);
  }

  /** A unit vector orthogonal to the basis; undefined when the basis spans everything. */
  fresh(start?: Float64Array): Float64Array | undefined {
    for (let attempt = 0; attempt < 8; attempt++) {
      const v = attempt === 0 && start ? start.slice() : this.#random.fill(new Float64Array(this.#op.size));
      const before = norm(v);
      const { norm: after } = this.basis.orthogonalize(v);
      if (after > 1e-8 * before) return v.map((x) => x / after);
    }
    return undefined;
  }

  /**
   * Finds up to `wanted` pairs in the complement of the locked vectors and leaves them at the front of the free part of the basis.
   * `enough` may end the search early.
   */
  async run(
    wanted: number,
    start: Float64Array | undefined,
    enough: (ritz: Ritz) => boolean,
  ): Promise<{ ritz: Ritz; complete: boolean; converged: boolean }> {
    const { subspace, tolerance, end, maxProducts, onProgress, signal } = this.#options;
    const limit = Math.min(subspace, this.#op.size - this.locked);
    const T = new Float64Array(limit * limit);
    const free = () => this.basis.count - this.locked;
    let next = this.fresh(start);
    let coupling = 0;
    let ritz: Ritz = { values: new Float64Array(0), weights: [], residuals: new Float64Array(0) };
    for (;;) {
      if (!next) return { ritz, complete: true, converged: true };
      checkAborted(signal);
      const j = free();
      this.basis.push(next);
      const w = await this.#A.apply(next);
      const { norm: rest, coefficients } = this.basis.orthogonalize(w);
      for (let i = 0; i <= j; i++) T[i * limit + j] = T[j * limit + i] = coefficients[this.locked + i]!;
      this.largest = Math.max(this.largest, Math.abs(coefficients[this.locked + j]!), j === 0 ? rest : 0);
      const complete = this.locked + j + 1 === this.#op.size;
      const invariant = complete || rest <= breakdownLevel[this.#op.precision] * this.largest;
      coupling = invariant ? 0 : rest;
      const full = j + 1 === limit;
      // The projection costs O(j³): looked at ever more rarely as it grows.
      const due = j + 1 >= wanted && (j + 1 - wanted) % (1 + (j >> 4)) === 0;
      if (invariant || full || due || this.products >= maxProducts) {
        ritz = project(T, limit, j + 1, coupling, rank[end]);
        for (const value of ritz.values) this.largest = Math.max(this.largest, Math.abs(value));
        const settled = Math.min(wanted, j + 1);
        let worst = 0;
        for (let i = 0; i < settled; i++) worst = Math.max(worst, ritz.residuals[i]!);
        const converged = j + 1 >= wanted && worst <= tolerance * this.largest && (!invariant || complete || full);
        onProgress?.({ done: this.products, total: maxProducts, phase: 'eigenvalues' });
        if (complete || converged || enough(ritz)) return { ritz, complete, converged: complete || converged };
        if (this.products >= maxProducts) return { ritz, complete: false, converged: false };
      }
      if (full) {
        const keep = Math.min(limit - 1, wanted + Math.floor((limit - wanted) / 2));
        this.compress(ritz, keep);
        T.fill(0);
        for (let i = 0; i < keep; i++) T[i * limit + i] = ritz.values[i]!;
      }
      next = invariant ? this.fresh() : w.map((x) => x / rest);
      if (next && full) this.#clean(next);
    }
  }

  /** Replaces the free part of the basis by its first `keep` Ritz vectors. */
  compress(ritz: Ritz, keep: number): void {
    const count = this.basis.count;
    const rows: Float64Array[] = [];
    for (let i = 0; i < this.locked; i++) {
      const row = new Float64Array(count);
      row[i] = 1;
      rows.push(row);
    }
    for (let i = 0; i < keep; i++) {
      const row = new Float64Array(count);
      row.set(ritz.weights[i]!, this.locked);
      rows.push(row);
    }
    this.basis.replace(rows);
  }

  #clean(v: Float64Array): void {
    const { norm: length } = this.basis.orthogonalize(v);
    for (let i = 0; i < v.length; i++) v[i] = v[i]! / length;
  }
}

/** Eigenpairs of the leading count × count block of T, most wanted first, with residual norms coupling·|last component|. */
function project(T: Float64Array, stride: number, count: number, coupling: number, wanted: (value: number) => number): Ritz {
  const block = new Float64Array(count * count);
  for (let i = 0; i < count; i++) for (let j = 0; j < count; j++) block[i * count + j] = T[i * stride + j]!;
  const { values, vectors } = eigh({ data: block, shape: [count, count] });
  const order = Array.from(values.keys()).sort((a, b) => wanted(values[b]!) - wanted(values[a]!) || a - b);
  const weights = order.map((column) => Float64Array.from({ length: count }, (_, i) => vectors.data[i * count + column]!));
  return {
    values: Float64Array.from(order, (i) => values[i]!),
    weights,
    residuals: Float64Array.from(weights, (row) => coupling * Math.abs(row[count - 1]!)),
  };
}

/**
 * The k most wanted eigenpairs. With `verify`, a second search from a new random start in the complement of what was found looks for
 * eigenvalues that one Krylov space cannot see (further copies of a repeated eigenvalue) until it finds none better than the k-th.
 */
export async function restartedLanczos(
  op: LinearOperator,
  options: RestartedOptions,
): Promise<{ pairs: Pair[]; residuals: Float64Array; converged: boolean; products: number }> {
  const { k, end, tolerance, verify } = options;
  const search = new Search(op, options);
  const wanted = rank[end];
  const first = await search.run(k, options.start, () => false);
  search.compress(first.ritz, k);
  const values = Array.from(first.ritz.values.subarray(0, k));
  let { converged } = first;
  for (let round = 0; verify && converged && !first.complete && round < 4 * k; round++) {
    search.locked = k;
    const worst = Math.min(...values.map(wanted));
    const slack = tolerance * search.largest;
    const again = await search.run(1, undefined, ({ values: found, residuals }) => {
      const gap = worst - wanted(found[0]!);
      return found.length >= provingSteps && gap > slack && residuals[0]! < gap / 10;
    });
    const candidate = again.ritz.values[0];
    if (candidate === undefined || !(wanted(candidate) > worst + slack)) break;
    search.compress(again.ritz, 1);
    const kept = [...values, candidate].map((value, i) => ({ value, i })).sort((a, b) => wanted(b.value) - wanted(a.value) || a.i - b.i);
    search.basis.replace(kept.slice(0, k).map(({ i }) => Float64Array.from({ length: k + 1 }, (_, j) => (j === i ? 1 : 0))));
    kept.slice(0, k).forEach(({ value }, i) => {
      values[i] = value;
    });
    converged &&= again.converged;
  }
  const pairs = values.map((value, i) => ({ value, vector: search.basis.get(i) })).sort((a, b) => wanted(b.value) - wanted(a.value));
  const residuals = new Float64Array(k);
  for (let i = 0; i < k; i++) residuals[i] = await search.residual(pairs[i]!);
  if (!residuals.every(Number.isFinite)) throw new DomainError('op: expected finite products, got NaN or infinity');
  return { pairs, residuals, converged, products: search.products };
}
