/** Fewer weights for the same answers. */
export { type MagnitudePruneOptions, magnitudePrune } from './magnitude-prune.js';
export { type ObsPruneOptions, type ObsPruneResult, type ObsUpdate, obsPrune } from './obs-prune.js';
export type { PruneOptions, PruneResult } from './prune-input.js';
