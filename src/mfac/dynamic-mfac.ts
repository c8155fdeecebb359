// The inverse of the damped empirical Fisher matrix of the last m gradients.
import { asRecord, checkFinite, checkFloats, checkInteger, checkLength, checkPositive, checkRange } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { asFloats, type FloatArray, floats, type NumberArray, type Precision, precisionOf } from '../core/tensor.js';
import { cholesky } from '../kernels/cholesky.js';
import { nrm2 } from '../kernels/dot.js';
import { gemm } from '../kernels/gemm.js';
import { gemv } from '../kernels/gemv.js';
import { combineRows, replaceInverse, rowDots } from '../kernels/mfac-window.js';
import { trsm } from '../kernels/triangular.js';
import { type Arena, type F64, type Real, slice } from '../runtime/arena.js';
import { Instance } from '../runtime/instance.js';

export interface DynamicMfacOptions {
  /** d. */
  readonly size: number;
  /** m: gradients kept; the oldest goes when a new one comes. */
  readonly window: number;
  /** λ (1e-5). */
  readonly damping?: number;
  /** Of the window and all results; that of the first gradient when left out. */
  readonly precision?: Precision;
}

/** Rank-one changes of K⁻¹ lose about 1e-14 of it each: after so many it is computed afresh. */
const refreshAfter = 256;

interface State {
  readonly instance: Instance;
  /** The window W [m, d], slots without a gradient zero. */
  readonly window: Real;
  /** K = mλI + WWᵀ and its inverse [m, m], in f64. */
  readonly gram: F64;
  readonly inverse: F64;
}

/**
 * F⁻¹ for F = λI + (1/m) Σ g_i g_iᵀ over a sliding window of m gradients; 1/m from the first gradient on, missing ones count as zero.
 * A gradient enters in O(d·m + m²): K⁻¹ = (mλI + WWᵀ)⁻¹ is kept in f64 and changes by rank two. F⁻¹ of a gradient of the window is the
 * combination m Wᵀ K⁻¹ e_slot, without a subtraction; dot products and combinations are summed in f64. It keeps f32 accuracy where the published recurrence loses all at small λ.
 *
 * @param options `size` d, `window` m, `damping` λ (1e-5), `precision` (that of the first gradient)
 * @throws {DomainError} when an option is out of range
 * @see Frantar, Kurtic & Alistarh 2021, arXiv:2107.03356, §3.2
 */
export class DynamicMfac {
  readonly size: number;
  readonly window: number;
  readonly damping: number;
  #precision: Precision | undefined;
  #state: State | undefined;
  #disposed = false;
  #pushes = 0;
  #sinceRefresh = 0;

  constructor(options: DynamicMfacOptions) {
    const { size, window, damping = 1e-5, precision } = asRecord('options', options, '{ size, window }');
    checkInteger('size', size, 1);
    checkInteger('window', window, 1);
    checkPositive('damping', damping);
    this.size = size;
    this.window = window;
    this.damping = damping;
    this.#precision = precision;
  }

  /** Gradients that came in so far. */
  get pushes(): number {
    return this.#pushes;
  }

  /** Bytes of WebAssembly memory held. */
  get bytes(): number {
    return this.#state?.instance.bytes ?? 0;
  }

  /** Puts a gradient [d] in the place of the oldest. @throws {ShapeError | DomainError} on another length or numbers not finite */
  push(g: NumberArray): void {
    this.#checkInUse();
    const from = asFloats('g', g);
    checkLength('g', from, this.size);
    if (!this.#state) checkFinite('g', from); // before memory is taken for it; later its dot products tell
    const state = this.#open(precisionOf(from));
    const slot = this.#pushes % this.window;
    const { instance, window, gram, inverse } = state;
    const { window: m, size: d } = this;
    const intact = instance.run((arena) => {
      const [row, c] = [arena.putAs(this.#precision as Precision, from), arena.zeros('f64', m)];
      const { used, rows } = this.#rows(window, this.#pushes);
      rowDots(used, d, rows, row, slice(c, 0, used));
      rowDots(1, d, row, row, slice(c, slot, 1));
      const dots = arena.view(c);
      dots[slot] = (dots[slot] as number) + m * this.damping;
      if (!Number.isFinite(dots[slot])) {
        checkFinite('g', from);
        throw new DomainError('g: expected a gradient whose squares can be added, got an overflow');
      }
      arena.view(slice<'f32' | 'f64'>(window, slot * d, d)).set(arena.view(row));
      const K = arena.view(gram);
      for (let i = 0; i < m; i++) K[i * m + slot] = K[slot * m + i] = dots[i] as number;
      this.#sinceRefresh++;
      // The new row's distance² from the others is at least mλ in exact arithmetic.
      return replaceInverse(slot, c, inverse) > 0.5 * m * this.damping && this.#sinceRefresh < refreshAfter;
    });
    this.#pushes++;
    if (!intact) this.#refresh(state);
  }

  /** F⁻¹x for x [d]. For a gradient that has just been pushed, `update` is the accurate form. @throws {ShapeError | DomainError} */
  ihvp(x: NumberArray): FloatArray {
    const from = this.#read('x', x);
    const state = this.#open(precisionOf(from));
    const { instance, window } = state;
    const { window: m, size: d } = this;
    const precision = this.#precision as Precision;
    return instance.run((arena) => {
      const y = arena.putAs(precision, from);
      const c = arena.zeros('f64', m);
      const { used, rows } = this.#rows(window, this.#pushes);
      rowDots(used, d, rows, y, slice(c, 0, used));
      const b = this.#solve(state, arena, c);
      combineRows(used, d, -1 / this.damping, rows, slice(b, 0, used), 1 / this.damping, y, y);
      return arena.take(y) as FloatArray;
    });
  }

  /**
   * Pushes g, then returns F⁻¹g [d] of the new window. With `out` [d] it is written there, and with `momentum` μ (0) mixed with what
   * `out` holds in the same pass: out ← μ·out + (1 − μ)·F⁻¹g.
   * @throws {ShapeError | DomainError} on another length or numbers not finite
   */
  update(g: NumberArray, options: { readonly out?: FloatArray; readonly momentum?: number } = {}): FloatArray {
    const { out, momentum = 0 } = asRecord('options', options);
    checkRange('momentum', momentum, 0, 1);
    if (out !== undefined) {
      checkFloats('out', out);
      checkLength('out', out, this.size);
    }
    const slot = this.#pushes % this.window;
    this.push(g);
    const state = this.#state as State;
    const { instance, window } = state;
    const { window: m, size: d } = this;
    const precision = this.#precision as Precision;
    return instance.run((arena) => {
      const y = out && momentum > 0 ? arena.putAs(precision, out) : arena.real(precision, d);
      const { used, rows } = this.#rows(window, this.#pushes);
      const unit = arena.zeros('f64', m);
      arena.view(unit)[slot] = 1;
      const b = slice(this.#solve(state, arena, unit), 0, used);
      combineRows(used, d, (out ? 1 - momentum : 1) * m, rows, b, out ? momentum : 0, y, y);
      if (!out) return arena.take(y) as FloatArray;
      out.set(arena.view(y));
      return out;
    });
  }

  /** Row i of the window [d]: the gradient in slot i, zeros before it is filled. */
  row(i: number): FloatArray {
    checkInteger('i', i, 0, this.window - 1);
    if (!this.#state) return floats(this.#precision ?? 'float64', this.size);
    const { instance, window } = this.#state;
    return instance.arena.take(slice<'f32' | 'f64'>(window, i * this.size, this.size)) as FloatArray;
  }

  /** A copy with a memory of its own. */
  clone(): DynamicMfac {
    this.#checkInUse();
    const { size, window, damping } = this;
    const copy = new DynamicMfac({ size, window, damping, ...(this.#precision && { precision: this.#precision }) });
    copy.#pushes = this.#pushes;
    copy.#sinceRefresh = this.#sinceRefresh;
    if (this.#state) {
      const from = this.#state;
      const to = copy.#open(this.#precision as Precision);
      for (const part of ['window', 'gram', 'inverse'] as const) to.instance.arena.view(to[part]).set(from.instance.arena.view(from[part]));
    }
    return copy;
  }

  /** Frees what the object holds; it cannot be used afterwards. */
  dispose(): void {
    this.#state = undefined;
    this.#disposed = true;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #read(name: string, x: NumberArray): FloatArray {
    this.#checkInUse();
    const from = asFloats(name, x);
    checkLength(name, from, this.size);
    checkFinite(name, from);
    return from;
  }

  /** The rows of the window that hold gradients: products with the others are zero. */
  #rows(window: Real, pushes: number): { used: number; rows: Real } {
    const used = Math.max(1, Math.min(this.window, pushes));
    return { used, rows: slice<'f32' | 'f64'>(window, 0, used * this.size) as Real };
  }

  #checkInUse(): void {
    if (this.#disposed) throw new DomainError('DynamicMfac: expected an object in use, got one after dispose()');
  }

  #open(precision: Precision): State {
    if (this.#state) return this.#state;
    this.#precision ??= precision;
    const { window: m, size: d } = this;
    const instance = new Instance();
    const window = instance.arena.zeroReal(this.#precision, m * d);
    const [gram, inverse] = [instance.arena.zeros('f64', m * m), instance.arena.zeros('f64', m * m)];
    const [K, B] = [instance.arena.view(gram), instance.arena.view(inverse)];
    for (let i = 0; i < m; i++) {
      K[i * m + i] = m * this.damping;
      B[i * m + i] = 1 / (m * this.damping);
    }
    this.#state = { instance, window, gram, inverse };
    return this.#state;
  }

  /**
   * K⁻¹c [m] by iterative refinement. Where gradients nearly repeat each other, elements of K⁻¹ reach 1/(mλ) and cancel in products with W:
   * K⁻¹ alone is then right to far fewer digits than K. One that is hardly right at all is computed afresh.
   */
  #solve(state: State, arena: Arena, c: F64): F64 {
    const m = this.window;
    const [z, r] = [arena.alloc('f64', m), arena.alloc('f64', m)];
    gemv(m, m, state.inverse, c, z);
    for (let correction = 0; correction < 2; correction++) {
      arena.view(r).set(arena.view(c));
      gemv(m, m, state.gram, z, r, { alpha: -1, beta: 1 });
      const residual = nrm2(r) / nrm2(c);
      if (!(residual > 1e-13)) break;
      if (residual > 1e-2 && this.#sinceRefresh > 0) {
        this.#sinceRefresh = 0;
        if (this.#factorize(state)) gemv(m, m, state.inverse, c, z);
        correction = -1;
      } else gemv(m, m, state.inverse, r, z, { beta: 1 });
    }
    return z;
  }

  /** K⁻¹ from K by Cholesky factorisation. */
  #refresh(state: State): void {
    this.#sinceRefresh = 0;
    if (!this.#factorize(state))
      throw new DomainError(`damping: expected a value > ${this.damping}: with it the window is singular to working precision`);
  }

  #factorize({ instance, gram, inverse }: State): boolean {
    const m = this.window;
    return instance.run((arena) => {
      const L = arena.put(arena.take(gram));
      if (cholesky(m, L) >= 0) return false;
      const U = arena.zeros('f64', m * m);
      const unit = arena.view(U);
      for (let i = 0; i < m; i++) unit[i * m + i] = 1;
      trsm(m, m, L, U);
      gemm(m, m, m, U, U, inverse, { transA: true });
      return true;
    });
  }
}
