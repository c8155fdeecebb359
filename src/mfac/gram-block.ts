// A block with more coordinates than gradients. With K = mλI + GGᵀ = LLᵀ and U = L⁻¹G (m × w): F⁻¹x = (x − UᵀUx)/λ and
// diag F⁻¹ = (1 − column norms² of U)/λ. The row recurrence of the paper is this factorisation row by row: q_i = L_ii²/λ, v_i = L_ii U_i/λ.
import { DomainError } from '../core/errors.js';
import { square } from '../core/square.js';
import { type FloatArray, floats, type Precision } from '../core/tensor.js';
import { cholesky } from '../kernels/cholesky.js';
import { gemm } from '../kernels/gemm.js';
import { gemv } from '../kernels/gemv.js';
import { project } from '../kernels/mfac.js';
import { trsm } from '../kernels/triangular.js';
import type { Instance } from '../runtime/instance.js';
import type { Elimination, FisherBlock, PlainBlock } from './fisher-block.js';
import { eliminate, identity } from './gram-elimination.js';
import { addProjection, type ProjectionSums, projectPiece, prunedPart } from './gram-projection.js';
import type { Whitened } from './whitened.js';

export interface GramParts {
  readonly start: number;
  readonly damping: number;
  readonly precision: Precision;
  /** U [m, width]. */
  readonly whitened: Whitened;
  /** L, its lower triangle row by row. */
  readonly factor: Float64Array;
  readonly diagonal: Float64Array;
}

/** F⁻¹ of one block by the Gram matrix of its gradients. */
export class GramBlock implements FisherBlock {
  readonly start: number;
  readonly width: number;
  readonly diagonal: Float64Array;
  readonly #damping: number;
  readonly #precision: Precision;
  readonly #u: Whitened;
  readonly #factor: Float64Array;
  readonly #instance: Instance;

  constructor(instance: Instance, { start, damping, precision, whitened, factor, diagonal }: GramParts) {
    this.start = start;
    this.width = whitened.width;
    this.diagonal = diagonal;
    this.#damping = damping;
    this.#precision = precision;
    this.#u = whitened;
    this.#factor = factor;
    this.#instance = instance;
  }

  get bytes(): number {
    return this.#u.bytes + this.#factor.byteLength + this.diagonal.byteLength;
  }

  ihvp(x: FloatArray, out: FloatArray): void {
    this.#instance.run((arena) => {
      const from = arena.putAs(this.#precision, x);
      const to = arena.putAs(this.#precision, x);
      this.#u.eachRows((u, count) => project(count, this.width, -1, u, from, to));
      scaleInto(out, arena.view(to), 1 / this.#damping);
    });
  }

  column(k: number, out: FloatArray): void {
    this.#transposeTimes(this.#u.column(k), out, -1 / this.#damping);
    out[k] = this.diagonal[k] as number;
  }

  quadratic(x: FloatArray): number {
    const { rows: m } = this.#u;
    const c = this.#times(x); // Gx = L(Ux)
    let sum = 0;
    for (let i = 0; i < m; i++) {
      let g = 0;
      for (let j = 0; j <= i; j++) g += (this.#factor[(i * (i + 1)) / 2 + j] as number) * (c[j] as number);
      sum += g * g;
    }
    return this.#damping * squared(x) + sum / m;
  }

  inverseAt(indices: ArrayLike<number>): Float64Array {
    const columns = Array.from(indices, (k) => this.#u.column(k));
    const q = columns.length;
    const out = new Float64Array(q * q);
    for (let i = 0; i < q; i++) {
      out[i * q + i] = this.diagonal[indices[i] as number] as number;
      for (let j = 0; j < i; j++)
        out[i * q + j] = out[j * q + i] = -inner(columns[i] as FloatArray, columns[j] as FloatArray) / this.#damping;
    }
    return out;
  }

  /** On the survivors S: δ = U_Sᵀ M⁻¹ U_P w_P with M = mλ(LᵀL)⁻¹ + U_S U_Sᵀ (Woodbury in whitened coordinates), all in f64. */
  project(w: FloatArray, mask: Uint8Array): Float64Array {
    const sums = this.startProjection();
    this.#u.eachIn64((arena, u, start, width) => {
      const [pruned, kept] = prunedPart(w, mask, start, width);
      addProjection(sums, projectPiece(arena, u, this.#u.rows, pruned, kept));
    });
    return this.finishProjection(sums, w, mask);
  }

  /** U, for who works on its pieces elsewhere. */
  get whitened(): Whitened {
    return this.#u;
  }

  /** L, its lower triangle row by row. */
  get factor(): Float64Array {
    return this.#factor;
  }

  /** What the pieces of U are added to: mλ(LᵀL)⁻¹ and 0. */
  startProjection(): ProjectionSums {
    const { rows: m } = this.#u;
    return this.#instance.run((arena) => {
      const M = arena.alloc('f64', m * m);
      const inverse = arena.put(identity(m));
      trsm(m, m, arena.put(this.#fullFactor()), inverse);
      gemm(m, m, m, inverse, inverse, M, { transB: true, alpha: m * this.#damping });
      return { M: arena.take(M), z: new Float64Array(m) };
    });
  }

  /** δ from the sums over all pieces. */
  finishProjection(sums: ProjectionSums, w: FloatArray, mask: Uint8Array): Float64Array {
    const { rows: m } = this.#u;
    const solved = this.#instance.run((arena) => {
      const M = arena.put(sums.M);
      const z = arena.put(sums.z);
      if (cholesky(m, M) >= 0)
        throw new DomainError('damping: expected a larger value: the quadratic model over the survivors is singular to working precision');
      trsm(m, 1, M, z);
      trsm(m, 1, M, z, { transT: true });
      return arena.take(z);
    });
    const moved = new Float64Array(this.width);
    this.#transposeTimes(solved, moved, 1);
    return moved.map((v, k) => (mask[k] ? v : -(w[k] as number)));
  }

  /** Everything it is made of, as plain data. */
  parts(): PlainBlock {
    const { start, width, diagonal } = this;
    const u = this.#u.piece(0, width);
    return {
      kind: 'gram',
      start,
      damping: this.#damping,
      precision: this.#precision,
      rows: this.#u.rows,
      u,
      factor: this.#factor,
      diagonal,
    };
  }

  elimination(): Elimination {
    return eliminate(this.#u, this.diagonal, this.#damping, (r, out, factor) => this.#transposeTimes(r, out, factor));
  }

  /** The rows v_i and numbers q_i of the published recurrence. */
  recurrence(): { v: FloatArray; q: Float64Array } {
    const { rows: m, width } = this.#u;
    const v = floats(this.#precision, m * width);
    const q = new Float64Array(m);
    for (let i = 0; i < m; i++) q[i] = square(this.#factor[(i * (i + 1)) / 2 + i] as number) / this.#damping;
    for (let k = 0; k < width; k++) {
      const u = this.#u.column(k);
      for (let i = 0; i < m; i++) v[i * width + k] = ((this.#factor[(i * (i + 1)) / 2 + i] as number) * (u[i] as number)) / this.#damping;
    }
    return { v, q };
  }

  /** Ux in f64. */
  #times(x: FloatArray): Float64Array {
    const { rows: m } = this.#u;
    const total = new Float64Array(m);
    this.#u.each((arena, u, start, width, ldu) => {
      const c = arena.real(this.#precision, m);
      gemv(m, width, u, arena.putAs(this.#precision, x.subarray(start, start + width)), c, { lda: ldu });
      const part = arena.view(c);
      for (let i = 0; i < m; i++) total[i] = (total[i] as number) + (part[i] as number);
    });
    return total;
  }

  /** out = factor·Uᵀc. */
  #transposeTimes(c: FloatArray, out: FloatArray, factor: number): void {
    const { rows: m } = this.#u;
    this.#u.each((arena, u, start, width, ldu) => {
      const to = arena.real(this.#precision, width);
      gemv(m, width, u, arena.putAs(this.#precision, c), to, { transA: true, lda: ldu });
      scaleInto(out.subarray(start, start + width), arena.view(to), factor);
    });
  }

  #fullFactor(): Float64Array {
    const { rows: m } = this.#u;
    const out = new Float64Array(m * m);
    for (let i = 0; i < m; i++) out.set(this.#factor.subarray((i * (i + 1)) / 2, ((i + 1) * (i + 2)) / 2), i * m);
    return out;
  }
}

function scaleInto(out: FloatArray, from: FloatArray, factor: number): void {
  for (let i = 0; i < from.length; i++) out[i] = factor * (from[i] as number);
}

function squared(x: FloatArray): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += square(x[i] as number);
  return sum;
}

function inner(a: FloatArray, b: FloatArray): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
