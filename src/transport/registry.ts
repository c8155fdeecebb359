import type { Registry } from '../core/registry.js';
import { sinkhorn } from './sinkhorn.js';
import { sinkhornDivergence } from './sinkhorn-divergence.js';
import { sinkhornPartial } from './sinkhorn-partial.js';
import { sinkhornUnbalanced } from './sinkhorn-unbalanced.js';

/** The methods of this area. */
export const registry = {
  sinkhorn: { method: sinkhorn, summary: 'Balanced entropic transport', test: 'test/transport/sinkhorn.test.ts' },
  'sinkhorn-divergence': {
    method: sinkhornDivergence,
    summary: 'Debiased entropic distance with gradients',
    test: 'test/transport/sinkhorn-divergence.test.ts',
  },
  'sinkhorn-partial': {
    method: sinkhornPartial,
    summary: 'Entropic transport of part of the mass',
    test: 'test/transport/sinkhorn-partial.test.ts',
  },
  'sinkhorn-unbalanced': {
    method: sinkhornUnbalanced,
    summary: 'Entropic transport with penalised marginals',
    test: 'test/transport/sinkhorn-unbalanced.test.ts',
  },
} satisfies Registry;
