import type { Registry } from '../core/registry.js';
import { binaryCrossEntropy } from './binary-cross-entropy.js';
import { cauchyLoss } from './cauchy-loss.js';
import { crossEntropy } from './cross-entropy.js';
import { huber } from './huber.js';
import { mse } from './mse.js';
import { numberTokenLoss } from './number-token-loss.js';
import { wassersteinTokenLoss } from './wasserstein-token-loss.js';

/** Every loss by the kebab-case of its export. */
export const registry = {
  'binary-cross-entropy': { method: binaryCrossEntropy, summary: 'two-way classification on logits', test: 'test/losses/losses.test.ts' },
  'cauchy-loss': {
    method: cauchyLoss,
    summary: 'regression of whole samples with bounded influence',
    papers: [188],
    test: 'test/losses/cauchy-loss.test.ts',
  },
  'cross-entropy': { method: crossEntropy, summary: 'classification by softmax', test: 'test/losses/losses.test.ts' },
  huber: { method: huber, summary: 'regression with outliers', test: 'test/losses/losses.test.ts' },
  mse: { method: mse, summary: 'regression', test: 'test/losses/losses.test.ts' },
  'number-token-loss': {
    method: numberTokenLoss,
    summary: 'tokens that are numbers, by the square of the mean',
    papers: [195],
    test: 'test/losses/number-tokens.test.ts',
  },
  'wasserstein-token-loss': {
    method: wassersteinTokenLoss,
    summary: 'tokens that are numbers, by their distance to the label',
    papers: [195],
    test: 'test/losses/number-tokens.test.ts',
  },
} satisfies Registry;
