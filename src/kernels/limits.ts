// Loops that reach the machine's limits (assembly/limits.ts): what the benchmarks call 100 %.
import { checkLength } from '../core/check.js';
import type { F32, Real } from '../runtime/arena.js';
import { kernels } from '../runtime/instance.js';

/** Elements of the two panels of `tilePeak` for one step of depth. */
export const tileShape = { f32: { a: 4, b: 8 }, f64: { a: 4, b: 4 } } as const;

/** Multiplies the panels a [4, depth] and b [depth, width] `rounds` times in registers; 2·4·width·depth·rounds flop. Returns the sum. */
export function tilePeak<B extends Real>(a: B, b: B, rounds: number): number {
  const depth = a.length / tileShape[a.type].a;
  checkLength('b', b, depth * tileShape[a.type].b);
  const k = kernels();
  return a.type === 'f32' ? k.stilePeak(rounds, depth, a.ptr, b.ptr) : k.dtilePeak(rounds, depth, a.ptr, b.ptr);
}

/** Exclusive or of the words of x, read `rounds` times: 4·x.length·rounds bytes. @throws {ShapeError} unless x holds a multiple of 32 elements */
export function readPeak(x: F32, rounds: number): number {
  checkLength('x', x, Math.ceil(x.length / 32) * 32);
  return kernels().readPeak(rounds, x.length, x.ptr);
}
