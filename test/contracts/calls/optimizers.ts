type Area = typeof import('../../../src/optimizers/index.js');

const run = (optimizer: ReturnType<Area['adam']> | ReturnType<Area['sgd']>): Float64Array => {
  const params = Float64Array.of(1, -2, 0.5);
  const state = optimizer.init(params);
  for (let t = 0; t < 5; t++)
    optimizer.step(
      params,
      params.map((w, i) => (i + 1) * w),
      state as never,
    );
  return params;
};

export const calls: Record<string, (area: Area) => unknown> = {
  adam: (area) => run(area.adam({ learningRate: 0.1, weightDecay: 0.01 })),
  sgd: (area) => run(area.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true })),
};
