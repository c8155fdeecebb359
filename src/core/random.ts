// One generator for the whole package: xoshiro128++ 1.0 (Blackman & Vigna 2019, arXiv:1805.01407) on 32-bit words, its four
// words filled from the seed by splitmix32. Only +, −, ×, /, √ and integer operations are used, so that every runtime
// draws the same stream bit by bit: Math.log and friends differ between JavaScript engines.

/** Natural logarithm from exact operations only: x = m·2^e, log m by the atanh series; relative error below 4e-16. */
function log(x: number): number {
  let exponent = 0;
  let m = x;
  while (m > Math.SQRT2) (m /= 2), exponent++;
  while (m < Math.SQRT1_2) (m *= 2), exponent--;
  const s = (m - 1) / (m + 1); // |s| ≤ 0.1716: s^23 is below 3e-18
  const z = s * s;
  let series = 0;
  for (let k = 21; k >= 1; k -= 2) series = series * z + 1 / k;
  return 2 * s * series + exponent * Math.LN2;
}

/** A seeded stream of random numbers; the same seed gives the same stream in every runtime. */
export class Random {
  readonly #state = new Uint32Array(4);
  #spare: number | undefined;

  /** @param seed any integer; 0 by default */
  constructor(seed = 0) {
    let s = Math.floor(seed) | 0;
    for (let i = 0; i < 4; i++) {
      s = (s + 0x9e3779b9) | 0;
      let z = s ^ (s >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#state[i] = z ^ (z >>> 15);
    }
  }

  /** An unsigned 32-bit integer. */
  next(): number {
    const s = this.#state;
    const [a, b, c, d] = s as unknown as [number, number, number, number];
    const sum = (a + d) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + a) >>> 0;
    const t = b << 9;
    const c2 = c ^ a;
    const d2 = d ^ b;
    s[1] = b ^ c2;
    s[0] = a ^ d2;
    s[2] = c2 ^ t;
    s[3] = (d2 << 11) | (d2 >>> 21);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  uniform(): number {
    return ((this.next() >>> 5) * 67108864 + (this.next() >>> 6)) / 9007199254740992;
  }

  /** A standard normal number (Marsaglia's polar method). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const r = x * x + y * y;
      if (r > 0 && r < 1) {
        const scale = Math.sqrt((-2 * log(r)) / r);
        this.#spare = y * scale;
        return x * scale;
      }
    }
  }

  /** +1 or −1 with equal probability. */
  sign(): 1 | -1 {
    return this.next() >>> 31 ? 1 : -1;
  }

  /** An integer from 0 to n − 1, without modulo bias. */
  integer(n: number): number {
    const limit = 4294967296 - (4294967296 % n);
    let draw = this.next();
    while (draw >= limit) draw = this.next();
    return draw % n;
  }

  /** A random permutation of 0 … n − 1 (Fisher–Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = order[i] as number;
      order[i] = order[j] as number;
      order[j] = kept;
    }
    return order;
  }

  /** Fills `out` with draws of one kind and returns it. */
  fill<T extends Float32Array | Float64Array>(out: T, draw: 'uniform' | 'normal' | 'sign' = 'normal'): T {
    for (let i = 0; i < out.length; i++) out[i] = this[draw]();
    return out;
  }
}
