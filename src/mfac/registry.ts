import type { Registry } from '../core/registry.js';
import { DynamicMfac } from './dynamic-mfac.js';
import { mfacOptimizer } from './mfac-optimizer.js';
import { StaticMfac } from './static-mfac.js';

/** The methods of this area. */
export const registry = {
  'dynamic-mfac': {
    method: DynamicMfac,
    summary: 'Inverse of the damped empirical Fisher matrix of a sliding window of gradients',
    papers: [94],
    test: 'test/mfac/dynamic-mfac.test.ts',
  },
  'mfac-optimizer': {
    method: mfacOptimizer,
    summary: 'Gradient descent preconditioned by the sliding-window inverse Fisher matrix',
    papers: [94],
    test: 'test/mfac/mfac-optimizer.test.ts',
    settings: ['momentum', 'weightDecay', 'window', 'damping'],
  },
  'static-mfac': {
    method: StaticMfac,
    summary: 'Inverse of the damped empirical Fisher matrix of given gradients: products, diagonal, columns',
    papers: [94],
    test: 'test/mfac/static-mfac.test.ts',
  },
} satisfies Registry;
