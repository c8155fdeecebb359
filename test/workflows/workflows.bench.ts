import { bench, randomF32 } from '../../src/bench/case.js';
import { DenseModel } from '../../src/dense/index.js';
import { curvatureReport, evaluate, fit, pruneModel } from '../../src/workflows/index.js';

/** A small head on features: 64 numbers to 10 classes through 32 units. */
function problem(samples: number) {
  const widths = [64, 32, 10];
  const model = DenseModel.create({
    layers: widths.slice(1).map((outputs, l) => ({
      weight: { data: randomF32(outputs * widths[l]!, l + 1).map((x) => x / 8), shape: [outputs, widths[l]!] },
      bias: new Float32Array(outputs),
      activation: l ? ('identity' as const) : ('tanh' as const),
    })),
    loss: 'cross-entropy',
  });
  const y = Int32Array.from({ length: samples }, (_, i) => i % 10);
  const start = model.getParameters();
  return { model, start, data: { x: { data: randomF32(samples * 64, 9), shape: [samples, 64] }, y } };
}

const axes = ['samples'];

export default [
  bench('evaluate', {
    sizes: [[256], [4096]],
    axes,
    open: ([n = 0]) => {
      const { model, data } = problem(n);
      return async () => (await evaluate(model, data)).loss;
    },
  }),
  bench('fit, one epoch in batches of 64', {
    sizes: [[1024]],
    axes,
    open: ([n = 0]) => {
      const { model, start, data } = problem(n);
      return async () => {
        model.setParameters(start);
        return (await fit(model, data, { epochs: 1, batchSize: 64 })).history.map(({ loss }) => loss);
      };
    },
  }),
  ...(['magnitude', 'mfac'] as const).map((method) =>
    bench(`pruneModel ${method}`, {
      sizes: [[256]],
      axes,
      open: ([n = 0]) => {
        const { model, start, data } = problem(n);
        return async () => {
          model.setParameters(start);
          return (await pruneModel(model, data, { sparsity: 0.8, method })).after.loss;
        };
      },
    }),
  ),
  bench('curvatureReport', {
    sizes: [[256]],
    axes,
    open: ([n = 0]) => {
      const { model, data } = problem(n);
      return async () => (await curvatureReport(model, data)).eigenvalues;
    },
  }),
];
