import type { Registry } from '../core/registry.js';
import { StaticMfac } from './static-mfac.js';

/** The methods of this area. */
export const registry = {
  'static-mfac': {
    method: StaticMfac,
    summary: 'Inverse of the damped empirical Fisher matrix of given gradients: products, diagonal, columns',
    papers: [94],
    test: 'test/mfac/static-mfac.test.ts',
  },
} satisfies Registry;
