import { parallelGemm } from '../../../src/linalg/index.js';

type Area = typeof import('../../../src/threads/index.js');

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown> = {
  'thread-pool': async ({ ThreadPool }) => {
    const pool = await ThreadPool.open({ threads: 2, eager: true });
    try {
      const matrix = { data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] };
      return await parallelGemm(matrix, { data: Float64Array.of(0.5, 1, -1, 2), shape: [2, 2] }, { pool });
    } finally {
      pool.close();
    }
  },
};
