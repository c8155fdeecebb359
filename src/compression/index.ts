/** Fewer weights for the same answers. */

export { type ChannelPruneOptions, type ChannelPruneResult, channelPrune, channelValues, type PrunedGroup } from './channel-prune.js';
export { type DynamicFilterMaskOptions, type DynamicFilterMaskResult, dynamicFilterMask, dynamicFlops } from './dynamic-filter-mask.js';
export { type FakeQuantizeOptions, type FakeQuantizeResult, fakeQuantize } from './fake-quantize.js';
export { type GradualScheduleOptions, gradualSchedule } from './gradual-schedule.js';
export { type GroupPruneOptions, type GroupPruneResult, groupPrune } from './group-prune.js';
export { type LayerObsOptions, type LayerObsResult, layerObs, type Pattern } from './layer-obs.js';
export { type LayerSparsityAllocationOptions, layerSparsityAllocation } from './layer-sparsity-allocation.js';
export { type LsqQuantizeOptions, type LsqQuantizeResult, lsqQuantize } from './lsq-quantize.js';
export { type MagnitudePruneOptions, magnitudePrune, type Slot } from './magnitude-prune.js';
export { type BimodalPenaltyOptions, bimodalPenalty, type PruneWithMeanRecoveryOptions, pruneWithMeanRecovery } from './mean-recovery.js';
export { type MinMaxDiscreteSolveOptions, type MinMaxDiscreteSolveResult, minMaxDiscreteSolve } from './min-max-discrete-solve.js';
export { type MixedPrecisionSearchOptions, type MixedPrecisionSearchResult, mixedPrecisionSearch } from './mixed-precision-search.js';
export { type NmPruneOptions, type NmPruneResult, nmPrune } from './nm-prune.js';
export { type ObsPruneOptions, type ObsPruneResult, type ObsUpdate, obsPrune } from './obs-prune.js';
export { parallelObsPrune } from './parallel-obs-prune.js';
export {
  type PerformanceAwareChannelPruneOptions,
  type PerformanceAwareChannelPruneResult,
  performanceAwareChannelPrune,
} from './performance-aware-channel-prune.js';
export type { PruneOptions, PruneResult } from './prune-input.js';
export { type PseudoQuantizeOptions, type PseudoQuantizeResult, pseudoQuantize } from './pseudo-quantize.js';
export { gradientDisorder, ScaleFreezer, type ScaleFreezerOptions } from './scale-freezer.js';
export { type WandaPruneOptions, type WandaPruneResult, wandaPrune } from './wanda-prune.js';
export { type WeightDistributionLossOptions, weightDistributionLoss } from './weight-distribution-loss.js';
export { type ZerothOrderImportanceOptions, zerothOrderImportance } from './zeroth-order-importance.js';
