/** Losses with their gradients: `{ value, grad, perSample }`. */
export { binaryCrossEntropy } from './binary-cross-entropy.js';
export { cauchyLoss } from './cauchy-loss.js';
export { type CrossEntropyOptions, crossEntropy } from './cross-entropy.js';
export { huber } from './huber.js';
export { mse } from './mse.js';
export { numberTokenLoss } from './number-token-loss.js';
export type { NumberTokenOptions } from './number-tokens.js';
export type { LossResult } from './result.js';
export { wassersteinTokenLoss } from './wasserstein-token-loss.js';
