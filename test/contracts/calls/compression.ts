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
    const pool = await ThreadPool.open({ threads: 2, eager: true });
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
  'channel-allocation': ({ channelAllocation }) =>
    channelAllocation({
      levels: [
        [2, 4],
        [4, 8],
      ],
      losses: [
        [3, 0],
        [1, 0],
      ],
      time: ([a = 0, b = 0]) => a * b,
      limit: 20,
    }),
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
    minMaxDiscreteSolve({ data: gradients.data, shape: [3, 8] }, weights, { step: 0.25, iterations: 20 }),
  'accuracy-predictor': async ({ accuracyPredictor }) => {
    const examples = [2, 4, 8].flatMap((a) => [2, 8].map((b) => ({ bits: [a, b], value: 1 - 1 / a - 1 / b })));
    const predictor = await accuracyPredictor(examples, { choices: [2, 4, 8], hidden: 4, steps: 5 });
    const { error } = predictor;
    const value = await predictor.predict([4, 2]);
    predictor.dispose();
    return { error, value };
  },
  'group-progressive-guidance': ({ groupProgressiveGuidance }) =>
    groupProgressiveGuidance(
      [
        { bits: 2, logits: { data: weights, shape: [2, 4] } },
        { bits: 8, logits: { data: gradients.data.subarray(0, 8), shape: [2, 4] } },
      ],
      Uint8Array.of(1, 3),
      { temperature: 2, labelWeight: 0.5 },
    ),
  'bundled-ridge-head': ({ bundledRidgeHead }) =>
    bundledRidgeHead({ data: gradients.data, shape: [8, 3] }, { data: weights, shape: [8, 1] }, { damping: 0.1 }),
  'scalable-neural-kernel': ({ scalableNeuralKernel }) => {
    const x = { data: weights, shape: [2, 4] };
    const { features, kernel } = scalableNeuralKernel({ inputs: 4, features: 6 });
    return { features: features(x), kernel: kernel(x, x) };
  },
  'universal-random-features': ({ universalRandomFeatures }) => {
    const { inputs, weights: of } = universalRandomFeatures({ inputs: 4, features: 5, f: 'gaussian' });
    return { inputs: inputs({ data: weights, shape: [2, 4] }), weights: of({ data: weights, shape: [2, 4] }, [0.5, -1]) };
  },
  'linear-cka': ({ linearCka }) => ({
    value: linearCka({ data: gradients.data, shape: [6, 4] }, { data: gradients.data.slice(0, 12), shape: [6, 2] }),
  }),
  'mode-connectivity': ({ modeConnectivity }) =>
    modeConnectivity(
      (w) => (w[0] as number) ** 2 + (w[3] as number),
      weights,
      weights.map((v) => -v),
    ),
  'prune-regime': ({ pruneRegime }) => ({ regime: ['I', 'II-A', 'II-B'].indexOf(pruneRegime(0, 0.5).regime) }),
  'lottery-prune': ({ lotteryPrune }) => lotteryPrune(weights, gradients.data.subarray(0, 8)),
  'class-weighted-ranking-loss': ({ classWeightedRankingLoss }) =>
    classWeightedRankingLoss(weights, [1, 0, 0, 1, 0, 1, 0, 1], { positiveWeight: 2, pairs: 'all' }),
  'concrete-mask': ({ ConcreteMask }) => {
    const { values, backward } = new ConcreteMask({ logits: Float64Array.of(1, -2, 0) }).sample([0.2, 0.7, 0.5]);
    return { values, grad: backward([1, 2, 3]) };
  },
  'concrete-merge': async ({ concreteMerge }) => {
    const { DenseModel } = await import('../../../src/dense/index.js');
    const model = DenseModel.create({ layers: [{ weight: { data: weights, shape: [2, 4] }, bias: [0, 0.5] }], loss: 'cross-entropy' });
    const base = model.getParameters();
    const experts = [base.map((v, k) => v + (k % 3) / 4), base.map((v, k) => v - (k % 2) / 2)];
    return concreteMerge(model, base, experts, [{ x: { data: gradients.data, shape: [6, 4] }, y: new Uint8Array(6) }], { steps: 3 });
  },
  'task-arithmetic-merge': ({ taskArithmeticMerge }) =>
    taskArithmeticMerge(weights, [gradients.data.subarray(0, 8), gradients.data.subarray(8, 16)]),
  'prediction-entropy': ({ predictionEntropy }) => predictionEntropy({ data: weights, shape: [2, 4] }),
  'qdq-model': async ({ qdqModel }) => {
    const model = await network();
    for (const [name, tensor] of model.graph.initializers)
      model.graph.initializers.set(name, { ...tensor, type: 'float32', data: Float32Array.from(tensor.data as Float64Array) });
    const { layers, model: quantised } = qdqModel(model, { ranges: { x: { low: -1, high: 2 }, h: { low: 0, high: 3 } }, rounding: 'mse' });
    return { layers, levels: quantised.graph.initializers.get('b_quantized')?.data };
  },
  'qdq-values': async ({ qdqValues }) => {
    const model = await network();
    for (const [name, tensor] of model.graph.initializers) model.graph.initializers.set(name, { ...tensor, type: 'float32' });
    return { count: qdqValues(model).length };
  },
  'quantization-range': ({ quantizationRange }) => quantizationRange(weights, { method: 'mse', bits: 3 }),
};
