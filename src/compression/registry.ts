import type { Registry } from '../core/registry.js';
import { magnitudePrune } from './magnitude-prune.js';
import { obsPrune } from './obs-prune.js';

/** The methods of this area. */
export const registry = {
  'magnitude-prune': {
    method: magnitudePrune,
    summary: 'Smallest |w| of all tensors, with a minimum left in each',
    papers: [84],
    test: 'test/compression/magnitude-prune.test.ts',
  },
  'obs-prune': {
    method: obsPrune,
    summary: 'Optimal Brain Surgeon on M-FAC: independent, joint or greedy updates',
    papers: [94],
    test: 'test/compression/obs-prune.test.ts',
  },
} satisfies Registry;
