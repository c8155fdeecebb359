// How a benchmark is declared. Case files lie beside the test of the method: test/<path>/<method>.bench.ts.
import { Random } from '../core/random.js';
import type { Precision } from '../core/tensor.js';
import type { Arena } from '../runtime/arena.js';

/** The extents of one problem, in the order the case names them. */
export type Size = readonly number[];
/** What is timed. Its result (a number, an array, an arena block, a record of them) is compared with that of the baselines. */
export type Work = () => unknown;
/** Makes the work for one size; nothing but the work is timed. `undefined` where the machine lacks what it needs. */
export type Open = (size: Size) => Work | undefined | Promise<Work | undefined>;

interface Options {
  /** Problems to time, smallest first. */
  readonly sizes: readonly Size[];
  /** Names of the extents, for the table and the growth plot. */
  readonly axes?: readonly string[];
  /** Floating-point operations of one call. */
  readonly flops?: (size: Size) => number;
  /** Bytes one call must read at least; also its working set, which decides the bandwidth it is held against. */
  readonly bytes?: (size: Size) => number;
  /** Working set, where it is not `bytes`. */
  readonly footprint?: (size: Size) => number;
  /** Which peak the flops are held against; float32 by default. */
  readonly precision?: Precision;
  /** `'reference'` times the scalar twins on the same work (setup cases only). */
  readonly baseline?: 'reference';
  /** Other ways to the same result, by name: javascript, onnxruntime, … */
  readonly baselines?: Readonly<Record<string, Open>>;
  /** Largest ‖result − baseline's‖ / ‖baseline's‖ that passes as agreement; 1e-3 by default. */
  readonly tolerance?: number;
}

/** Cases on kernels and synchronous methods declare `setup`; cases on models and other asynchronous calls declare `open`. */
export type BenchOptions = Options &
  (
    | { readonly setup: (arena: Arena, size: Size) => Work; readonly open?: undefined }
    | { readonly open: Open; readonly setup?: undefined; readonly baseline?: undefined }
  );

export type BenchCase = BenchOptions & { readonly name: string };

/** A benchmark case, the default export of an x.bench.ts file (an array of them where a file has several). */
export function bench(name: string, options: BenchOptions): BenchCase {
  return { name, ...options };
}

/** Normal draws as Float32Array. */
export const randomF32 = (length: number, seed = 1): Float32Array => new Random(seed).fill(new Float32Array(length));
/** Normal draws as Float64Array. */
export const randomF64 = (length: number, seed = 1): Float64Array => new Random(seed).fill(new Float64Array(length));
