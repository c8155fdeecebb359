import type { Registry } from '../core/registry.js';
import { gradualSchedule } from './gradual-schedule.js';
import { groupPrune } from './group-prune.js';
import { layerObs } from './layer-obs.js';
import { magnitudePrune } from './magnitude-prune.js';
import { nmPrune } from './nm-prune.js';
import { obsPrune } from './obs-prune.js';

/** The methods of this area. */
export const registry = {
  'gradual-schedule': {
    method: gradualSchedule,
    summary: 'Sparsity after each round of gradual pruning',
    papers: [84],
    test: 'test/compression/gradual-schedule.test.ts',
  },
  'group-prune': {
    method: groupPrune,
    summary: 'Optimal Brain Surgeon on groups of neighbours (block-4)',
    test: 'test/compression/group-prune.test.ts',
  },
  'layer-obs': {
    method: layerObs,
    summary: 'One layer on calibration inputs: OBC (greedy) or SparseGPT (columns), free or N:M',
    test: 'test/compression/layer-obs.test.ts',
  },
  'magnitude-prune': {
    method: magnitudePrune,
    summary: 'Smallest |w| of all tensors, with a minimum left in each',
    papers: [84],
    test: 'test/compression/magnitude-prune.test.ts',
  },
  'nm-prune': {
    method: nmPrune,
    summary: 'N of every M neighbours stay (2:4), by magnitude, a saliency, or second order',
    test: 'test/compression/nm-prune.test.ts',
  },
  'obs-prune': {
    method: obsPrune,
    summary: 'Optimal Brain Surgeon on M-FAC: independent, joint or greedy updates',
    papers: [94],
    test: 'test/compression/obs-prune.test.ts',
  },
} satisfies Registry;
