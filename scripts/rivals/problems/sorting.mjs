// Sorting, hard and differentiable.
import { randomF32 } from '../../../build/src/bench/case.js';
import * as sorting from '../../../build/src/sorting/index.js';
import { fromFunction } from '../engine.mjs';

const tensor = (data, ...shape) => ({ data, shape });

function hard({ python }) {
  const n = 1_000_000;
  const x = randomF32(n, 1);
  const inputs = { x: tensor(x, n) };
  const top = () => sorting.topK(x, { k: 100 }).values;
  return [
    {
      name: 'sort f32',
      size: [n],
      aim: '<= 6 ms',
      met: ({ median }) => median <= 6,
      ours: () => fromFunction(() => sorting.sort(x), sorting.sort(x)),
      rivals: {
        'Float32Array.prototype.sort': () => fromFunction(() => x.slice().sort(), x.slice().sort()),
        'NumPy (AVX-512)': python('numpy_sort', inputs),
      },
    },
    {
      name: 'argsort f32, stable',
      size: [n],
      aim: '<= 12 ms',
      met: ({ median }) => median <= 12,
      ours: () => fromFunction(() => sorting.argsort(x), sorting.argsort(x)),
      rivals: { NumPy: python('numpy_argsort', inputs) },
    },
    {
      name: 'topK(100) f32',
      size: [n],
      aim: '<= 2 ms',
      met: ({ median }) => median <= 2,
      ours: () => fromFunction(top, top()),
      rivals: { 'NumPy argpartition': python('numpy_topk', inputs, { k: 100 }) },
    },
  ];
}

function soft(n, matrix, most, { python }) {
  const batch = 128;
  const x = tensor(randomF32(batch * n, 2), batch, n);
  const w = matrix ? tensor(randomF32(batch * n * n, 3), batch, n, n) : tensor(randomF32(batch * n, 3), batch, n);
  const options = { network: 'bitonic', distribution: 'cauchy', steepness: 10 };
  const { layers } = sorting.sortingNetwork({ n, network: 'bitonic' });
  const run = () => {
    const result = sorting.diffSort(x, options);
    if (matrix) result.permutation();
    return result.backward(matrix ? { permutation: w } : { sorted: w });
  };
  return {
    name: `diffSort forward + backward, ${matrix ? 'with P and its gradient' : 'values only'}`,
    size: [batch, n],
    aim: `<= ${most} ms`,
    met: ({ median }) => median <= most,
    ours: () => fromFunction(run, run().data),
    rivals: {
      'PyTorch by index swaps': python('torch_diffsort', { x, w }, { matrix, steepness: 10, layers }),
      ...(matrix && { 'PyTorch by dense layers, as published': python('torch_diffsort_dense', { x, w }, { steepness: 10, layers }) }),
    },
  };
}

function groups({ python }) {
  const [rows, n] = [1024, 11];
  const x = tensor(randomF32(rows * n, 6), rows, n);
  const negatives = n - 1;
  const { layers } = sorting.sortingNetwork({ n, network: 'odd-even' });
  const run = () => sorting.groupOrderingScoresLoss(x, { negatives }).grad.data;
  return {
    name: 'groupOrderingScoresLoss (GroCo), loss and gradient',
    size: [rows, n],
    aim: 'without forming P',
    ours: () => fromFunction(run, run()),
    rivals: { 'PyTorch by dense layers, as published': python('torch_group_ordering', { x }, { negatives, layers }) },
  };
}

function softTop({ python }) {
  const [rows, n, k, alpha] = [128, 10_000, 5, 2];
  const x = tensor(randomF32(rows * n, 4), rows, n);
  const run = () => sorting.softTopK(x, { k, alpha }).values;
  return {
    name: 'softTopK(5)',
    size: [rows, n],
    aim: '<= 12 ms',
    met: ({ median }) => median <= 12,
    ours: () => fromFunction(run, run()),
    rivals: { 'PyTorch, 32 bisections': python('torch_soft_topk', { x }, { k, alpha }) },
  };
}

function softRanks() {
  const n = 10_000;
  const x = randomF32(n, 5);
  const run = () => sorting.softRank(x).values;
  return {
    name: 'softRank l2',
    size: [n],
    aim: '<= 1 ms',
    met: ({ median }) => median <= 1,
    ours: () => fromFunction(run, run()),
    rivals: {},
  };
}

/** All problems of this file. */
export const sorted = (context) => [
  ...hard(context),
  soft(16, true, 0.6, context),
  soft(32, true, 2.5, context),
  soft(128, true, 90, context),
  soft(128, false, 3, context),
  groups(context),
  softTop(context),
  softRanks(),
];
