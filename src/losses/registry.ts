import type { Registry } from '../core/registry.js';
import { binaryCrossEntropy } from './binary-cross-entropy.js';
import { crossEntropy } from './cross-entropy.js';
import { huber } from './huber.js';
import { mse } from './mse.js';

/** Every loss by the kebab-case of its export. */
export const registry = {
  'binary-cross-entropy': { method: binaryCrossEntropy, summary: 'two-way classification on logits', test: 'test/losses/losses.test.ts' },
  'cross-entropy': { method: crossEntropy, summary: 'classification by softmax', test: 'test/losses/losses.test.ts' },
  huber: { method: huber, summary: 'regression with outliers', test: 'test/losses/losses.test.ts' },
  mse: { method: mse, summary: 'regression', test: 'test/losses/losses.test.ts' },
} satisfies Registry;
