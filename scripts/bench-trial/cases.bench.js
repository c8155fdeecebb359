// Five kernels for bench-compare-trial.mjs. TRIAL_SEED chooses data and sizes, TRIAL_SLOWED the case that does a tenth more
// work than its size says: what a slower version of the code would be. (A pause in every call is none: gemv is 5 % faster after one.)
import { bench, randomF32 } from '../../build/src/bench/case.js';
import { Random } from '../../build/src/core/random.js';
import { axpy } from '../../build/src/kernels/dot.js';
import { gemv } from '../../build/src/kernels/gemv.js';
import { softmaxRows } from '../../build/src/kernels/softmax-rows.js';
import { syrk } from '../../build/src/kernels/syrk.js';
import { trsm } from '../../build/src/kernels/triangular.js';

const seed = Number(process.env.TRIAL_SEED ?? 0);
const sizes = new Random(seed);
/** Within an eighth of `n`. */
const about = (n) => Math.round(n * (0.875 + 0.25 * sizes.uniform()));

const cases = {
  gemv: [
    about(200),
    { bytes: ([n]) => 4 * n * 700 },
    (arena, n) => {
      const [a, x, y] = [arena.put(randomF32(n * 700, seed)), arena.put(randomF32(700, seed + 1)), arena.zeros('f32', n)];
      return () => gemv(n, 700, a, x, y);
    },
  ],
  softmax: [
    about(150),
    { flops: ([n]) => 14 * n * 300 },
    (arena, n) => {
      const [x, y] = [arena.put(randomF32(n * 300, seed + 2)), arena.zeros('f32', n * 300)];
      return () => softmaxRows(y, x, n, 300);
    },
  ],
  syrk: [
    about(700),
    { flops: ([n]) => n * 64 * 64 },
    (arena, n) => {
      const [a, c] = [arena.put(randomF32(64 * n, seed + 3)), arena.zeros('f64', 64 * 64)];
      return () => syrk(64, n, a, c, { lda: n });
    },
  ],
  trsm: [
    about(500),
    { flops: ([n]) => 60 * 60 * n },
    (arena, n) => {
      // Solving again and again in place must not change the numbers: they would reach zero or infinity.
      const t = arena.put(Float32Array.from({ length: 3600 }, (_, k) => (k % 61 === 0 ? 1 : 0)));
      const x = arena.put(randomF32(60 * n, seed + 5));
      return () => trsm(60, n, t, x, { ldx: n });
    },
  ],
  axpy: [
    about(30000),
    { bytes: ([n]) => 8 * n },
    (arena, n) => {
      const [x, y] = [arena.put(randomF32(n, seed + 6)), arena.put(randomF32(n, seed + 7))];
      return () => axpy(1e-3, x, y);
    },
  ],
};

export default Object.entries(cases).map(([name, [n, counts, make]]) =>
  bench(name, {
    sizes: [[n]],
    ...counts,
    setup: (arena) => make(arena, process.env.TRIAL_SLOWED === name ? Math.round(1.1 * n) : n),
  }),
);
