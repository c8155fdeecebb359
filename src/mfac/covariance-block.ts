// A block with fewer coordinates than gradients: F itself, factorised in f64. F = LLᵀ and U = L⁻¹ (w × w): F⁻¹ = UᵀU, a sum of
// squares, so neither products nor the diagonal cancel.
import { DomainError } from '../core/errors.js';
import type { FloatArray } from '../core/tensor.js';
import { cholesky } from '../kernels/cholesky.js';
import { columnNorms, project } from '../kernels/mfac.js';
import { syrk } from '../kernels/syrk.js';
import { trsm } from '../kernels/triangular.js';
import type { Instance } from '../runtime/instance.js';
import type { Elimination, FisherBlock, PlainBlock } from './fisher-block.js';

/** F⁻¹ of one block by its own factor. */
export class CovarianceBlock implements FisherBlock {
  readonly start: number;
  readonly width: number;
  readonly diagonal: Float64Array;
  /** F and L⁻¹, row-major [w, w]. */
  readonly #fisher: Float64Array;
  readonly #u: Float64Array;
  readonly #instance: Instance;

  private constructor(instance: Instance, start: number, fisher: Float64Array, u: Float64Array, diagonal: Float64Array) {
    this.start = start;
    this.width = diagonal.length;
    this.diagonal = diagonal;
    this.#fisher = fisher;
    this.#u = u;
    this.#instance = instance;
  }

  /** From the block's part of every gradient. @throws {DomainError} when F is not positive definite to working precision */
  static build(instance: Instance, rows: readonly FloatArray[], start: number, damping: number): CovarianceBlock {
    const m = rows.length;
    const w = (rows[0] as FloatArray).length;
    return instance.run((arena) => {
      const g = arena.alloc('f64', m * w);
      const view = arena.view(g);
      for (const [i, row] of rows.entries()) view.set(row, i * w);
      const F = arena.alloc('f64', w * w);
      syrk(w, m, g, F, { transA: true, alpha: 1 / m });
      const fisher = arena.take(F);
      for (let k = 0; k < w; k++) {
        if (!Number.isFinite(fisher[k * w + k])) throw new DomainError(`G: expected finite numbers, got others in column ${start + k}`);
        fisher[k * w + k] = (fisher[k * w + k] as number) + damping;
      }
      arena.view(F).set(fisher);
      const failed = cholesky(w, F);
      if (failed >= 0)
        throw new DomainError(
          `damping: expected a value > ${damping}: with it the Fisher matrix is singular at parameter ${start + failed}`,
        );
      const u = arena.zeros('f64', w * w);
      const inverse = arena.view(u);
      for (let k = 0; k < w; k++) inverse[k * w + k] = 1;
      trsm(w, w, F, u);
      const norms = arena.alloc('f64', w);
      columnNorms(w, w, u, norms);
      return new CovarianceBlock(instance, start, fisher, arena.take(u), arena.take(norms));
    });
  }

  /** From its parts. */
  static from(instance: Instance, { start, fisher, u, diagonal }: PlainBlock & { kind: 'covariance' }): CovarianceBlock {
    return new CovarianceBlock(instance, start, fisher, u, diagonal);
  }

  parts(): PlainBlock {
    return { kind: 'covariance', start: this.start, fisher: this.#fisher, u: this.#u, diagonal: this.diagonal };
  }

  get bytes(): number {
    return this.#fisher.byteLength + this.#u.byteLength + this.diagonal.byteLength;
  }

  ihvp(x: FloatArray, out: FloatArray): void {
    const w = this.width;
    this.#instance.run((arena) => {
      const y = arena.zeros('f64', w);
      project(w, w, 1, arena.put(this.#u), arena.put(Float64Array.from(x)), y);
      out.set(arena.view(y));
    });
  }

  column(k: number, out: FloatArray): void {
    const unit = new Float64Array(this.width);
    unit[k] = 1;
    this.ihvp(unit, out);
  }

  quadratic(x: FloatArray): number {
    const w = this.width;
    let sum = 0;
    for (let i = 0; i < w; i++) {
      let row = 0;
      for (let j = 0; j < w; j++) row += (this.#fisher[i * w + j] as number) * (x[j] as number);
      sum += row * (x[i] as number);
    }
    return sum;
  }

  inverseAt(indices: ArrayLike<number>): Float64Array {
    const q = indices.length;
    const w = this.width;
    const out = new Float64Array(q * q);
    const column = new Float64Array(w);
    for (let i = 0; i < q; i++) {
      this.column(indices[i] as number, column);
      for (let j = 0; j < q; j++) out[i * q + j] = column[indices[j] as number] as number;
    }
    return out;
  }

  /** δ_S = F_SS⁻¹ F_SP w_P. */
  project(weights: FloatArray, mask: Uint8Array): Float64Array {
    const w = this.width;
    const survivors: number[] = [];
    for (let k = 0; k < w; k++) if (mask[k]) survivors.push(k);
    const n = survivors.length;
    const change = Float64Array.from(weights, (v) => -v);
    if (n === 0) return change;
    const matrix = new Float64Array(n * n);
    const right = new Float64Array(n);
    for (const [i, row] of survivors.entries()) {
      let sum = 0;
      for (let k = 0; k < w; k++) if (!mask[k]) sum += (this.#fisher[row * w + k] as number) * (weights[k] as number);
      right[i] = sum;
      for (const [j, col] of survivors.entries()) matrix[i * n + j] = this.#fisher[row * w + col] as number;
    }
    this.#instance.run((arena) => {
      const L = arena.put(matrix);
      const x = arena.put(right);
      cholesky(n, L);
      trsm(n, 1, L, x);
      trsm(n, 1, L, x, { transT: true });
      const solved = arena.view(x);
      for (const [i, row] of survivors.entries()) change[row] = solved[i] as number;
    });
    return change;
  }

  elimination(): Elimination {
    const w = this.width;
    const inverse = new Float64Array(w * w);
    const column = new Float64Array(w);
    for (let k = 0; k < w; k++) {
      this.column(k, column);
      inverse.set(column, k * w);
    }
    const diagonal = this.diagonal.slice();
    const out = new Float64Array(w);
    return {
      diagonal,
      remove: (k) => {
        for (let j = 0; j < w; j++) out[j] = inverse[j * w + k] as number;
        const pivot = diagonal[k] as number;
        for (let i = 0; i < w; i++) {
          const factor = (out[i] as number) / pivot;
          for (let j = 0; j < w; j++) inverse[i * w + j] = (inverse[i * w + j] as number) - factor * (out[j] as number);
        }
        for (let j = 0; j < w; j++) diagonal[j] = inverse[j * w + j] as number;
        return out;
      },
    };
  }
}
