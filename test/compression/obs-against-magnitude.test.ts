// One-shot pruning of a trained classifier by the inverse Fisher matrix, whole and in blocks, beside magnitude.
import { magnitudePrune, obsPrune } from '../../src/compression/index.js';
import { StaticMfac } from '../../src/mfac/index.js';
import { accuracy, clusters, trained } from './trained.js';

test('systems/94 one-shot pruning at 80, 90 and 95 % keeps more accuracy than magnitude for every block size', async () => {
  const model = await trained();
  const fresh = clusters(1000, 9);
  const dense = model.getParameters();
  const prunable = new Uint8Array(dense.length);
  for (const { role, offset, shape } of model.layout) if (role === 'weight') prunable.fill(1, offset, offset + shape[0]! * shape[1]!);
  const gradients = await model.perSampleGradients(clusters(1000, 2));
  const sparsities = [0.8, 0.9, 0.95];
  const scored = async (prune: (sparsity: number) => ArrayLike<number>): Promise<number[]> => {
    const out = [];
    for (const sparsity of sparsities) {
      model.setParameters(Float32Array.from(prune(sparsity)));
      out.push(await accuracy(model, fresh));
    }
    return out;
  };
  const magnitude = await scored((sparsity) => magnitudePrune(dense, { sparsity, prunable }).weights);
  // Smaller blocks see less of the matrix and need more damping; the update is that of the paper.
  for (const [blockSize, damping] of [
    [16, 1e-2],
    [64, 1e-2],
    [512, 1e-2],
    [Infinity, 1e-4],
  ] as const) {
    const mfac = await StaticMfac.build(gradients, { damping, blockSize });
    const obs = await scored((sparsity) => obsPrune(dense, mfac, { sparsity, prunable, update: 'independent' }).weights);
    for (const [i, value] of obs.entries()) expect(value).toBeGreaterThan(magnitude[i]!);
    if (blockSize === Infinity) {
      // The joint update is better where the quadratic model holds.
      const [joint] = await scored((sparsity) => obsPrune(dense, mfac, { sparsity, prunable }).weights);
      expect(joint).toBeGreaterThan(obs[0]!);
      expect(joint).toBeGreaterThan(magnitude[0]! + 0.15);
    }
    mfac.dispose();
  }
  model.dispose();
});
