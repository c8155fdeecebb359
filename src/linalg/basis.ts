// Orthonormal vectors of a Krylov method, kept in WebAssembly memory of their own: they outlive awaits and are never copied back
// for an inner product.
import { nrm2 } from '../kernels/dot.js';
import { gemm } from '../kernels/gemm.js';
import { gemv } from '../kernels/gemv.js';
import type { F64 } from '../runtime/arena.js';
import { slice } from '../runtime/arena.js';
import { Instance } from '../runtime/instance.js';
import { norm } from './operator.js';

/** Up to `capacity` f64 vectors of `size` elements. */
export class Basis {
  readonly size: number;
  #instance = new Instance();
  #rows: F64;
  #work: F64;
  #count = 0;

  constructor(size: number, capacity: number) {
    this.size = size;
    this.#rows = this.#instance.keep((arena) => arena.alloc('f64', size * capacity));
    this.#work = this.#instance.keep((arena) => arena.alloc('f64', size));
  }

  /** Vectors held. */
  get count(): number {
    return this.#count;
  }

  /** Appends a vector. */
  push(v: Float64Array): void {
    this.#view(this.#count++).set(v);
  }

  /** A copy of vector j. */
  get(j: number): Float64Array {
    return this.#view(j).slice();
  }

  /**
   * Makes w orthogonal to the first `count` vectors by two passes of Gram–Schmidt ("twice is enough": the second pass brings the
   * overlap to rounding level, Giraud, Langou & Rozložník 2005). w is overwritten.
   *
   * @returns norm of w afterwards, and the coefficients removed [count]
   */
  orthogonalize(w: Float64Array, count = this.#count, passes: 1 | 2 = 2): { norm: number; coefficients: Float64Array } {
    return this.#instance.run((arena) => {
      const work = this.#work;
      arena.view(work).set(w);
      const overlaps = arena.alloc('f64', count);
      const coefficients = new Float64Array(count);
      for (let pass = 0; count > 0 && pass < passes; pass++) {
        gemv(count, this.size, this.#rows, work, overlaps);
        gemv(count, this.size, this.#rows, overlaps, work, { alpha: -1, beta: 1, transA: true });
        const found = arena.view(overlaps);
        for (let j = 0; j < count; j++) coefficients[j] = coefficients[j]! + found[j]!;
      }
      w.set(arena.view(work));
      const length = nrm2(work);
      return { norm: length > 1e-140 && length < Infinity ? length : norm(w), coefficients };
    });
  }

  /** One pass of Gram–Schmidt on several vectors at once, which are overwritten: the basis is read once for all of them. */
  project(vectors: readonly Float64Array[]): void {
    const [count, size, n] = [this.#count, this.size, vectors.length];
    if (count === 0 || n === 0) return;
    this.#instance.run((arena) => {
      const [z, overlaps] = [arena.alloc('f64', n * size), arena.alloc('f64', n * count)];
      const given = arena.view(z);
      for (const [i, v] of vectors.entries()) given.set(v, i * size);
      gemm(n, count, size, z, this.#rows, overlaps, { transB: true });
      gemm(n, size, count, overlaps, this.#rows, z, { alpha: -1, beta: 1 });
      const left = arena.view(z);
      for (const [i, v] of vectors.entries()) v.set(left.subarray(i * size, (i + 1) * size));
    });
  }

  /** Σ_j weights[j]·vector j. */
  combine(weights: Float64Array): Float64Array {
    return this.#instance.run((arena) => {
      const work = this.#work;
      gemv(weights.length, this.size, this.#rows, arena.put(weights), work, { transA: true });
      return arena.take(work);
    });
  }

  /** Keeps the given combinations in place of the vectors held: `weights[i]` [count] makes the new vector i. */
  replace(weights: readonly Float64Array[]): void {
    const fresh = weights.map((row) => this.combine(row));
    this.#count = 0;
    for (const v of fresh) this.push(v);
  }

  #view(j: number): Float64Array {
    return this.#instance.arena.view(slice(this.#rows, j * this.size, this.size));
  }
}
