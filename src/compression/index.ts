/** Fewer weights for the same answers. */

export { type AccuracyPredictor, type AccuracyPredictorOptions, accuracyPredictor } from './accuracy-predictor.js';
export { bundledRidgeHead } from './bundled-ridge-head.js';
export { type ChannelAllocationOptions, type ChannelAllocationResult, channelAllocation } from './channel-allocation.js';
export { type ChannelPruneOptions, type ChannelPruneResult, channelPrune, channelValues, type PrunedGroup } from './channel-prune.js';
export { type ClassWeightedRankingLossOptions, classWeightedRankingLoss } from './class-weighted-ranking-loss.js';
export { ConcreteMask, type ConcreteMaskOptions, type ConcreteSample } from './concrete-mask.js';
export { type ConcreteMergeOptions, concreteMerge } from './concrete-merge.js';
export { type DynamicFilterMaskOptions, type DynamicFilterMaskResult, dynamicFilterMask, dynamicFlops } from './dynamic-filter-mask.js';
export { type FakeQuantizeOptions, type FakeQuantizeResult, fakeQuantize } from './fake-quantize.js';
export { type GradualScheduleOptions, gradualSchedule } from './gradual-schedule.js';
export { type BitGroup, type GroupProgressiveGuidanceOptions, groupProgressiveGuidance } from './group-progressive-guidance.js';
export { type GroupPruneOptions, type GroupPruneResult, groupPrune } from './group-prune.js';
export { type IntegerType, type QuantizationRangeOptions, quantizationRange } from './integer-grid.js';
export { type LayerObsOptions, type LayerObsResult, layerObs, type Pattern } from './layer-obs.js';
export { type LayerSparsityAllocationOptions, layerSparsityAllocation } from './layer-sparsity-allocation.js';
export { linearCka } from './linear-cka.js';
export { type LotteryPruneOptions, type LotteryPruneResult, lotteryPrune } from './lottery-prune.js';
export { type LsqQuantizeOptions, type LsqQuantizeResult, lsqQuantize } from './lsq-quantize.js';
export { type MagnitudePruneOptions, magnitudePrune, type Slot } from './magnitude-prune.js';
export { type BimodalPenaltyOptions, bimodalPenalty, type PruneWithMeanRecoveryOptions, pruneWithMeanRecovery } from './mean-recovery.js';
export { type MinMaxDiscreteSolveOptions, type MinMaxDiscreteSolveResult, minMaxDiscreteSolve } from './min-max-discrete-solve.js';
export { type MixedPrecisionSearchOptions, type MixedPrecisionSearchResult, mixedPrecisionSearch } from './mixed-precision-search.js';
export { modeConnectivity } from './mode-connectivity.js';
export { type NmPruneOptions, type NmPruneResult, nmPrune } from './nm-prune.js';
export { type ObsPruneOptions, type ObsPruneResult, type ObsUpdate, obsPrune } from './obs-prune.js';
export { parallelObsPrune } from './parallel-obs-prune.js';
export {
  type PerformanceAwareChannelPruneOptions,
  type PerformanceAwareChannelPruneResult,
  performanceAwareChannelPrune,
} from './performance-aware-channel-prune.js';
export { predictionEntropy } from './prediction-entropy.js';
export type { PruneOptions, PruneResult } from './prune-input.js';
export { type PruneRegime, type PruneRegimeOptions, pruneRegime } from './prune-regime.js';
export { type PseudoQuantizeOptions, type PseudoQuantizeResult, pseudoQuantize } from './pseudo-quantize.js';
export { type QdqModelOptions, type QdqModelResult, qdqModel, qdqValues, type WeightRounding } from './qdq-model.js';
export type { QuantizedLayer } from './qdq-writer.js';
export { type ScalableNeuralKernelOptions, scalableNeuralKernel } from './scalable-neural-kernel.js';
export { gradientDisorder, ScaleFreezer, type ScaleFreezerOptions } from './scale-freezer.js';
export { taskArithmeticMerge } from './task-arithmetic-merge.js';
export {
  type Frequency,
  type UniversalRandomFeatures,
  type UniversalRandomFeaturesOptions,
  universalRandomFeatures,
} from './universal-random-features.js';
export { type WandaPruneOptions, type WandaPruneResult, wandaPrune } from './wanda-prune.js';
export { type WeightDistributionLossOptions, weightDistributionLoss } from './weight-distribution-loss.js';
export { type ZerothOrderImportanceOptions, zerothOrderImportance } from './zeroth-order-importance.js';
