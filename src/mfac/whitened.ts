// The whitened gradients U [m, w]: in WebAssembly memory where they fit, else row by row in ordinary memory, brought in by pieces.
import { MemoryError } from '../core/errors.js';
import { type FloatArray, floats, type Precision } from '../core/tensor.js';
import { type Arena, type F64, type Real, slice } from '../runtime/arena.js';
import type { Instance } from '../runtime/instance.js';

/** Elements of U that are worked on between two looks at the caller's signal, and that go to a thread: 4 MB in f32, some 12 ms of a solve with 512 rows. */
const pieceElements = 2 ** 20;
/** Pieces that a matrix is cut into where they have at least so many elements each. */
const manyPieces = 16;
const shortPiece = 2 ** 18;
/** Elements of rows that are brought in at once to be multiplied: most of them are still in L2 then. */
const groupElements = 2 ** 18;

/** Columns per piece of a matrix of m rows. */
export function pieceWidth(m: number): number {
  return Math.max(128, Math.floor(pieceElements / m / 128) * 128);
}

/** U [m, width] of one block. */
export class Whitened {
  readonly rows: number;
  readonly width: number;
  readonly precision: Precision;
  readonly #instance: Instance;
  readonly #resident: Real | undefined;
  readonly #outside: readonly FloatArray[] | undefined;

  /**
   * @param outside rows to keep U in when it does not fit below `limit` bytes of WebAssembly memory; new ones by default
   * @param at a block to lie in, in place of a new one
   */
  constructor(
    instance: Instance,
    precision: Precision,
    rows: number,
    width: number,
    limit: number,
    outside?: readonly FloatArray[],
    at?: Real,
  ) {
    this.#instance = instance;
    this.precision = precision;
    this.rows = rows;
    this.width = width;
    const bytes = rows * width * (precision === 'float32' ? 4 : 8);
    this.#resident = at;
    if (at) return;
    if (instance.arena.mark() + bytes <= limit) {
      try {
        this.#resident = instance.arena.real(precision, rows * width);
        return;
      } catch (error) {
        if (!(error instanceof MemoryError)) throw error;
      }
    }
    this.#outside = outside ?? Array.from({ length: rows }, () => floats(precision, width));
  }

  get bytes(): number {
    return this.rows * this.width * (this.precision === 'float32' ? 4 : 8);
  }

  /** True when U lies in WebAssembly memory. */
  get resident(): boolean {
    return this.#resident !== undefined;
  }

  /** U where it lies in WebAssembly memory, or by pieces brought in: `work` sees columns start … start + width − 1, rows ldu apart. */
  each(work: (arena: Arena, u: Real, start: number, width: number, ldu: number) => void): void {
    if (this.#resident) {
      const u = this.#resident;
      this.#instance.run((arena) => work(arena, u, 0, this.width, this.width));
      return;
    }
    for (const [start, width] of this.spans()) {
      this.#instance.run((arena) => {
        const u = arena.real(this.precision, this.rows * width);
        this.fetch(arena, u, start, width);
        work(arena, u, start, width, width);
      });
    }
  }

  /** U whole where it lies in WebAssembly memory, or some rows after the other brought in: `work` sees `count` contiguous rows. */
  eachRows(work: (u: Real, count: number) => void): void {
    if (this.#resident) {
      const u = this.#resident;
      this.#instance.run(() => work(u, this.rows));
      return;
    }
    const step = Math.max(4, Math.floor(groupElements / this.width / 4) * 4);
    for (let i = 0; i < this.rows; i += step) {
      const count = Math.min(step, this.rows - i);
      this.#instance.run((arena) => {
        const u = arena.real(this.precision, count * this.width);
        const target = arena.view(u);
        for (let k = 0; k < count; k++) target.set(this.#row(i + k), k * this.width);
        work(u, count);
      });
    }
  }

  /** As `each`, by pieces of contiguous rows in f64. */
  eachIn64(work: (arena: Arena, u: F64, start: number, width: number) => void): void {
    for (const [start, width] of this.spans()) {
      this.#instance.run((arena) => {
        const u = arena.alloc('f64', this.rows * width);
        this.fetch(arena, u, start, width);
        work(arena, u, start, width);
      });
    }
  }

  /** First column and width of every piece: as many pieces as two threads share evenly, unless they get too short. */
  spans(): [number, number][] {
    const short = Math.max(Math.ceil(this.width / manyPieces), shortPiece / this.rows);
    const step = Math.min(pieceWidth(this.rows), 128 * Math.ceil(short / 128));
    return Array.from({ length: Math.ceil(this.width / step) }, (_, i) => [i * step, Math.min(step, this.width - i * step)]);
  }

  /** The place of a piece to work on: inside U when it is resident, else a block of the arena. */
  panel(arena: Arena, start: number, width: number): { block: Real; stride: number } {
    if (!this.#resident) return { block: arena.real(this.precision, this.rows * width), stride: width };
    return { block: slice<'f32' | 'f64'>(this.#resident, start, this.#resident.length - start) as Real, stride: this.width };
  }

  /** Copies columns of `source` to their place in U, which must be resident. */
  fill(source: readonly FloatArray[], start: number, width: number): void {
    const target = this.#instance.arena.view(this.#resident as Real);
    for (const [i, row] of source.entries()) target.set(row.subarray(start, start + width), i * this.width + start);
  }

  /** Copies columns of U to contiguous rows of `to`. */
  fetch(arena: Arena, to: Real, start: number, width: number): void {
    const target = arena.view(to);
    const source = this.#resident && arena.view(this.#resident);
    for (let i = 0; i < this.rows; i++) {
      const row = source
        ? source.subarray(i * this.width + start, i * this.width + start + width)
        : this.#row(i).subarray(start, start + width);
      target.set(row, i * width);
    }
  }

  /** Keeps a piece that `panel` gave; nothing to do where it is resident. */
  keep(arena: Arena, panel: { block: Real; stride: number }, start: number, width: number): void {
    if (this.#resident) return;
    const from = arena.view(panel.block);
    for (let i = 0; i < this.rows; i++) this.#row(i).set(from.subarray(i * width, (i + 1) * width), start);
  }

  /** Columns start … start + width − 1 as contiguous rows in ordinary memory. */
  piece(start: number, width: number, out = floats(this.precision, this.rows * width)): FloatArray {
    const source = this.#resident && this.#instance.arena.view(this.#resident);
    for (let i = 0; i < this.rows; i++) {
      const row = source ? source.subarray(i * this.width, (i + 1) * this.width) : this.#row(i);
      out.set(row.subarray(start, start + width), i * width);
    }
    return out;
  }

  /** Keeps contiguous rows of a piece that was made elsewhere. */
  store(piece: FloatArray, start: number, width: number): void {
    const target = this.#resident && this.#instance.arena.view(this.#resident);
    for (let i = 0; i < this.rows; i++) {
      const row = target ? target.subarray(i * this.width, (i + 1) * this.width) : this.#row(i);
      row.set(piece.subarray(i * width, (i + 1) * width), start);
    }
  }

  /** Column k in f64. */
  column(k: number): Float64Array {
    const out = new Float64Array(this.rows);
    const source = this.#resident && this.#instance.arena.view(this.#resident);
    for (let i = 0; i < this.rows; i++) out[i] = (source ? source[i * this.width + k] : this.#row(i)[k]) as number;
    return out;
  }

  #row(i: number): FloatArray {
    return (this.#outside as readonly FloatArray[])[i] as FloatArray;
  }
}
