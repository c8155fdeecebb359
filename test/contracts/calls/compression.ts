type Area = typeof import('../../../src/compression/index.js');

const gradients = { data: Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 4 - 1), shape: [3, 8] };
const weights = Float32Array.of(0.5, -1, 0.25, 2, -0.125, 1.5, -0.75, 0.1);

/** From the same build that the area under test came from. */
const mfacOf = async () => {
  const { StaticMfac } = await import('../../../src/mfac/index.js');
  return StaticMfac.build(gradients, { damping: 1e-2 });
};

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown | Promise<unknown>> = {
  'gradual-schedule': ({ gradualSchedule }) => gradualSchedule({ to: 0.9, steps: 4, shape: 'density' }),
  'group-prune': async (area) => {
    const mfac = await mfacOf();
    return area.groupPrune(weights, mfac, { sparsity: 0.5, size: 2 });
  },
  'layer-obs': ({ layerObs }) =>
    layerObs({ data: weights, shape: [2, 4] }, { data: gradients.data, shape: [6, 4] }, { pattern: { n: 2, m: 4 } }),
  'magnitude-prune': ({ magnitudePrune }) => magnitudePrune(weights, { sparsity: 0.5 }),
  'nm-prune': ({ nmPrune }) => nmPrune(weights, { n: 1, m: 2 }),
  'obs-prune': ({ obsPrune }) => obsPrune(weights, gradients, { sparsity: 0.5, damping: 1e-2, update: 'greedy' }),
};
