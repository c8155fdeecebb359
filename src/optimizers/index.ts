// First-order optimizers over flat parameter vectors.
export { type AdamOptions, type AdamState, adam } from './adam.js';
export { type GradNormSmoothNewtonOptions, gradNormSmoothNewton, type NewtonStep } from './grad-norm-smooth-newton.js';
export type { LearningRate, Optimizer } from './optimizer.js';
export { type Sam, type SamOptions, sam } from './sam.js';
export { type SgdOptions, type SgdState, sgd } from './sgd.js';
export { LogitMemory, trajectoryLoss } from './trajectory-loss.js';
