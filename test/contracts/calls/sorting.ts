// One small call per method of the area, by registry key.
export const calls: Record<string, (area: typeof import('../../../src/sorting/index.js')) => unknown | Promise<unknown>> = {
  sort: (area) => area.sort(Float32Array.of(3, -1, NaN, 0, -0, 2)),
  argsort: (area) => area.argsort(Float64Array.of(3, 1, 2, 1)),
  'top-k': (area) => area.topK(Float32Array.of(3, 1, 4, 1, 5), { k: 2 }),
  'quick-select': (area) => area.quickSelect(Float64Array.of(3, 1, 4, 1, 5), { k: 3 }),
  rank: (area) => area.rank([3, 1, 4, 1, 5]),
  quantile: (area) => area.quantile([3, 1, 4, 1, 5], { q: [0.25, 0.5] }),
  'sorting-network': (area) =>
    area.sortingNetwork({ n: 5 }).sort({ data: Float32Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3), shape: [2, 5] }).data,
  'diff-sort': (area) => {
    const { sorted, permutation, backward } = area.diffSort(Float32Array.of(0.3, -1, 2, 0.5, 0.1), { steepness: 2 });
    return { sorted, permutation: permutation().data, grad: backward({ sorted: [1, 2, 3, 4, 5] }) };
  },
  'group-ordering-loss': (area) =>
    area.groupOrderingLoss({ data: Float64Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) - 4), shape: [2, 4, 3] }),
  'group-ordering-scores-loss': (area) => area.groupOrderingScoresLoss(Float64Array.of(0.1, 0.4, 0.3), { negatives: 2 }),
  'top-k-classification-loss': (area) =>
    area.topKClassificationLoss({ data: Float32Array.of(1, 2, 0.5, -1, 3, 0), shape: [2, 3] }, Int32Array.of(0, 2), {
      weights: [0.5, 0.5],
    }),
  'soft-rank': (area) => {
    const { values, backward } = area.softRank(Float64Array.of(0.5, 0.1, 0.3), { regularization: 'kl' });
    return { values, grad: backward([1, 2, 3]) };
  },
  'soft-sort': (area) => {
    const { values, backward } = area.softSort(Float32Array.of(0.5, 0.1, 0.3), { strength: 0.5 });
    return { values, grad: backward([1, 2, 3]) };
  },
  'soft-top-k': (area) => {
    const { values, backward } = area.softTopK(Float32Array.of(0.5, 0.1, 0.3, 2), { k: 2 });
    return { values, grad: backward([1, 2, 3, 4]) };
  },
  'log-soft-top-k': (area) => {
    const { values, backward } = area.logSoftTopK(Float64Array.of(0.5, 0.1, 0.3, 2), { k: 2 });
    return { values, grad: backward([1, 2, 3, 4]) };
  },
  'soft-sort-matrix': (area) => area.softSortMatrix(Float32Array.of(0.5, 0.1, 0.3)).matrix,
  'neural-sort-matrix': (area) => area.neuralSortMatrix(Float64Array.of(0.5, 0.1, 0.3)).matrix,
  sparsemax: (area) => area.sparsemax(Float32Array.of(0.5, 0.1, 0.3, -2)).values,
  'sparsemax-loss': (area) => area.sparsemaxLoss(Float64Array.of(0.5, 0.1, 0.3, -2), [1]),
  entmax15: (area) => area.entmax15(Float32Array.of(0.5, 0.1, 0.3, -2)).values,
  'entmax15-loss': (area) => area.entmax15Loss(Float64Array.of(0.5, 0.1, 0.3, -2), [1]),
  'transport-sort': (area) => area.transportSort(Float64Array.of(0.5, 0.1, 0.3, 2), { epsilon: 0.1 }).values,
  'transport-rank': (area) => area.transportRank(Float64Array.of(0.5, 0.1, 0.3, 2), { epsilon: 0.1 }).values,
  'transport-quantile': (area) => area.transportQuantile(Float64Array.of(0.5, 0.1, 0.3, 2), { q: 0.5, epsilon: 0.1 }).values,
  'mutual-choice': (area) => area.mutualChoice({ data: Float32Array.of(1, 4, 2, 3), shape: [2, 2] }, { budget: 2 }),
  'feature-choice': (area) => area.featureChoice({ data: Float32Array.of(1, 4, 2, 3), shape: [2, 2] }, { counts: [1, 2] }),
  'zipf-counts': (area) => area.zipfCounts({ features: 4, budget: 10, most: 5 }),
  'aux-zipf-loss': (area) =>
    area.auxZipfLoss({
      residual: { data: Float32Array.of(1, -0.5, 0.25, 2), shape: [2, 2] },
      scores: { data: Float32Array.of(1, 0.4, -0.2, 0.3, 0.8, 0.6), shape: [2, 3] },
      decoder: { data: Float32Array.of(1, 0, 0, 1, 0.6, 0.8), shape: [3, 2] },
      usage: [9, 1, 0],
      expected: [6, 4, 2],
    }),
  'decoupled-softmax-loss': (area) => area.decoupledSoftmaxLoss(Float32Array.of(0.5, 0.1, 0.3, 2), [1, 0, 1, 0]),
  'soft-top-k-loss': (area) => area.softTopKLoss(Float64Array.of(0.5, 0.1, 0.3, 2), [1, 0, 1, 0], { k: 2 }),
};
