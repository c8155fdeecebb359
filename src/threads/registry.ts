import type { Registry } from '../core/registry.js';
import { ThreadPool } from './pool.js';

/** The methods of this area. */
export const registry = {
  'thread-pool': { method: ThreadPool, summary: 'Threads for work that splits, one instance each', test: 'test/threads/pool.test.ts' },
} satisfies Registry;
