import type { Registry } from '../core/registry.js';
import { sinkhorn } from './sinkhorn.js';

/** The methods of this area. */
export const registry = {
  sinkhorn: { method: sinkhorn, summary: 'Balanced entropic transport', test: 'test/transport/sinkhorn.test.ts' },
} satisfies Registry;
