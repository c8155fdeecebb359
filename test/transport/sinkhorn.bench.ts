import { bench, randomF32, randomF64 } from '../../src/bench/case.js';
import { logBegin, logColumns, logRows } from '../../src/kernels/sinkhorn-log.js';
import { gramv, scaling } from '../../src/kernels/sinkhorn-scaling.js';
import type { Arena, F64, Real } from '../../src/runtime/arena.js';
import { assignment, emd, progressivePartial, sinkhorn, slicedWasserstein, wasserstein1d } from '../../src/transport/index.js';

const squares = [[128], [512], [1024], [2048]];

/** One scaling problem in the arena whose iterations never stop early. */
function iteration(arena: Arena, n: number) {
  const put = (data: Float32Array): Real => arena.put(data);
  const even = () => new Float32Array(n).fill(1 / n);
  return {
    K: put(randomF32(n * n, 1).map((v) => 0.5 + Math.min(1, Math.abs(v)))),
    u: put(new Float32Array(n).fill(1)),
    v: put(new Float32Array(n).fill(1)),
    acc: put(new Float32Array(n)),
    a: put(even()),
    b: put(even()),
    stats: arena.zeros('f64', 4) as F64,
  };
}

/** A kernel matrix that is cheap to fill, with marginals it has already: 256 MB at n = 8192. */
function ones(arena: Arena, n: number) {
  const even = () => arena.put(new Float32Array(n).fill(1 / n));
  const K = arena.alloc('f32', n * n);
  arena.view(K).fill(1 / n);
  const unit = () => arena.put(new Float32Array(n).fill(1));
  return { K, u: unit(), v: unit(), acc: unit(), a: even(), b: even() };
}

/** Squared distances of two clouds in the plane. */
function cost(n: number): { data: Float64Array; shape: number[] } {
  const [x, y] = [randomF64(2 * n, 1), randomF64(2 * n, 2)];
  const data = new Float64Array(n * n);
  for (let k = 0; k < n * n; k++) {
    const [i, j] = [Math.floor(k / n), k % n];
    data[k] = (x[2 * i]! - y[2 * j]!) ** 2 + (x[2 * i + 1]! - y[2 * j + 1]!) ** 2;
  }
  return { data, shape: [n, n] };
}

export default [
  bench('sinkhorn scaling iteration', {
    sizes: squares,
    axes: ['n'],
    flops: ([n = 0]) => 4 * n * n,
    bytes: ([n = 0]) => 4 * n * n,
    baseline: 'reference',
    tolerance: 1e-2,
    setup: (arena, [n = 0]) => {
      const blocks = iteration(arena, n);
      return () => {
        scaling(blocks, 1, -1, 1e30);
        return blocks.u;
      };
    },
  }),
  bench('sinkhorn scaling iteration, from cache to memory', {
    sizes: [[64], [256], [1024], [4096], [8192]],
    axes: ['n'],
    flops: ([n = 0]) => 4 * n * n,
    bytes: ([n = 0]) => 4 * n * n,
    setup: (arena, [n = 0]) => {
      const blocks = { ...ones(arena, n), stats: arena.zeros('f64', 4) };
      return () => {
        scaling(blocks, 1, -1, 1e30);
        return blocks.u;
      };
    },
  }),
  bench('sinkhorn log-domain iteration', {
    sizes: [[64], [128], [256], [512], [1024], [2048]],
    axes: ['n'],
    bytes: ([n = 0]) => 4 * n * n,
    setup: (arena, [n = 0]) => {
      const C = arena.put(randomF32(n * n, 1).map(Math.abs));
      const even = arena.put(new Float64Array(n).fill(1 / n));
      const logs = arena.put(new Float64Array(n).fill(-6));
      const [F, G, stats] = [arena.zeros('f64', n), arena.zeros('f64', n), arena.zeros('f64', 4)];
      const [line, acc, row] = [arena.zeros('f32', n), arena.zeros('f32', n), arena.zeros('f32', 2 * n)];
      return () => {
        logBegin(line, acc, G, stats);
        logRows(F, acc, line, C, even, logs, row, 0.5, 1, 1, stats);
        logColumns(G, line, acc, even, logs, 1, 1, stats);
        return F;
      };
    },
  }),
  bench('gramv', {
    sizes: squares,
    axes: ['n'],
    flops: ([n = 0]) => 4 * n * n,
    bytes: ([n = 0]) => 4 * n * n,
    setup: (arena, [n = 0]) => {
      const { K, u, v, acc, a } = iteration(arena, n);
      return () => {
        gramv(acc, K, v, a, u);
        return acc;
      };
    },
  }),
  bench('sinkhorn to 1e-6 at epsilon 1e-3', {
    sizes: [[64], [256], [1024]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { cost: cost(n) };
      return () => sinkhorn(problem, { epsilon: 1e-3, tolerance: 1e-6 }).f;
    },
  }),
  bench('emd', {
    sizes: [[64], [128], [256], [512], [1024], [2048]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { cost: cost(n) };
      return () => emd(problem).value;
    },
  }),
  bench('assignment', {
    sizes: [[64], [128], [256], [512], [1024], [2048]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { cost: cost(n) };
      return () => assignment(problem).value;
    },
  }),
  bench('wasserstein1d', {
    sizes: [[64], [512], [2048], [8192]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { x: randomF64(n, 1), y: randomF64(n, 2) };
      return () => wasserstein1d(problem).power;
    },
  }),
  bench('slicedWasserstein, 50 directions of 16 dimensions', {
    sizes: [[64], [512], [2048], [8192]],
    axes: ['n'],
    open: ([n = 0]) => {
      const cloud = (seed: number) => ({ data: randomF64(16 * n, seed), shape: [n, 16] });
      const problem = { x: cloud(1), y: cloud(2) };
      return () => slicedWasserstein(problem).power;
    },
  }),
  ...[0.5, 0.9].map((mass) =>
    bench(`progressivePartial newton, mass ${mass}`, {
      sizes: [[5120, 100]],
      axes: ['N', 'K'],
      open: ([n = 0, k = 0]) => {
        const logits = { data: randomF32(n * k, 7).map((v) => 2 * v), shape: [n, k] };
        return () => progressivePartial({ logits }, { mass }).columnMass;
      },
    }),
  ),
  ...(['newton', 'anderson', 'scaling'] as const).map((method) =>
    bench(`progressivePartial ${method}`, {
      sizes: [
        [640, 100],
        [1280, 100],
        [2560, 100],
        [5120, 100],
      ],
      axes: ['N', 'K'],
      open: ([n = 0, k = 0]) => {
        const logits = { data: randomF32(n * k, 7).map((v) => 2 * v), shape: [n, k] };
        return () => progressivePartial({ logits }, { mass: 0.1, method, maxIterations: 5000 }).columnMass;
      },
    }),
  ),
];
