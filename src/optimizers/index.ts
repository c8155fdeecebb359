// First-order optimizers over flat parameter vectors.
export { type AdamOptions, type AdamState, adam } from './adam.js';
export { type GradNormSmoothNewtonOptions, gradNormSmoothNewton, type NewtonStep } from './grad-norm-smooth-newton.js';
export type { LearningRate, Optimizer } from './optimizer.js';
export { type Sam, type SamOptions, sam } from './sam.js';
export { type SgdOptions, type SgdState, sgd } from './sgd.js';
export { type Penalty, type SpectralRegularizerOptions, spectralRegularizer } from './spectral-regularizer.js';
export { LogitMemory, trajectoryLoss } from './trajectory-loss.js';
export { wassersteinInitRegularizer } from './wasserstein-init-regularizer.js';
