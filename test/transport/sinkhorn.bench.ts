import { bench, randomF32, randomF64 } from '../../src/bench/case.js';
import { gramv, scaling } from '../../src/kernels/sinkhorn-scaling.js';
import type { Arena, F64, Real } from '../../src/runtime/arena.js';
import { assignment, emd, progressivePartial, sinkhorn } from '../../src/transport/index.js';

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
    sizes: [[256], [1024]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { cost: cost(n) };
      return () => sinkhorn(problem, { epsilon: 1e-3, tolerance: 1e-6 }).f;
    },
  }),
  bench('emd', {
    sizes: [[128], [512], [1024]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { cost: cost(n) };
      return () => emd(problem).value;
    },
  }),
  bench('assignment', {
    sizes: [[128], [512], [1024]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { cost: cost(n) };
      return () => assignment(problem).value;
    },
  }),
  ...(['newton', 'anderson', 'scaling'] as const).map((method) =>
    bench(`progressivePartial ${method}`, {
      sizes: [[5120, 100]],
      axes: ['N', 'K'],
      open: ([n = 0, k = 0]) => {
        const logits = { data: randomF32(n * k, 7).map((v) => 2 * v), shape: [n, k] };
        return () => progressivePartial({ logits }, { mass: 0.1, method, maxIterations: 5000 }).columnMass;
      },
    }),
  ),
];
