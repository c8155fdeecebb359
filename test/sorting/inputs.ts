// Inputs that hard sorts get wrong: ties, order, zeros of both signs, infinities, NaN, denormals, every short length.
import type { Random } from '../../src/core/random.js';

/** Lengths 0 to 100, and around powers of two and the limits between insertion and radix passes. */
export const lengths = [...Array.from({ length: 101 }, (_, n) => n), 127, 128, 129, 255, 256, 257, 1025, 6000];

/** Named fillers of n numbers. */
export const fillers: Record<string, (n: number, random: Random) => number[]> = {
  normal: (n, random) => Array.from({ length: n }, () => random.normal()),
  'all equal': (n) => Array.from({ length: n }, () => 3.5),
  rising: (n) => Array.from({ length: n }, (_, i) => i),
  reversed: (n) => Array.from({ length: n }, (_, i) => n - i),
  'few values': (n, random) => Array.from({ length: n }, () => random.integer(3) - 1),
  'zeros of both signs': (n, random) => Array.from({ length: n }, () => (random.sign() > 0 ? 0 : -0)),
  special: (n, random) =>
    Array.from(
      { length: n },
      () => [NaN, Infinity, -Infinity, 0, -0, 1e-42, -1e-42, 5e-324, 1, -1, 3.4e38, NaN][random.integer(12)] as number,
    ),
  denormals: (n, random) => Array.from({ length: n }, () => random.normal() * 1e-40),
};

/** A NaN with its sign bit set, which keys made from bits would sort first. */
export const negativeNaN32 = new Float32Array(new Uint32Array([0xffc00001]).buffer)[0] as number;
