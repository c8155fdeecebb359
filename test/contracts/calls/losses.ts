// One small deterministic call per loss.
type Area = typeof import('../../../src/losses/index.js');

const scores = { data: Float64Array.of(1, -0.5, 2, 0.25, 0, -3), shape: [2, 3] };
const targets = [1, 0, 0.5, 0, 1, 1];

export const calls: Record<string, (area: Area) => unknown> = {
  'binary-cross-entropy': ({ binaryCrossEntropy }) => binaryCrossEntropy(scores, targets),
  'cauchy-loss': ({ cauchyLoss }) => cauchyLoss(scores, targets, { scale: 0.5 }),
  'cross-entropy': ({ crossEntropy }) => crossEntropy(scores, [2, 0], { labelSmoothing: 0.1, classWeights: [1, 2, 0.5] }),
  huber: ({ huber }) => huber(scores, targets, { delta: 0.75 }),
  'number-token-loss': ({ numberTokenLoss }) => numberTokenLoss(scores, [2, 0], { values: [NaN, 1, 4] }),
  'wasserstein-token-loss': ({ wassersteinTokenLoss }) => wassersteinTokenLoss(scores, [2, 1], { values: [NaN, 1, 4] }),
  mse: ({ mse }) => mse(scores, targets, { weights: [1, 3] }),
};
