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
};
