import { DenseModel } from '../../../src/dense/index.js';
import { decodeModel, encodeModel } from '../../../src/onnx/index.js';
import { network } from './onnx.js';

type Area = typeof import('../../../src/workflows/index.js');

const wave = (n: number) => Float64Array.from({ length: n }, (_, i) => ((i * 37) % 23) / 23 - 0.5);
const batch = { x: { data: wave(48), shape: [12, 4] }, y: Int32Array.from({ length: 12 }, (_, i) => i % 3) };

/** What `work` gives for a small network, without the seconds it took. */
async function onModel(work: (model: DenseModel) => Promise<object>): Promise<object> {
  const model = DenseModel.create({
    layers: [
      { weight: { data: wave(20), shape: [5, 4] }, bias: wave(5), activation: 'tanh' },
      { weight: { data: wave(15), shape: [3, 5] }, bias: wave(3), activation: 'identity' },
    ],
    loss: 'cross-entropy',
  });
  try {
    const result = await work(model);
    return { ...result, seconds: 0, w: model.getParameters() };
  } finally {
    model.dispose();
  }
}

/** One small call per function, on a model that needs no ONNX Runtime. */
export const calls: Record<string, (area: Area) => unknown> = {
  evaluate: ({ evaluate }) => onModel((model) => evaluate(model, batch)),
  fit: ({ fit }) => onModel((model) => fit(model, batch, { epochs: 3, batchSize: 4, learningRate: 0.05 })),
  'prune-model': ({ pruneModel }) => onModel((model) => pruneModel(model, batch, { sparsity: 0.4, steps: 2 })),
  'curvature-report': ({ curvatureReport }) => onModel((model) => curvatureReport(model, batch, { seed: 1 })),
  'cut-at': ({ cutAt }) => encodeModel(cutAt(decodeModel(network()))),
};
