type Area = typeof import('../../../src/mfac/index.js');

const gradients = { data: Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 4 - 1), shape: [3, 8] };

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown | Promise<unknown>> = {
  'static-mfac': async ({ StaticMfac }) => {
    const mfac = await StaticMfac.build(gradients, { damping: 1e-2 });
    return { product: mfac.ihvp(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)), diagonal: mfac.diagonal(), column: mfac.column(3) };
  },
};
