// systems/245: Unraveling the Hessian: A Key to Smooth Convergence in Loss Function Landscapes.

import { takeSamples } from '../../src/core/batches.js';
import { perSampleHessianNorm, sampleLossDifference } from '../../src/curvature/sample-loss-difference.js';
import { sampleLosses } from '../../src/curvature/sample-losses.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { eigh } from '../../src/linalg/eigh.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { matrixOf, network } from '../helpers/quadratic.js';

test('systems/245: differences are (ℓ_{k+1} − L_k)/(k + 1), which are those of the losses of growing batches', async () => {
  const { model, batch } = network([4, 5, 3], 12);
  const { differences, meanAbsolute } = await sampleLossDifference(model, batch);
  for (let k = 1; k < 12; k++) {
    const [low, high] = [k, k + 1].map((size) =>
      takeSamples(
        batch,
        Array.from({ length: size }, (_, i) => i),
      ),
    );
    expectClose(differences[k - 1]!, (await model.loss(high!)) - (await model.loss(low!)), { atol: 1e-14 });
  }
  expectClose(meanAbsolute, differences.map(Math.abs));
});

test('systems/245: for quadratic losses the second-order form with ½ is exact, and without it off by a factor of 2', async () => {
  // A linear model with mse: L_i(w) = ‖X_i w − t_i‖², Hessians constant; at w* both gradients vanish when every t_i = X_i w*.
  const x = { data: randomF64(18, 1), shape: [6, 3] };
  const solution = randomF64(4, 2);
  const model = DenseModel.create({
    layers: [{ weight: { data: solution.slice(0, 3), shape: [1, 3] }, bias: solution.slice(3) }],
    loss: 'mse',
  });
  const batch = { x, y: await model.predict(x) };
  const shift = randomF64(4, 3);
  const second: number[] = [];
  for (let k = 1; k < 6; k++) {
    const quadratic = async (rows: number[]) => {
      const hv = await model.hvp(takeSamples(batch, rows), shift);
      return Float64Array.from(hv).reduce((sum, value, i) => sum + value * shift[i]!, 0);
    };
    second.push(((await quadratic([k])) - (await quadratic(Array.from({ length: k }, (_, i) => i)))) / (k + 1));
  }
  model.setParameters(solution.map((value, i) => value + shift[i]!));
  const { differences } = await sampleLossDifference(model, batch);
  expectClose(
    differences,
    second.map((value) => value / 2),
    { atol: 1e-14 },
  );
});

test('systems/245: per-sample norms are those of dense Hessians', async () => {
  const { model, batch } = network([4, 5, 3], 4);
  const norms = await perSampleHessianNorm(model, batch);
  for (let i = 0; i < 4; i++) {
    const H = await matrixOf(model.parameterCount, (v) => model.hvp(takeSamples(batch, [i]), v));
    const { values } = eigh({ data: H, shape: [model.parameterCount, model.parameterCount] }, { vectors: false });
    expectClose(norms[i]!, Math.max(-values[0]!, values.at(-1)!), { rtol: 1e-9 });
  }
});

test('systems/245: Gauss–Newton norms of ReLU networks stay below ½ Σ_p (‖x^(p)‖² + 1) Π ‖W_s‖²', async () => {
  for (const seed of [1, 2, 3]) {
    const { model, batch } = network([4, 6, 5, 3], 5, { activation: 'relu', seed });
    const w = model.getParameters() as Float64Array;
    const spectral = model.layout
      .filter(({ role }) => role === 'weight')
      .map(({ shape: [rows, cols], offset }) => {
        const W = w.slice(offset, offset + rows! * cols!);
        const gram = Float64Array.from({ length: rows! * rows! }, (_, at) => {
          const [i, j] = [Math.floor(at / rows!), at % rows!];
          return W.slice(i * cols!, (i + 1) * cols!).reduce((sum, value, l) => sum + value * W[j * cols! + l]!, 0);
        });
        return eigh({ data: gram, shape: [rows!, rows!] }, { vectors: false }).values.at(-1)!;
      });
    for (let i = 0; i < 5; i++) {
      const one = takeSamples(batch, [i]);
      const G = await matrixOf(model.parameterCount, (v) => model.ggnvp(one, v));
      const norm = eigh({ data: G, shape: [model.parameterCount, model.parameterCount] }, { vectors: false }).values.at(-1)!;
      let a = (batch.x.data as Float64Array).slice(i * 4, i * 4 + 4);
      let bound = 0;
      for (let p = 0; p < 3; p++) {
        bound +=
          (a.reduce((sum, value) => sum + value * value, 0) + 1) * spectral.slice(p + 1).reduce((product, value) => product * value, 1);
        const [weight, bias] = [model.layout[2 * p]!, model.layout[2 * p + 1]!];
        const inputs = a;
        a = Float64Array.from({ length: weight.shape[0]! }, (_, o) => {
          const z = inputs.reduce((sum, value, j) => sum + value * w[weight.offset + o * inputs.length + j]!, w[bias.offset + o]!);
          return Math.max(0, z);
        });
      }
      expect(norm).toBeLessThanOrEqual(0.5 * bound);
      expect(norm).toBeLessThan(Math.SQRT2 * bound);
    }
  }
});

test('systems/245: the mean change falls as 1/k: the log-log slope is −1', async () => {
  const { model, batch } = network([5, 8, 4], 400, { seed: 3 });
  const { slope, meanAbsolute } = await sampleLossDifference(model, batch, { orders: 100, seed: 1 });
  expectClose(slope, -1, { atol: 0.05 });
  expect(meanAbsolute).toHaveLength(399);
});

test('sample losses do not need the model’s help: from logits, and sample by sample for a loss of another kind', async () => {
  const { model, batch } = network([4, 5, 3], 6);
  const want = await sampleLosses(model, batch);
  const { precision, parameterCount, layout } = model;
  const bare = { precision, parameterCount, layout, predict: model.predict.bind(model), loss: model.loss.bind(model) } as never;
  expectClose(await sampleLosses(bare, batch), want, { rtol: 1e-12 });
  const doubled = { ...(bare as object), loss: async (data: never) => 2 * (await model.loss(data)) } as never;
  expectClose(
    await sampleLosses(doubled, batch),
    want.map((x) => 2 * x),
    { rtol: 1e-12 },
  );
});

test('one sample, and Hessians beyond the last, are refused by name', async () => {
  const { model, batch } = network([4, 5, 3], 4);
  await expect(sampleLossDifference(model, takeSamples(batch, [0]))).rejects.toThrow(/batch: expected at least two samples, got 1/);
  await expect(sampleLossDifference(model, batch, { hessians: [4] })).rejects.toThrow(/hessians: expected an integer from 1 to 3, got 4/);
});
