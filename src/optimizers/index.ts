// First-order optimizers over flat parameter vectors.
export { type AdamOptions, type AdamState, adam } from './adam.js';
export type { LearningRate, Optimizer } from './optimizer.js';
export { type SgdOptions, type SgdState, sgd } from './sgd.js';
