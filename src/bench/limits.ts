// What this machine reaches at best: the ceilings of the roofline, measured with the kernels of src/kernels/limits.ts.
import type { Precision } from '../core/tensor.js';
import { readPeak, tilePeak, tileShape } from '../kernels/limits.js';
import { type F32, slice } from '../runtime/arena.js';
import type { Instance } from '../runtime/instance.js';
import { randomF32, randomF64, type Work } from './case.js';

/** Ceilings of one build on one core. */
export interface Limits {
  /** GFLOP/s of a matrix tile whose panels stay in L1. */
  readonly float32: number;
  readonly float64: number;
  /** GB/s of a plain sum over working sets of so many bytes. */
  readonly read: readonly { readonly bytes: number; readonly rate: number }[];
}

/** A loop at one of the limits and how much it does per call: flop or bytes. */
export interface LimitLoop {
  readonly work: Work;
  readonly amount: number;
}

const depth = 256; // panels of 4 and 8 kB: both stay in L1 next to each other
const largest = 2 ** 28; // beyond the share of L3 that one core gets: memory
const piece = 2 ** 21; // elements that are read at a time: streams half of 8 MB apart are fetched faster than half of 256 MB

/** The multiply-add loop of one precision, about 0.2 ms a call. */
export function computeLoop(instance: Instance, precision: Precision): LimitLoop {
  return instance.keep((arena) => {
    const rounds = 400;
    const { a, b } = tileShape[precision === 'float32' ? 'f32' : 'f64'];
    const random = precision === 'float32' ? randomF32 : randomF64;
    const [left, right] = [arena.put(random(a * depth, 1)), arena.put(random(b * depth, 2))];
    return { work: () => tilePeak(left, right, rounds), amount: 2 * a * b * depth * rounds };
  });
}

/**
 * The reading loop over a working set of about `bytes`, 256 MB at most; 8 MB a call or the whole set. It reads the memory at `from` where
 * that is given: a second array would share the caches with the first, and lie in other pages.
 */
export function readLoop(instance: Instance, bytes: number, from?: number): LimitLoop {
  return instance.keep((arena) => {
    const length = Math.max(32, Math.floor(Math.min(bytes, largest) / 128) * 32);
    const x: F32 = from === undefined ? arena.alloc('f32', length) : { type: 'f32', ptr: from, length };
    if (from === undefined) arena.view(x).fill(1); // untouched pages are one shared page, which would sit in L1
    const rounds = Math.max(1, Math.round(2 ** 23 / (4 * length)));
    const parts = Array.from({ length: Math.ceil(length / piece) }, (_, i) => slice(x, i * piece, Math.min(piece, length - i * piece)));
    const work = (): void => {
      for (const part of parts) readPeak(part, rounds);
    };
    return { work, amount: 4 * length * rounds };
  });
}

const settling = 40; // milliseconds in which engines replace code that runs often

/**
 * Measures every ceiling of the instance's build; about a second. `patience`: how many ms without a faster call end the search for the fastest
 * reading, once its code has settled.
 */
export function measureLimits(make: () => Instance, patience = settling): Limits {
  const read: { bytes: number; rate: number }[] = [];
  for (let bytes = 2 ** 13; bytes <= largest; bytes *= 2) {
    const instance = make();
    const loop = readLoop(instance, bytes);
    read.push({ bytes, rate: best(instance, loop, read.length ? patience : settling) / 1e6 });
  }
  const rate = (precision: Precision): number => {
    const instance = make();
    return best(instance, computeLoop(instance, precision), settling) / 1e6;
  };
  return { float32: rate('float32'), float64: rate('float64'), read };
}

/**
 * Amount per millisecond of the fastest call, once no call has been faster for `patience` ms: a limit is what the machine can do undisturbed, and on
 * a busy one the engine's optimised code may come late.
 */
function best(instance: Instance, { work, amount }: LimitLoop, patience: number): number {
  return instance.run(() => {
    let fastest = Infinity;
    const last = performance.now() + 15 * patience;
    let end = performance.now() + patience;
    for (let calls = 0; calls < 5 || performance.now() < Math.min(end, last); calls++) {
      const start = performance.now();
      work();
      const now = performance.now();
      if (now - start < 0.97 * fastest) end = now + patience;
      fastest = Math.min(fastest, now - start);
    }
    return amount / fastest;
  });
}

/** GB/s for a working set of `bytes`, between the measured sizes. */
export function bandwidth({ read }: Limits, bytes: number): number {
  let above = read.findIndex((point) => point.bytes >= bytes);
  if (above < 0) above = read.length - 1;
  const high = read[above] as { bytes: number; rate: number };
  const low = read[Math.max(0, above - 1)] as { bytes: number; rate: number };
  if (high.bytes === low.bytes || bytes >= high.bytes) return high.rate;
  const place = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
  return low.rate + Math.max(0, place) * (high.rate - low.rate);
}
