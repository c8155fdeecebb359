type Area = typeof import('../../../src/dense/index.js');

const wave = (n: number) => Float32Array.from({ length: n }, (_, i) => ((i * 37) % 23) / 23 - 0.5);

/** One small call per method. */
export const calls: Record<string, (area: Area) => unknown> = {
  'dense-model': async ({ DenseModel }) => {
    const model = DenseModel.create({
      layers: [
        { weight: { data: wave(20), shape: [5, 4] }, bias: wave(5), activation: 'gelu' },
        { weight: { data: wave(15), shape: [3, 5] }, bias: wave(3), activation: 'tanh' },
      ],
      loss: 'cross-entropy',
    });
    const batch = { x: { data: wave(28), shape: [7, 4] }, y: Int32Array.of(0, 1, 2, 0, 1, 2, 0) };
    const { value, grad } = await model.gradient(batch);
    const results = {
      value,
      grad,
      hvp: await model.hvp(batch, grad),
      ggnvp: await model.ggnvp(batch, grad),
      rows: (await model.perSampleGradients(batch)).data,
      losses: await model.perSampleLosses(batch),
      inputs: (await model.inputGradient(batch)).grad.data,
      logits: (await model.predict(batch.x)).data,
      mean: await model.loss(batch),
      forward: (await model.jvp(batch.x, grad)).data,
      back: await model.vjp(batch.x, { data: wave(21), shape: [7, 3] }),
      each: (await model.perSampleVjp(batch.x, { data: wave(21), shape: [7, 3] })).data,
    };
    model.dispose();
    return results;
  },
};
