import { bench, randomF32 } from '../../src/bench/case.js';
import { diffSort, groupOrderingScoresLoss, type NetworkName } from '../../src/sorting/index.js';

const batch = 128;
const tensor = (data: Float32Array, ...shape: number[]) => ({ data, shape });

/** Forward and backward of values, or of values and permutation. */
const network = (name: NetworkName, matrix: boolean) =>
  bench(`diffSort ${name}, ${matrix ? 'with P and its gradient' : 'values and their gradient'}`, {
    sizes: [[16], [32], [128]],
    axes: ['n'],
    open: ([n = 0]) => {
      const x = tensor(randomF32(batch * n, 1), batch, n);
      const sorted = randomF32(batch * n, 2);
      const permutation = randomF32(matrix ? batch * n * n : 0, 3);
      return () => {
        const result = diffSort(x, { network: name });
        if (matrix) result.permutation();
        return result.backward(matrix ? { sorted, permutation } : { sorted }).data;
      };
    },
  });

export default [
  network('bitonic', false),
  network('odd-even', false),
  network('bitonic', true),
  network('odd-even', true),
  bench('groupOrderingScoresLoss', {
    sizes: [
      [256, 11],
      [1024, 11],
      [4096, 11],
    ],
    axes: ['batch', 'n'],
    open: ([rows = 0, n = 0]) => {
      const scores = tensor(randomF32(rows * n), rows, n);
      return () => groupOrderingScoresLoss(scores, { negatives: n - 1 }).grad.data;
    },
  }),
];
