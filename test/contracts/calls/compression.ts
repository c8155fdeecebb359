import { ThreadPool } from '../../../src/threads/index.js';

type Area = typeof import('../../../src/compression/index.js');

const gradients = { data: Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 4 - 1), shape: [3, 8] };
const weights = Float32Array.of(0.5, -1, 0.25, 2, -0.125, 1.5, -0.75, 0.1);

/** From the same build that the area under test came from. */
const mfacOf = async () => {
  const { StaticMfac } = await import('../../../src/mfac/index.js');
  return StaticMfac.build(gradients, { damping: 1e-2 });
};

/** Two dense layers as an ONNX graph. */
const network = async () => {
  const { Graph, graphTensor, modelOf } = await import('../../../src/onnx/graph.js');
  const graph = new Graph();
  graph.inputs = [{ name: 'x', type: 'float64', shape: ['N', 2] }];
  graph.outputs = [{ name: 'y', type: 'float64', shape: ['N', 2] }];
  graph.initializers.set('a', graphTensor('float64', [1, -2, 0.5, 3, 0.25, 1, -1, 2], [2, 4]));
  graph.initializers.set('b', graphTensor('float64', [1, 2, 3, 4, 5, 6, 7, 8], [4, 2]));
  graph.nodes = ['a', 'b'].map((w, i) => ({
    op: 'MatMul',
    domain: '',
    name: w,
    inputs: [i ? 'h' : 'x', w],
    outputs: [i ? 'y' : 'h'],
    attributes: {},
  }));
  return modelOf(graph);
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
  'parallel-obs-prune': async ({ parallelObsPrune }) => {
    const pool = await ThreadPool.open({ threads: 2 });
    try {
      return await parallelObsPrune(weights, await mfacOf(), { sparsity: 0.5, pool });
    } finally {
      pool.close();
    }
  },
  'obs-prune': ({ obsPrune }) => obsPrune(weights, gradients, { sparsity: 0.5, damping: 1e-2, update: 'greedy' }),
  'wanda-prune': ({ wandaPrune }) =>
    wandaPrune({ data: weights, shape: [2, 4] }, { data: gradients.data, shape: [6, 4] }, { sparsity: 0.5 }),
  'zeroth-order-importance': async ({ zerothOrderImportance }) => {
    const { DenseModel } = await import('../../../src/dense/index.js');
    const model = DenseModel.create({ layers: [{ weight: { data: weights, shape: [2, 4] }, bias: [0, 0.5] }], loss: 'mse' });
    return zerothOrderImportance(
      model,
      { x: { data: gradients.data, shape: [6, 4] }, y: { data: gradients.data.slice(0, 12), shape: [6, 2] } },
      { probes: 3 },
    );
  },
  'layer-sparsity-allocation': ({ layerSparsityAllocation }) => layerSparsityAllocation([1, 2], [10, 20], { sparsity: 0.5 }),
  'fake-quantize': ({ fakeQuantize }) => fakeQuantize(weights, { bits: 4, symmetric: false }),
  'weight-distribution-loss': ({ weightDistributionLoss }) => weightDistributionLoss(weights),
  'mixed-precision-search': ({ mixedPrecisionSearch }) =>
    mixedPrecisionSearch({ choices: [2, 4, 8], sizes: [3, 5], budget: 5, evaluate: ([a = 0, b = 0]) => 1 / a + 2 / b, generations: 3 }),
  'lsq-quantize': ({ lsqQuantize }) => {
    const { values, backward } = lsqQuantize(weights, { scale: 0.3, bits: 3 });
    return { values, ...backward(weights) };
  },
  'gradient-disorder': ({ gradientDisorder }) => gradientDisorder([1, -1, 1, 1]),
  'scale-freezer': ({ ScaleFreezer }) => new ScaleFreezer({ scales: 2, window: 2 }).combine([1, 2], [3, 4]),
  'pseudo-quantize': ({ pseudoQuantize }) => {
    const { values, backward } = pseudoQuantize(weights, { alpha: 1, bits: 3.5 });
    return { values, ...backward(weights) };
  },
  'channel-prune': async (area) => {
    const { model, groups } = area.channelPrune(await network(), { sparsity: 0.5 });
    return {
      kept: groups.map(({ kept }) => kept),
      weights: [...model.graph.initializers.values()].map(({ data }) => Array.from(data as Float64Array)),
    };
  },
  'channel-values': async (area) => area.channelValues(await network()).map((name) => name.length),
  'performance-aware-channel-prune': async (area) => {
    const { steps } = await area.performanceAwareChannelPrune(await network(), {
      losses: ({ graph }) => [20 / graph.initializers.get('b')!.data.length],
      tolerance: 0.5,
      budget: 2,
    });
    return steps.map(({ sparsity, ratio }) => [sparsity, ratio]);
  },
  'dynamic-filter-mask': ({ dynamicFilterMask }) => dynamicFilterMask({ data: weights, shape: [2, 4] }, { mass: 0.8 }),
  'dynamic-flops': ({ dynamicFlops }) => dynamicFlops([[2, 3]], [3, 4]),
  'bimodal-penalty': ({ bimodalPenalty }) => bimodalPenalty(weights, { fanIn: 4 }),
  'prune-with-mean-recovery': ({ pruneWithMeanRecovery }) => pruneWithMeanRecovery(weights, { sparsity: 0.5, rowLength: 4 }),
  'min-max-discrete-solve': ({ minMaxDiscreteSolve }) =>
    minMaxDiscreteSolve({ data: gradients.data, shape: [3, 8] }, weights, { step: 0.25, iterations: 5 }),
};
