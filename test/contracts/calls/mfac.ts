type Area = typeof import('../../../src/mfac/index.js');

const gradients = { data: Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 11) / 4 - 1), shape: [3, 8] };

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown | Promise<unknown>> = {
  'dynamic-mfac': ({ DynamicMfac }) => {
    const mfac = new DynamicMfac({ size: 8, window: 2, damping: 1e-2 });
    const products = [0, 1, 2].map((i) => mfac.update(gradients.data.subarray(8 * i, 8 * i + 8)));
    return { products, probe: mfac.ihvp(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)) };
  },
  'mfac-optimizer': ({ mfacOptimizer }) => {
    const optimizer = mfacOptimizer({ learningRate: 0.1, momentum: 0.5, weightDecay: 0.01, window: 3, damping: 0.1 });
    const params = Float64Array.of(1, -2, 0.5);
    const state = optimizer.init(params);
    for (let t = 0; t < 5; t++)
      optimizer.step(
        params,
        params.map((w, i) => (i + 1) * w),
        state,
      );
    return params;
  },
  'static-mfac': async ({ StaticMfac }) => {
    const mfac = await StaticMfac.build(gradients, { damping: 1e-2 });
    return { product: mfac.ihvp(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)), diagonal: mfac.diagonal(), column: mfac.column(3) };
  },
};
