import { bench, randomF32 } from '../../src/bench/case.js';
import { axpy, dot } from '../../src/kernels/dot.js';
import { gemv } from '../../src/kernels/gemv.js';
import { DynamicMfac, StaticMfac } from '../../src/mfac/index.js';
import { type F32, slice } from '../../src/runtime/arena.js';
import { Instance } from '../../src/runtime/instance.js';

const damping = 1e-3;

/** The rows v_i and q_i of the paper's recurrence, on this package's own matrix-vector kernels. */
function recurrence(G: Float32Array, m: number, d: number): { apply(x: Float32Array): Float32Array } {
  const instance = new Instance();
  const V = instance.arena.put(G);
  const q = new Float64Array(m);
  const project = (rows: number, x: F32, y: F32): void =>
    instance.run((arena) => {
      const c = arena.alloc('f32', rows);
      gemv(rows, d, slice(V, 0, rows * d), x, c);
      const factors = arena.view(c);
      for (let j = 0; j < rows; j++) factors[j] = (factors[j] as number) / (q[j] as number);
      gemv(rows, d, slice(V, 0, rows * d), c, y, { transA: true, alpha: -1, beta: 1 });
    });
  for (let i = 0; i < m; i++) {
    instance.run((arena) => {
      const v = slice(V, i * d, d);
      const g = arena.put(arena.take(v));
      axpy(1 / damping - 1, g, v);
      if (i > 0) project(i, g, v);
      q[i] = m + dot(g, v);
    });
  }
  return {
    apply: (x) =>
      instance.run((arena) => {
        const [from, y] = [arena.put(x), arena.put(x.map((value) => value / damping))];
        project(m, from, y);
        return arena.take(y);
      }),
  };
}

const solve = (m: number, d: number): number => 2 * m * m * d; // Gram matrix and triangular solve
const product = ([m = 0, d = 0]: readonly number[]): number => 8 * m * d; // U read twice

const update = (name: string, sizes: number[][]) =>
  bench(name, {
    sizes,
    axes: ['m', 'd'],
    bytes: product,
    footprint: ([m = 0, d = 0]) => 4 * m * d,
    open: ([m = 0, d = 0]) => {
      const mfac = new DynamicMfac({ size: d, window: m, damping: 1e-5 });
      for (let t = 0; t < 4; t++) mfac.push(randomF32(d, t));
      const g = randomF32(d, 9);
      return () => mfac.update(g);
    },
  });

export default [
  bench('StaticMfac.build', {
    sizes: [
      [64, 20_000],
      [512, 100_000],
    ],
    axes: ['m', 'd'],
    flops: ([m = 0, d = 0]) => solve(m, d),
    baselines: {
      recurrence: ([m = 0, d = 0]) => {
        const [G, x] = [randomF32(m * d, 1), randomF32(d, 2)];
        return () => recurrence(G, m, d).apply(x);
      },
    },
    open: ([m = 0, d = 0]) => {
      const [G, x] = [{ data: randomF32(m * d, 1), shape: [m, d] }, randomF32(d, 2)];
      return () => {
        using mfac = StaticMfac.buildSync(G, { damping });
        return mfac.ihvp(x);
      };
    },
  }),
  bench('StaticMfac.ihvp', {
    sizes: [
      [64, 20_000],
      [512, 20_000],
      [512, 100_000],
    ],
    axes: ['m', 'd'],
    bytes: product,
    footprint: ([m = 0, d = 0]) => 4 * m * d,
    open: ([m = 0, d = 0]) => {
      const mfac = StaticMfac.buildSync({ data: randomF32(m * d, 1), shape: [m, d] }, { damping });
      const x = randomF32(d, 2);
      return () => mfac.ihvp(x);
    },
  }),
  update('DynamicMfac.update', [
    [64, 20_000],
    [256, 270_000],
    [512, 270_000],
  ]),
  // One extent at a time, for --growth.
  update(
    'DynamicMfac.update over m',
    [64, 128, 256, 512].map((m) => [m, 67_500]),
  ),
  update(
    'DynamicMfac.update over d',
    [33_750, 67_500, 135_000, 270_000].map((d) => [128, d]),
  ),
];
