import { bench, randomF32, randomF64 } from '../../src/bench/case.js';
import { buresWasserstein, minibatchCoupling, sinkhorn, sinkhornDivergence, sinkhornUnbalanced } from '../../src/transport/index.js';

const cloud = (n: number, d: number, seed: number) => ({ data: randomF32(n * d, seed), shape: [n, d] });
const sizes = [[128], [512]];

/** A positive definite matrix. */
function covariance(n: number, seed: number) {
  const draws = randomF64(n * n, seed);
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) data[i * n + j] = data[j * n + i] = (i === j ? 2 : 0) + (0.3 * draws[i * n + j]!) / Math.sqrt(n);
  }
  return { covariance: { data, shape: [n, n] } };
}

export default [
  bench('sinkhorn of points, epsilon 0.5', {
    sizes,
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { x: cloud(n, 8, 1), y: cloud(n, 8, 2) };
      return () => sinkhorn(problem, { epsilon: 0.5 }).value;
    },
  }),
  bench('sinkhornDivergence with gradients, epsilon 0.5', {
    sizes: [[128]],
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { x: cloud(n, 8, 1), y: cloud(n, 8, 2) };
      return () => sinkhornDivergence(problem, { epsilon: 0.5 }).value;
    },
  }),
  bench('sinkhornUnbalanced of points, epsilon 0.5', {
    sizes,
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { x: cloud(n, 8, 1), y: cloud(n, 8, 2) };
      return () => sinkhornUnbalanced(problem, { epsilon: 0.5 }).mass;
    },
  }),
  bench('minibatchCoupling', {
    sizes,
    axes: ['n'],
    open: ([n = 0]) => {
      const problem = { x: cloud(n, 8, 1), y: cloud(n, 8, 2) };
      return () => minibatchCoupling(problem).value;
    },
  }),
  bench('buresWasserstein with gradients', {
    sizes: [[16], [64]],
    axes: ['n'],
    open: ([n = 0]) => {
      const [one, two] = [covariance(n, 1), covariance(n, 2)];
      return () => buresWasserstein(one, two).distance;
    },
  }),
];
