type Area = typeof import('../../../src/compression/index.js');

const gradients = { data: Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 4 - 1), shape: [3, 8] };
const weights = Float32Array.of(0.5, -1, 0.25, 2, -0.125, 1.5, -0.75, 0.1);

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown | Promise<unknown>> = {
  'magnitude-prune': ({ magnitudePrune }) => magnitudePrune(weights, { sparsity: 0.5 }),
  'obs-prune': ({ obsPrune }) => obsPrune(weights, gradients, { sparsity: 0.5, damping: 1e-2, update: 'greedy' }),
};
