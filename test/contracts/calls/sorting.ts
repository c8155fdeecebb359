// One small call per method of the area, by registry key.
export const calls: Record<string, (area: typeof import('../../../src/sorting/index.js')) => unknown | Promise<unknown>> = {
  sort: (area) => area.sort(Float32Array.of(3, -1, NaN, 0, -0, 2)),
  argsort: (area) => area.argsort(Float64Array.of(3, 1, 2, 1)),
  'top-k': (area) => area.topK(Float32Array.of(3, 1, 4, 1, 5), { k: 2 }),
  'quick-select': (area) => area.quickSelect(Float64Array.of(3, 1, 4, 1, 5), { k: 3 }),
  rank: (area) => area.rank([3, 1, 4, 1, 5]),
  quantile: (area) => area.quantile([3, 1, 4, 1, 5], { q: [0.25, 0.5] }),
};
