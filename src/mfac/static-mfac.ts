// The inverse of the damped empirical Fisher matrix of a fixed set of gradients.

import { checkAborted } from '../core/batches.js';
import { asRecord, checkArray, checkFinite, checkInteger, checkLength, checkMethods, checkOneOf, checkPositive } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import type { LongOptions } from '../core/model-types.js';
import { readLong } from '../core/stepper.js';
import { asFloats, type FloatArray, floats, type NumberArray, type Precision, type Tensor, type TensorLike } from '../core/tensor.js';
import { Instance } from '../runtime/instance.js';
import type { ThreadPool } from '../threads/pool.js';
import { type FactorizeOptions, factorize, type MfacForm } from './factorize.js';
import { factorizeInPool } from './factorize-in-pool.js';
import type { FisherBlock } from './fisher-block.js';
import { type GradientRows, type Gradients, gatherRows, readRows } from './gradient-rows.js';
import { GramBlock } from './gram-block.js';

export interface StaticMfacOptions {
  /** λ in F = λI + (1/m) Σ g gᵀ; not divided by m (1e-5). */
  readonly damping?: number;
  /** Coordinates per block of a block-diagonal F, the last one shorter; Infinity (the default) keeps F whole. */
  readonly blockSize?: number;
  /** How blocks are stored: by the Gram matrix of the gradients, by F itself, or what is smaller (auto). */
  readonly form?: MfacForm;
  /** Bytes of WebAssembly memory to use (3 GiB); what does not fit stays in ordinary memory and is streamed. */
  readonly memoryLimit?: number;
  /** True lets factors that do not fit take the place of the gradients given (false). */
  readonly overwrite?: boolean;
}

/** Milliseconds of work between two turns of other work, each of which costs a millisecond or more. */
const longest = 15;
/** Flop from which on threads gain: some 20 ms of work. */
const flopsWorthThreads = 5e8;

/**
 * F⁻¹ for F = λI + (1/m) Σ g_i g_iᵀ, whole or block-diagonal, from m gradients of d parameters, without ever forming F:
 * O(d·min(m, blockSize)²) once by Gram matrix, Cholesky factorisation and triangular solve, then O(d·m) per product.
 *
 * @see Frantar, Kurtic & Alistarh 2021, arXiv:2107.03356, §3 (the recurrence there is this factorisation row by row)
 */
export class StaticMfac {
  /** d. */
  readonly size: number;
  /** m. */
  readonly gradients: number;
  readonly damping: number;
  readonly precision: Precision;
  #blocks: readonly FisherBlock[] | undefined;

  private constructor(gradients: GradientRows, damping: number, blocks: readonly FisherBlock[]) {
    const { rows, size, precision } = asRecord('StaticMfac', gradients, 'StaticMfac.build(gradients, options)');
    checkArray('gradients.rows', rows);
    this.size = size;
    this.gradients = rows.length;
    this.damping = damping;
    this.precision = precision;
    this.#blocks = blocks;
  }

  /**
   * Factorises gradients: a tensor [m, d], rows, or an async stream of rows. The gradients decide the precision.
   * @param options `damping` (1e-5), `blockSize` (whole), `form` (auto), `memoryLimit` (3 GiB), `overwrite` (false), `signal`, `onProgress`;
   *   `pool`: threads to share the work where it is long enough, with the same result
   * @throws {ShapeError | DomainError} on gradients that are not finite or of unequal length, damping ≤ 0 or too small; {AbortError}
   */
  static async build(
    gradients: Gradients,
    options: StaticMfacOptions & LongOptions & { readonly pool?: ThreadPool | undefined } = {},
  ): Promise<StaticMfac> {
    const { signal, onProgress } = readLong(options);
    checkOptions(options);
    checkAborted(signal);
    const rows = await gatherRows(gradients, signal);
    const { pool } = options;
    if (pool) checkMethods('pool', pool, 'a ThreadPool', 'map', 'close');
    if (pool?.takes(flopsOf(rows, options), flopsWorthThreads)) {
      const { step, settings, damping } = StaticMfac.#settings(rows, options);
      const blocks = await factorizeInPool(pool, rows, step, settings, options);
      return new StaticMfac(rows, damping, blocks);
    }
    const steps = StaticMfac.#steps(rows, options);
    for (let since = performance.now(); ; ) {
      const step = steps.next();
      if (step.done) return step.value;
      onProgress?.({ done: step.value, total: 1, phase: 'inverse Fisher' });
      if (performance.now() - since < longest) continue;
      await new Promise((resolve) => setTimeout(resolve));
      checkAborted(signal);
      since = performance.now();
    }
  }

  /** As `build`, for gradients in memory, without letting other work run meanwhile. */
  static buildSync(gradients: TensorLike | Iterable<FloatArray>, options: StaticMfacOptions = {}): StaticMfac {
    checkOptions(options);
    const steps = StaticMfac.#steps(readRows(gradients), options);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value;
    }
  }

  static #settings(gradients: GradientRows, options: StaticMfacOptions): { step: number; damping: number; settings: FactorizeOptions } {
    const { damping = 1e-5, blockSize = Infinity, form = 'auto', memoryLimit = 3 * 2 ** 30, overwrite = false } = options;
    const settings = { damping, form, memoryLimit, overwrite: overwrite || gradients.owned };
    return { step: Math.min(blockSize, gradients.size), damping, settings };
  }

  static *#steps(gradients: GradientRows, options: StaticMfacOptions): Generator<number, StaticMfac> {
    const { step, settings, damping } = StaticMfac.#settings(gradients, options);
    const instance = new Instance();
    const blocks: FisherBlock[] = [];
    let reported = 0;
    for (let start = 0; start < gradients.size; start += step) {
      const width = Math.min(step, gradients.size - start);
      const work = factorize(instance, gradients, start, width, settings);
      for (;;) {
        const { done, value } = work.next();
        if (done) {
          blocks.push(value);
          break;
        }
        const share = (start + width * value) / gradients.size;
        // Small blocks take microseconds: report, and let others run, once per percent.
        if (share - reported >= 0.01) yield (reported = share);
      }
    }
    return new StaticMfac(gradients, damping, blocks);
  }

  /** Blocks of the inverse in order. */
  get blocks(): readonly FisherBlock[] {
    if (!this.#blocks) throw new DomainError('StaticMfac: expected an object in use, got one after dispose()');
    return this.#blocks;
  }

  /** Bytes held in WebAssembly and ordinary memory. */
  get bytes(): number {
    return this.blocks.reduce((sum, block) => sum + block.bytes, 0);
  }

  /** F⁻¹x for x [d], in the precision of the gradients. @throws {ShapeError | DomainError} on another length or numbers not finite */
  ihvp(x: NumberArray): FloatArray {
    const from = asFloats('x', x);
    checkLength('x', from, this.size);
    checkFinite('x', from);
    const out = floats(this.precision, this.size);
    for (const block of this.blocks) block.ihvp(from.subarray(block.start, block.start + block.width), partOf(out, block));
    return out;
  }

  /** The diagonal of F⁻¹ [d], always > 0 and ≤ 1/λ; in f64, as it enters divisions. */
  diagonal(): Float64Array {
    const out = new Float64Array(this.size);
    for (const block of this.blocks) out.set(block.diagonal, block.start);
    return out;
  }

  /** Column i of F⁻¹ [d]: zero outside the block of i. @throws {DomainError} when i is not a coordinate */
  column(i: number): FloatArray {
    checkInteger('i', i, 0, this.size - 1);
    const out = floats(this.precision, this.size);
    const block = this.blocks.find(({ start, width }) => i < start + width) as FisherBlock;
    block.column(i - block.start, partOf(out, block));
    return out;
  }

  /**
   * What the published recurrence computes: v_i = F_{i−1}⁻¹g_i [m, d] and q_i = m + g_iᵀv_i [blocks, m].
   * @throws {DomainError} when a block is stored by F itself; build with `form: 'gram'`
   */
  recurrence(): { v: Tensor<FloatArray>; q: Tensor<Float64Array> } {
    const { gradients: m, size } = this;
    const v = floats(this.precision, m * size);
    const q = new Float64Array(m * this.blocks.length);
    for (const [b, block] of this.blocks.entries()) {
      if (!(block instanceof GramBlock)) throw new DomainError("form: expected an object built with form: 'gram', got blocks of F itself");
      const part = block.recurrence();
      q.set(part.q, b * m);
      for (let i = 0; i < m; i++) v.set(part.v.subarray(i * block.width, (i + 1) * block.width), i * size + block.start);
    }
    return { v: { data: v, shape: [m, size] }, q: { data: q, shape: [this.blocks.length, m] } };
  }

  /** Frees what the object holds; it cannot be used afterwards. */
  dispose(): void {
    this.#blocks = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Of the Gram matrix and the triangular solve, or of F itself and its factor where blocks are small. */
function flopsOf({ rows, size }: GradientRows, { blockSize = Infinity }: StaticMfacOptions): number {
  return 2 * rows.length * Math.min(rows.length, blockSize) * size;
}

function partOf(vector: FloatArray, { start, width }: FisherBlock): FloatArray {
  return vector.subarray(start, start + width);
}

function checkOptions(options: StaticMfacOptions): void {
  const { damping = 1e-5, blockSize = Infinity, form = 'auto', memoryLimit = 0 } = asRecord('options', options);
  checkPositive('damping', damping);
  if (blockSize !== Infinity) checkInteger('blockSize', blockSize, 1);
  checkOneOf('form', form, ['auto', 'gram', 'covariance']);
  checkInteger('memoryLimit', memoryLimit, 0);
}
