/** Fewer weights for the same answers. */
export { type GradualScheduleOptions, gradualSchedule } from './gradual-schedule.js';
export { type GroupPruneOptions, type GroupPruneResult, groupPrune } from './group-prune.js';
export { type LayerObsOptions, type LayerObsResult, layerObs, type Pattern } from './layer-obs.js';
export { type MagnitudePruneOptions, magnitudePrune, type Slot } from './magnitude-prune.js';
export { type NmPruneOptions, type NmPruneResult, nmPrune } from './nm-prune.js';
export { type ObsPruneOptions, type ObsPruneResult, type ObsUpdate, obsPrune } from './obs-prune.js';
export type { PruneOptions, PruneResult } from './prune-input.js';
