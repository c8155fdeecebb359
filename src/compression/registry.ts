import type { Registry } from '../core/registry.js';
import { accuracyPredictor } from './accuracy-predictor.js';
import { bundledRidgeHead } from './bundled-ridge-head.js';
import { channelAllocation } from './channel-allocation.js';
import { channelPrune, channelValues } from './channel-prune.js';
import { classWeightedRankingLoss } from './class-weighted-ranking-loss.js';
import { ConcreteMask } from './concrete-mask.js';
import { concreteMerge } from './concrete-merge.js';
import { dynamicFilterMask, dynamicFlops } from './dynamic-filter-mask.js';
import { fakeQuantize } from './fake-quantize.js';
import { gradualSchedule } from './gradual-schedule.js';
import { groupProgressiveGuidance } from './group-progressive-guidance.js';
import { groupPrune } from './group-prune.js';
import { quantizationRange } from './integer-grid.js';
import { layerObs } from './layer-obs.js';
import { layerSparsityAllocation } from './layer-sparsity-allocation.js';
import { linearCka } from './linear-cka.js';
import { lotteryPrune } from './lottery-prune.js';
import { lsqQuantize } from './lsq-quantize.js';
import { magnitudePrune } from './magnitude-prune.js';
import { bimodalPenalty, pruneWithMeanRecovery } from './mean-recovery.js';
import { minMaxDiscreteSolve } from './min-max-discrete-solve.js';
import { mixedPrecisionSearch } from './mixed-precision-search.js';
import { modeConnectivity } from './mode-connectivity.js';
import { nmPrune } from './nm-prune.js';
import { obsPrune } from './obs-prune.js';
import { parallelObsPrune } from './parallel-obs-prune.js';
import { performanceAwareChannelPrune } from './performance-aware-channel-prune.js';
import { predictionEntropy } from './prediction-entropy.js';
import { pruneRegime } from './prune-regime.js';
import { pseudoQuantize } from './pseudo-quantize.js';
import { qdqModel, qdqValues } from './qdq-model.js';
import { scalableNeuralKernel } from './scalable-neural-kernel.js';
import { gradientDisorder, ScaleFreezer } from './scale-freezer.js';
import { taskArithmeticMerge } from './task-arithmetic-merge.js';
import { universalRandomFeatures } from './universal-random-features.js';
import { wandaPrune } from './wanda-prune.js';
import { weightDistributionLoss } from './weight-distribution-loss.js';
import { zerothOrderImportance } from './zeroth-order-importance.js';

/** The methods of this area. */
export const registry = {
  'gradual-schedule': {
    method: gradualSchedule,
    summary: 'Sparsity after each round of gradual pruning',
    papers: [84],
    test: 'test/compression/gradual-schedule.test.ts',
  },
  'group-prune': {
    method: groupPrune,
    summary: 'Optimal Brain Surgeon on groups of neighbours (block-4)',
    test: 'test/compression/group-prune.test.ts',
  },
  'layer-obs': {
    method: layerObs,
    summary: 'One layer on calibration inputs: OBC (greedy) or SparseGPT (columns), free or N:M',
    test: 'test/compression/layer-obs.test.ts',
  },
  'magnitude-prune': {
    method: magnitudePrune,
    summary: 'Smallest |w| of all tensors, with a minimum left in each',
    papers: [84],
    test: 'test/compression/magnitude-prune.test.ts',
  },
  'nm-prune': {
    method: nmPrune,
    summary: 'N of every M neighbours stay (2:4), by magnitude, a saliency, or second order',
    test: 'test/compression/nm-prune.test.ts',
  },
  'obs-prune': {
    method: obsPrune,
    summary: 'Optimal Brain Surgeon on M-FAC: independent, joint or greedy updates',
    papers: [94],
    test: 'test/compression/obs-prune.test.ts',
  },
  'parallel-obs-prune': {
    method: parallelObsPrune,
    summary: 'The joint update on a pool of threads',
    test: 'test/threads/parallel.test.ts',
  },
  'wanda-prune': {
    method: wandaPrune,
    summary: 'Smallest |w|\u00b7rms(x) of every row of a layer',
    papers: [86],
    test: 'test/compression/ecoflap.test.ts',
  },
  'zeroth-order-importance': {
    method: zerothOrderImportance,
    summary: 'How much the loss depends on each tensor, by forward passes only',
    papers: [86],
    test: 'test/compression/ecoflap.test.ts',
  },
  'layer-sparsity-allocation': {
    method: layerSparsityAllocation,
    summary: 'Shares one sparsity out among layers by importance, under a cap',
    papers: [86],
    test: 'test/compression/ecoflap.test.ts',
  },
  'fake-quantize': {
    method: fakeQuantize,
    summary: 'Rounds to b-bit integers with a scale, per tensor or channel',
    papers: [97],
    test: 'test/compression/quantize.test.ts',
  },
  'weight-distribution-loss': {
    method: weightDistributionLoss,
    summary: 'Pulls weights towards an even spread, which survives few bits',
    papers: [97],
    test: 'test/compression/quantize.test.ts',
  },
  'mixed-precision-search': {
    method: mixedPrecisionSearch,
    summary: 'Bits of every layer under a budget, by a genetic search',
    papers: [97],
    test: 'test/compression/quantize.test.ts',
  },
  'lsq-quantize': {
    method: lsqQuantize,
    summary: 'Quantisation with a learned step',
    papers: [104],
    test: 'test/compression/quantize.test.ts',
  },
  'gradient-disorder': {
    method: gradientDisorder,
    summary: 'How often a gradient changes its sign',
    papers: [104],
    test: 'test/compression/quantize.test.ts',
  },
  'scale-freezer': {
    method: ScaleFreezer,
    summary: 'Freezes the task gradient of quantiser scales in conflict',
    papers: [104],
    test: 'test/compression/quantize.test.ts',
  },
  'pseudo-quantize': {
    method: pseudoQuantize,
    summary: 'Quantisation noise with gradients for clip and width',
    papers: [212],
    test: 'test/compression/quantize.test.ts',
  },
  'channel-allocation': {
    method: channelAllocation,
    summary: 'Channels that every group keeps under limits of channels and of time',
    test: 'test/compression/channel-allocation.test.ts',
  },
  'channel-prune': {
    method: channelPrune,
    summary: 'Removes channels and shrinks the ONNX graph; repair from calibration activations',
    test: 'test/compression/channel-prune.test.ts',
  },
  'channel-values': {
    method: channelValues,
    summary: 'Values whose activations channelPrune can use',
    test: 'test/compression/channel-prune.test.ts',
  },
  'performance-aware-channel-prune': {
    method: performanceAwareChannelPrune,
    summary: "Channels group by group under a bound on every task's loss",
    papers: [98],
    test: 'test/compression/performance-aware-channel-prune.test.ts',
  },
  'dynamic-filter-mask': {
    method: dynamicFilterMask,
    summary: 'The fewest filters per sample that hold a share of the activation energy',
    papers: [146],
    test: 'test/compression/dynamic-filter-mask.test.ts',
  },
  'dynamic-flops': {
    method: dynamicFlops,
    summary: 'Multiply-adds that dynamic masks save',
    papers: [146],
    test: 'test/compression/dynamic-filter-mask.test.ts',
  },
  'bimodal-penalty': {
    method: bimodalPenalty,
    summary: 'Parts weights into zeros and large ones while training',
    papers: [239],
    test: 'test/compression/mean-recovery.test.ts',
  },
  'prune-with-mean-recovery': {
    method: pruneWithMeanRecovery,
    summary: 'Magnitude pruning that leaves the mean of what goes',
    papers: [239],
    test: 'test/compression/mean-recovery.test.ts',
  },
  'min-max-discrete-solve': {
    method: minMaxDiscreteSolve,
    summary: 'Discrete levels whose worst violation over given rows is least',
    papers: [159],
    test: 'test/compression/min-max-discrete-solve.test.ts',
  },
  'accuracy-predictor': {
    method: accuracyPredictor,
    summary: 'A small network that predicts what a configuration of bits scores',
    papers: [97],
    test: 'test/compression/elastic.test.ts',
  },
  'group-progressive-guidance': {
    method: groupProgressiveGuidance,
    summary: 'Narrower sub-networks learn from the next wider one',
    papers: [97],
    test: 'test/compression/elastic.test.ts',
  },
  'bundled-ridge-head': {
    method: bundledRidgeHead,
    summary: 'The best linear head on features, in closed form',
    papers: [22],
    test: 'test/compression/random-features.test.ts',
  },
  'scalable-neural-kernel': {
    method: scalableNeuralKernel,
    summary: 'Random features of a ReLU layer (arc-cosine kernel)',
    papers: [22],
    test: 'test/compression/random-features.test.ts',
  },
  'universal-random-features': {
    method: universalRandomFeatures,
    summary: 'f(w·x + b) as a product of features of x and of (w, b)',
    papers: [22],
    test: 'test/compression/random-features.test.ts',
  },
  'linear-cka': {
    method: linearCka,
    summary: 'Similarity of two sets of features up to rotation and scale',
    papers: [121],
    test: 'test/compression/three-regimes.test.ts',
  },
  'mode-connectivity': {
    method: modeConnectivity,
    summary: 'The barrier on the line between two trained networks',
    papers: [121],
    test: 'test/compression/three-regimes.test.ts',
  },
  'prune-regime': {
    method: pruneRegime,
    summary: 'Whether to train hotter or cooler before pruning',
    papers: [121],
    test: 'test/compression/three-regimes.test.ts',
  },
  'lottery-prune': {
    method: lotteryPrune,
    summary: 'A share of every tensor by growth or size, survivors rewound',
    papers: [145],
    test: 'test/compression/class-dependent.test.ts',
  },
  'class-weighted-ranking-loss': {
    method: classWeightedRankingLoss,
    summary: 'Binary cross-entropy with class weight and a ranking hinge',
    papers: [145],
    test: 'test/compression/class-dependent.test.ts',
  },
  'concrete-mask': {
    method: ConcreteMask,
    summary: 'Relaxed Bernoulli masks with gradients',
    papers: [163],
    test: 'test/compression/model-merging.test.ts',
  },
  'concrete-merge': {
    method: concreteMerge,
    summary: 'Merges fine-tuned models through a learned mask',
    papers: [163],
    test: 'test/compression/model-merging.test.ts',
  },
  'task-arithmetic-merge': {
    method: taskArithmeticMerge,
    summary: 'Adds up what models learned from a common start',
    papers: [163],
    test: 'test/compression/model-merging.test.ts',
  },
  'prediction-entropy': {
    method: predictionEntropy,
    summary: 'Mean entropy of predictions with its gradient',
    papers: [163],
    test: 'test/compression/model-merging.test.ts',
  },
  'qdq-model': {
    method: qdqModel,
    summary: 'Integer weights and activations in an ONNX graph (QDQ)',
    test: 'test/compression/qdq-model.test.ts',
  },
  'qdq-values': {
    method: qdqValues,
    summary: 'Values whose ranges qdqModel takes',
    test: 'test/compression/qdq-model.test.ts',
  },
  'quantization-range': {
    method: quantizationRange,
    summary: 'The range a quantiser should cover: all, a percentile, least error',
    test: 'test/compression/qdq-model.test.ts',
  },
} satisfies Registry;
