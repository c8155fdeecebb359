import { bench, randomF32 } from '../../src/bench/case.js';
import { binaryCrossEntropy, crossEntropy, huber, mse, numberTokenLoss, wassersteinTokenLoss } from '../../src/losses/index.js';

const labelsOf = (n: number, k: number) => Int32Array.from({ length: n }, (_, i) => (i * 7) % k);
const logitsOf = (n: number, k: number) => ({ data: randomF32(n * k, 1), shape: [n, k] });

/** The gradient of the mean cross-entropy in plain JavaScript. */
function plainCrossEntropy(n: number, k: number) {
  const [x, labels, grad] = [randomF32(n * k, 1), labelsOf(n, k), new Float32Array(n * k)];
  return () => {
    for (let row = 0; row < n; row++) {
      let top = -Infinity;
      let sum = 0;
      for (let j = row * k; j < row * k + k; j++) top = Math.max(top, x[j] as number);
      for (let j = row * k; j < row * k + k; j++) sum += Math.exp((x[j] as number) - top);
      for (let j = row * k; j < row * k + k; j++) grad[j] = Math.exp((x[j] as number) - top) / sum / n;
      grad[row * k + (labels[row] as number)] = (grad[row * k + (labels[row] as number)] as number) - 1 / n;
    }
    return grad;
  };
}

const elementwise = [
  ['mse', mse],
  ['huber', huber],
  ['binaryCrossEntropy', binaryCrossEntropy],
] as const;

export default [
  bench('crossEntropy', {
    sizes: [
      [128, 10],
      [1024, 1000],
    ],
    axes: ['n', 'k'],
    baselines: { javascript: ([n = 0, k = 0]) => plainCrossEntropy(n, k) },
    open: ([n = 0, k = 0]) => {
      const [logits, labels] = [logitsOf(n, k), labelsOf(n, k)];
      return () => crossEntropy(logits, labels).grad;
    },
  }),
  ...elementwise.map(([name, loss]) =>
    bench(name, {
      sizes: [[1000], [100_000]],
      axes: ['n'],
      open: ([n = 0]) => {
        const [x, y] = [
          { data: randomF32(n, 1), shape: [n] },
          { data: randomF32(n, 2).map((v) => Math.min(1, Math.abs(v))), shape: [n] },
        ];
        return () => loss(x, y).grad;
      },
    }),
  ),
  ...([numberTokenLoss, wassersteinTokenLoss] as const).map((loss) =>
    bench(loss.name, {
      sizes: [[128, 1000]],
      axes: ['n', 'k'],
      open: ([n = 0, k = 0]) => {
        const [logits, labels] = [logitsOf(n, k), labelsOf(n, k)];
        const values = Float64Array.from({ length: k }, (_, i) => i);
        return () => loss(logits, labels, { values }).grad;
      },
    }),
  ),
];
