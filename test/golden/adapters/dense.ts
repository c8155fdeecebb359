// golden/second-order mlp-*: DenseModel in f64 and f32 against float64 references of PyTorch.

import { DenseModel } from '../../../src/dense/dense-model.js';
import type { Activation } from '../../../src/kernels/activations.js';
import { expectClose, relativeError } from '../../helpers/close.js';
import type { GoldenAdapter, SecondOrderCase } from '../discover.js';

/** The model of an mlp case in one precision, with its batch. */
export function mlp(c: SecondOrderCase, precision: 'float32' | 'float64') {
  const { sizes, activation, loss } = c.json as { sizes: number[]; activation: string; loss?: string };
  const w = c.array('w');
  let at = 0;
  const take = (n: number) => w.slice(at, (at += n));
  const layers = sizes.slice(1).map((outputs, l) => ({
    weight: { data: take(outputs * sizes[l]!), shape: [outputs, sizes[l]!] },
    bias: take(outputs),
    activation: l === sizes.length - 2 ? ('identity' as const) : (activation.replace('_', '-') as Activation),
  }));
  const model = DenseModel.create({ layers, loss: loss === 'mse' ? 'mse' : 'cross-entropy', precision });
  const shape = c.arrays.x!.shape;
  const y = c.array('y');
  const batch = {
    x: { data: c.array('x'), shape },
    y: loss === 'mse' ? { data: y, shape: c.arrays.y!.shape } : Int32Array.from(y),
  };
  return { model, batch, n: shape[0]!, d: w.length };
}

const row = (a: Float64Array, i: number, d: number) => a.slice(i * d, (i + 1) * d);

async function derivatives(c: SecondOrderCase): Promise<void> {
  const tolerance = c.json.tolerance as { float64_rtol_of_norm: number; float32_autodiff_rtol_of_norm: number };
  for (const precision of ['float64', 'float32'] as const) {
    const limit = precision === 'float64' ? tolerance.float64_rtol_of_norm : tolerance.float32_autodiff_rtol_of_norm;
    const { model, batch, n, d } = mlp(c, precision);
    const { value, grad } = await model.gradient(batch);
    expectClose(value, c.json.loss_value as number, { rtol: limit });
    expectClose(await model.loss(batch), c.json.loss_value as number, { rtol: limit });
    expect(relativeError(grad, c.array('grad'))).toBeLessThan(limit);
    const v = c.array('v');
    for (let i = 0; i * d < v.length; i++) {
      expect(relativeError(await model.hvp(batch, row(v, i, d)), row(c.array('hvp'), i, d))).toBeLessThan(limit);
      expect(relativeError(await model.ggnvp(batch, row(v, i, d)), row(c.array('ggnvp'), i, d))).toBeLessThan(limit);
    }
    if ('logits' in c.arrays) {
      expect(relativeError((await model.predict(batch.x)).data as Float64Array, c.array('logits'))).toBeLessThan(limit);
      expect(relativeError(await model.perSampleLosses(batch), c.array('per_sample_loss'))).toBeLessThan(limit);
      const rows = await model.perSampleGradients(batch);
      expect(rows.shape).toEqual([n, d]);
      expect(relativeError(rows.data, c.array('per_sample_grad'))).toBeLessThan(limit);
    }
    model.dispose();
  }
}

export default {
  pillar: 'second-order',
  secondOrder: [{ cases: /^mlp-/, what: 'gradient, per-sample gradients, HVP and GGN products of DenseModel', run: derivatives }],
} satisfies GoldenAdapter;
