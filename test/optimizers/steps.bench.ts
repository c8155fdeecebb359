import { bench, randomF32 } from '../../src/bench/case.js';
import { mfacOptimizer } from '../../src/mfac/index.js';
import { adam, sgd } from '../../src/optimizers/index.js';

/** Adam's step as a program without afterpass would write it. */
function plainAdam(n: number) {
  const [w, g, m, v] = [new Float32Array(n), randomF32(n, 2), new Float32Array(n), new Float32Array(n)];
  let step = 0;
  return () => {
    step++;
    const [c1, c2] = [1 - 0.9 ** step, 1 - 0.999 ** step];
    for (let i = 0; i < n; i++) {
      const d = g[i] as number;
      m[i] = 0.9 * (m[i] as number) + 0.1 * d;
      v[i] = 0.999 * (v[i] as number) + 0.001 * d * d;
      w[i] = (w[i] as number) - (1e-3 * ((m[i] as number) / c1)) / (Math.sqrt((v[i] as number) / c2) + 1e-8);
    }
    return w;
  };
}

const sizes = [[10_000], [1_000_000]];

export default [
  bench('adam.step', {
    sizes,
    axes: ['d'],
    bytes: ([d = 0]) => 16 * d, // parameters, gradients, two moments
    baselines: { javascript: ([d = 0]) => plainAdam(d) },
    open: ([d = 0]) => {
      const [optimizer, w, g] = [adam(), new Float32Array(d), randomF32(d, 2)];
      const state = optimizer.init(w);
      return () => {
        optimizer.step(w, g, state);
        return w;
      };
    },
  }),
  bench('sgd.step, momentum', {
    sizes,
    axes: ['d'],
    bytes: ([d = 0]) => 12 * d,
    open: ([d = 0]) => {
      const [optimizer, w, g] = [sgd({ momentum: 0.9, learningRate: 1e-6 }), new Float32Array(d), randomF32(d, 2)];
      const state = optimizer.init(w);
      return () => {
        optimizer.step(w, g, state);
        return w;
      };
    },
  }),
  bench('mfacOptimizer.step', {
    sizes: [[64, 20_000]],
    axes: ['window', 'd'],
    bytes: ([m = 0, d = 0]) => 8 * m * d, // the window twice
    footprint: ([m = 0, d = 0]) => 4 * m * d,
    open: ([m = 0, d = 0]) => {
      const [optimizer, w, g] = [mfacOptimizer({ window: m, learningRate: 1e-6 }), new Float32Array(d), randomF32(d, 2)];
      const state = optimizer.init(w);
      for (let t = 0; t < m; t++) optimizer.step(w, randomF32(d, t + 3), state);
      return () => {
        optimizer.step(w, g, state);
        return w;
      };
    },
  }),
];
