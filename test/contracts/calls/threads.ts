type Area = typeof import('../../../src/threads/index.js');

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown> = {
  'thread-pool': async ({ ThreadPool }) => {
    const pool = await ThreadPool.open({ threads: 2 });
    try {
      const input = { a: Float64Array.of(1, 2, 3, 4), b: Float64Array.of(0.5, 1, -1, 2), m: 2, n: 2, k: 2 };
      const { gemmTask } = await import('../../../src/linalg/parallel-gemm.js');
      return await pool.run(gemmTask, { ...input, alpha: 1, transA: false, transB: false });
    } finally {
      pool.close();
    }
  },
};
