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

const layout = [
  { name: 'w', node: '', opType: 'Gemm', role: 'weight', shape: [2, 3], offset: 0 },
  { name: 'b', node: '', opType: 'Gemm', role: 'bias', shape: [2], offset: 6 },
  { name: 'g', node: '', opType: 'LayerNormalization', role: 'scale', shape: [2], offset: 8 },
] as const;
const weights = Float64Array.of(1, -2, 0.5, 0.25, 1.5, -1, 0.3, -0.4, 1.25, 0.75);

export const calls: Record<string, (area: Area) => unknown> = {
  adam: (area) => run(area.adam({ learningRate: 0.1, weightDecay: 0.01 })),
  sgd: (area) => run(area.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true })),
  'grad-norm-smooth-newton': ({ gradNormSmoothNewton }) => {
    let w = Float64Array.of(1, -2, 0.5);
    const h = [1, 4, 9];
    const model = {
      precision: 'float64',
      parameterCount: 3,
      getParameters: () => w.slice(),
      setParameters: (next: Float64Array) => {
        w = next.slice();
      },
      gradient: async () => ({ value: w.reduce((sum, x, i) => sum + 0.5 * h[i]! * x * x, 0), grad: w.map((x, i) => h[i]! * x) }),
      ggnvp: async (_data: unknown, v: Float64Array) => v.map((x, i) => h[i]! * x),
    };
    return gradNormSmoothNewton(model as never, [], { maxIterations: 4 });
  },
  'logit-memory': ({ LogitMemory }) => {
    const memory = new LogitMemory(4, 2, { delay: 1 });
    memory.record(0, [1, 3], { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] });
    return memory.past(1, [3, 1])!.data;
  },
  sam: async ({ sam, sgd }) => {
    const params = Float64Array.of(1, -2, 0.5);
    const optimizer = sam(sgd({ learningRate: 0.1 }), { kind: 'asam' });
    const state = optimizer.init(params);
    for (let t = 0; t < 3; t++) await optimizer.step(params, (w) => ({ grad: w.map((x, i) => (i + 1) * x) as Float64Array }), state);
    return params;
  },
  'spectral-regularizer': ({ spectralRegularizer }) => {
    const { evaluate } = spectralRegularizer(layout);
    return [evaluate(weights), evaluate(weights.map((w) => 0.9 * w))].map(({ value, grad, sigmas }) => ({ value, grad, sigmas }))[1];
  },
  'wasserstein-init-regularizer': ({ wassersteinInitRegularizer }) =>
    wassersteinInitRegularizer(weights, layout).evaluate(weights.map((w, i) => w + 0.2 * (i % 3))),
  'trajectory-loss': ({ trajectoryLoss }) =>
    trajectoryLoss({ data: Float64Array.of(1, 2, 0, -1), shape: [2, 2] }, { data: Float64Array.of(0, 2, 1, -1), shape: [2, 2] }),
};
