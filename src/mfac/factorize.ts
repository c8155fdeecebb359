// From gradients to a block of the inverse Fisher matrix, in steps, so that the caller can show progress, stop, or let others run.
import { checkFinite } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { square } from '../core/square.js';
import type { FloatArray, Precision } from '../core/tensor.js';
import { cholesky } from '../kernels/cholesky.js';
import { columnNorms } from '../kernels/mfac.js';
import { syrk } from '../kernels/syrk.js';
import { trsm } from '../kernels/triangular.js';
import type { Arena, F64, Real } from '../runtime/arena.js';
import type { Instance } from '../runtime/instance.js';
import { CovarianceBlock } from './covariance-block.js';
import type { FisherBlock } from './fisher-block.js';
import type { GradientRows } from './gradient-rows.js';
import { GramBlock } from './gram-block.js';
import { Whitened } from './whitened.js';

/** How an inverse is stored: by the Gram matrix of the gradients, or by the block of F itself where that is smaller. */
export type MfacForm = 'auto' | 'gram' | 'covariance';

export interface FactorizeOptions {
  readonly damping: number;
  readonly form: MfacForm;
  /** Bytes of WebAssembly memory that the object may use; beyond them U stays in ordinary memory. */
  readonly memoryLimit: number;
  /** U may take the place of the gradients. */
  readonly overwrite: boolean;
}

/** From this |U_k|² on, 1 − |U_k|² has lost two digits: the column is solved again in f64. */
const leverageIn64 = 0.99;
/** From this |U_k|² on, a Gram matrix of f32 products is not enough for that: it is computed again in f64. */
export const leverageOfGram = 0.999;
/** Below this share of a diagonal element, a pivot of an f32 Gram matrix is mostly rounding. */
const smallPivot = 1e-4;

/**
 * Factorises coordinates start … start + width − 1; yields the share of this block that is done, 0 … 1.
 * @param place a block of the Gram form that holds these columns already, for U
 */
export function* factorize(
  instance: Instance,
  gradients: GradientRows,
  start: number,
  width: number,
  options: FactorizeOptions,
  place?: Real,
): Generator<number, FisherBlock> {
  if (!place && byCovariance(options.form, gradients.rows.length, width)) {
    const rows = gradients.rows.map((row) => row.subarray(start, start + width));
    const block = CovarianceBlock.build(instance, rows, start, options.damping);
    yield 1;
    return block;
  }
  return yield* factorizeGram(instance, gradients, start, width, options, place);
}

/**
 * True for a block to be stored by F itself. The Gram form subtracts from x its part in the span of the gradients: hardly anything is left
 * where they span (nearly) all of the block, so there F itself, in f64, is the better form, and about as large.
 */
export function byCovariance(form: MfacForm, m: number, width: number): boolean {
  return form === 'covariance' || (form === 'auto' && 4 * width <= 5 * m);
}

function* factorizeGram(
  instance: Instance,
  { rows, precision }: GradientRows,
  start: number,
  width: number,
  { damping, overwrite, memoryLimit }: FactorizeOptions,
  place?: Real,
): Generator<number, FisherBlock> {
  const m = rows.length;
  const source = rows.map((row) => row.subarray(start, start + width));
  const u = new Whitened(instance, precision, m, width, memoryLimit, overwrite ? source : undefined, place);
  const lost = overwrite && !u.resident; // what is solved is no longer there to be solved again
  const spans = u.spans();
  for (const gramPrecision of gramTries(precision, lost)) {
    const last = gramPrecision === 'float64';
    const K = new Float64Array(m * m);
    for (const [i, [from, count]] of spans.entries()) {
      instance.run((arena) => addTo(K, gramOf(arena, u, source, from, count, gramPrecision, place !== undefined)));
      yield (0.5 * (i + 1)) / spans.length;
    }
    const factor = instance.run((arena) => factorGram(arena, K, m, damping, source, last));
    if (!factor) continue;
    const diagonal = new Float64Array(width);
    const inPlace = u.resident && gramPrecision === precision;
    let highest = 0;
    const mark = instance.arena.mark();
    const L = triangle(instance.arena, factor, precision);
    for (const [i, [from, count]] of spans.entries()) {
      highest = Math.max(
        highest,
        instance.run((arena) => whiten(arena, u, source, from, count, L, diagonal, damping, inPlace)),
      );
      yield 0.5 + (0.5 * (i + 1)) / spans.length;
    }
    instance.arena.release(mark);
    if (last || highest <= leverageOfGram)
      return new GramBlock(instance, { start, damping, precision, whitened: u, factor: packed(factor, m), diagonal });
  }
  throw new DomainError('damping: expected a larger value');
}

/** Precisions to compute the Gram matrix in, one after the other until its factor is exact enough. */
export function gramTries(precision: Precision, lost: boolean): Precision[] {
  return precision === 'float32' && !lost ? ['float32', 'float64'] : ['float64'];
}

/** G Gᵀ [m, m] over one piece of columns; where U is resident and of this precision the piece is left in its place. */
function gramOf(
  arena: Arena,
  u: Whitened,
  source: readonly FloatArray[],
  from: number,
  count: number,
  precision: 'float32' | 'float64',
  filled: boolean,
): Float64Array {
  const m = source.length;
  const sum = arena.alloc('f64', m * m);
  const panel = precision !== u.precision ? { block: arena.alloc('f64', m * count), stride: count } : u.panel(arena, from, count);
  if (!filled || precision !== u.precision) copyPiece(arena, source, from, count, panel.block, panel.stride);
  syrk(m, count, panel.block, sum, { lda: panel.stride });
  return arena.view(sum);
}

/** K += part; pieces are added in their order, wherever they were computed. */
export function addTo(K: Float64Array, part: Float64Array): void {
  for (let i = 0; i < K.length; i++) K[i] = (K[i] as number) + (part[i] as number);
}

/** Adds mλ to the diagonal of K; L [m, m] of it, or undefined when f32 products in K were not exact enough. @throws {DomainError} when f64 are not either */
export function factorGram(
  arena: Arena,
  K: Float64Array,
  m: number,
  damping: number,
  source: readonly FloatArray[],
  last: boolean,
): Float64Array | undefined {
  for (let i = 0; i < m; i++) {
    if (!Number.isFinite(K[i * m + i])) {
      for (const row of source) checkFinite('G', row);
      throw new DomainError('G: expected gradients whose squares can be added, got an overflow; scale them down');
    }
    K[i * m + i] = (K[i * m + i] as number) + m * damping;
  }
  const L = arena.put(K);
  const failed = cholesky(m, L);
  if (failed >= 0) {
    if (!last) return undefined;
    throw new DomainError(
      `damping: expected a value > ${damping}: with it gradient ${failed} is a combination of the others to working precision`,
    );
  }
  const factor = arena.take(L);
  if (!last) for (let i = 0; i < m; i++) if (square(factor[i * m + i] as number) < smallPivot * (K[i * m + i] as number)) return undefined;
  return factor;
}

/** One piece of U = L⁻¹G and of the diagonal of F⁻¹; returns the largest |U_k|². */
function whiten(
  arena: Arena,
  u: Whitened,
  source: readonly FloatArray[],
  from: number,
  count: number,
  L: Triangle,
  diagonal: Float64Array,
  damping: number,
  inPlace: boolean,
): number {
  const panel = u.panel(arena, from, count);
  const piece = source.map((row) => row.subarray(from, from + count));
  if (!inPlace) copyPiece(arena, piece, 0, count, panel.block, panel.stride);
  const found = whitenPiece(arena, panel, piece, L, damping);
  diagonal.set(found.diagonal, from);
  u.keep(arena, panel, from, count);
  return found.highest;
}

/** L in f64 and in the precision of the gradients. */
export interface Triangle {
  readonly exact: F64;
  readonly own: Real;
}

/** Puts L [m, m] into an arena. */
export function triangle(arena: Arena, factor: Float64Array, precision: Precision): Triangle {
  const exact = arena.put(factor);
  return { exact, own: precision === 'float64' ? exact : arena.putAs(precision, factor) };
}

/** A piece of columns of G or U and the distance of its rows. */
export interface Panel {
  readonly block: Real;
  readonly stride: number;
}

/** Turns a piece of G, which the panel holds, into L⁻¹G; its part of the diagonal of F⁻¹ and the largest |U_k|². */
export function whitenPiece(
  arena: Arena,
  panel: Panel,
  source: readonly FloatArray[],
  L: Triangle,
  damping: number,
): { diagonal: Float64Array; highest: number } {
  const count = (source[0] as FloatArray).length;
  const norms = arena.alloc('f64', count);
  whitenPanel(source.length, count, panel, L.own, norms);
  return diagonalOf(arena, arena.take(norms), source, L.exact, damping);
}

/** L⁻¹G in the place of G [m, count], and its squared column norms. */
export function whitenPanel(m: number, count: number, { block, stride }: Panel, L: Real, norms: F64): void {
  trsm(m, count, L, block, { ldx: stride });
  columnNorms(m, count, block, norms, stride);
}

/** The diagonal of F⁻¹ where |U_k|² is `leverage`, and the largest of those; `source` are the rows of G. */
export function diagonalOf(
  arena: Arena,
  leverage: Float64Array,
  source: readonly FloatArray[],
  L: F64,
  damping: number,
): { diagonal: Float64Array; highest: number } {
  const count = leverage.length;
  const diagonal = new Float64Array(count);
  const high: number[] = [];
  let highest = 0;
  for (let k = 0; k < count; k++) {
    const value = leverage[k] as number;
    highest = Math.max(highest, value);
    if (value > leverageIn64) high.push(k);
    diagonal[k] = (1 - value) / damping;
  }
  if (high.length) {
    const solved = solveIn64(arena, L, source, high);
    for (const [i, k] of high.entries()) diagonal[k] = (solved[i] as number) / damping;
    exactShare(diagonal, source, high, damping);
  }
  return { diagonal, highest };
}

/** 1 − |L⁻¹g_k|² in f64 for a few columns k. */
function solveIn64(arena: Arena, L: F64, source: readonly FloatArray[], columns: number[]): Float64Array {
  const m = source.length;
  const q = columns.length;
  const block = arena.alloc('f64', m * q);
  const view = arena.view(block);
  for (let i = 0; i < m; i++) for (let j = 0; j < q; j++) view[i * q + j] = source[i]?.[columns[j] as number] as number;
  trsm(m, q, L, block);
  const norms = arena.alloc('f64', q);
  columnNorms(m, q, block, norms);
  return arena.take(norms).map((norm) => 1 - norm);
}

/** (F⁻¹)_kk is never below 1/F_kk, whatever cancelled: F is positive definite. */
function exactShare(diagonal: Float64Array, source: readonly FloatArray[], columns: number[], damping: number): void {
  for (const k of columns) {
    let sum = 0;
    for (const row of source) sum += square(row[k] as number);
    diagonal[k] = Math.max(diagonal[k] as number, 1 / (damping + sum / source.length));
  }
}

export function copyPiece(arena: Arena, source: readonly FloatArray[], from: number, count: number, to: Real, stride: number): void {
  const target = arena.view(to);
  for (const [i, row] of source.entries()) target.set(row.subarray(from, from + count), i * stride);
}

export function packed(factor: Float64Array, m: number): Float64Array {
  const out = new Float64Array((m * (m + 1)) / 2);
  for (let i = 0; i < m; i++) out.set(factor.subarray(i * m, i * m + i + 1), (i * (i + 1)) / 2);
  return out;
}
