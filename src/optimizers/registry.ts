import type { Registry } from '../core/registry.js';
import { adam } from './adam.js';
import { sgd } from './sgd.js';

/** Every optimizer by the kebab-case of its export. */
export const registry = {
  adam: { method: adam, summary: 'Adam; AdamW with weightDecay', test: 'test/optimizers/adam.test.ts' },
  sgd: { method: sgd, summary: 'gradient descent with momentum, Nesterov, weight decay', test: 'test/optimizers/sgd.test.ts' },
} satisfies Registry;
