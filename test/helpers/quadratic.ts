// Models whose curvature is known in closed form, through the same interface as the real ones.
import type { Batch, Data, DifferentiableModel } from '../../src/core/model-types.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { randomF64 } from './close.js';

/** A model from its loss, gradient and Hessian product as plain functions of the parameters; data is ignored. */
export function functionModel(
  start: ArrayLike<number>,
  f: {
    loss(w: Float64Array): number;
    gradient(w: Float64Array): Float64Array;
    hvp(w: Float64Array, v: ArrayLike<number>): Float64Array;
  },
): DifferentiableModel {
  let w = Float64Array.from(start);
  const none = () => Promise.reject(new Error('not part of this model'));
  return {
    precision: 'float64',
    parameterCount: w.length,
    layout: [{ name: 'w', node: 'w', opType: 'Gemm', role: 'weight', shape: [w.length], offset: 0 }],
    getParameters: () => w.slice(),
    setParameters(next) {
      w = Float64Array.from(next);
    },
    predict: none,
    loss: async () => f.loss(w),
    gradient: async () => ({ value: f.loss(w), grad: f.gradient(w) }),
    hvp: async (_data: Data, v) => f.hvp(w, v),
    ggnvp: async (_data: Data, v) => f.hvp(w, v),
    perSampleGradients: none,
    dispose() {},
  };
}

/** L(w) = ½ Σ h_i w_i². */
export const quadratic = (h: ArrayLike<number>, start: ArrayLike<number>): DifferentiableModel =>
  functionModel(start, {
    loss: (w) => w.reduce((sum, x, i) => sum + 0.5 * h[i]! * x * x, 0),
    gradient: (w) => w.map((x, i) => h[i]! * x),
    hvp: (_w, v) => Float64Array.from(v, (x, i) => h[i]! * x),
  });

/** L(w) = ½(Π w_i − 1)²: a scalar network. */
export const scalarNetwork = (start: ArrayLike<number>): DifferentiableModel => {
  const product = (w: Float64Array) => w.reduce((p, x) => p * x, 1);
  return functionModel(start, {
    loss: (w) => 0.5 * (product(w) - 1) ** 2,
    gradient: (w) => w.map((x) => ((product(w) - 1) * product(w)) / x),
    hvp: (w, v) => {
      const p = product(w);
      return w.map((x, i) => w.reduce((sum, y, j) => sum + v[j]! * ((p * p) / (x * y) + (i === j ? 0 : ((p - 1) * p) / (x * y))), 0));
    },
  });
};

/** Nothing: for models that ignore their data. */
export const noData: Batch = { x: { data: new Float64Array(0), shape: [0, 1] }, y: new Int32Array(0) };

/** A small tanh network in f64 with its batch; `seed` draws weights, inputs and labels. */
export function network(
  sizes: readonly number[],
  n: number,
  options: { seed?: number; loss?: 'cross-entropy' | 'mse'; activation?: 'tanh' | 'relu' } = {},
) {
  const { seed = 1, loss = 'cross-entropy', activation = 'tanh' } = options;
  const layers = sizes.slice(1).map((outputs, l) => ({
    weight: { data: randomF64(outputs * sizes[l]!, seed + 10 * l).map((x) => x / Math.sqrt(sizes[l]!)), shape: [outputs, sizes[l]!] },
    bias: randomF64(outputs, seed + 10 * l + 5).map((x) => 0.1 * x),
    activation: l === sizes.length - 2 ? ('identity' as const) : activation,
  }));
  const model = DenseModel.create({ layers, loss });
  const k = sizes.at(-1)!;
  const x = { data: randomF64(n * sizes[0]!, seed + 100), shape: [n, sizes[0]!] };
  const y =
    loss === 'mse'
      ? { data: randomF64(n * k, seed + 200), shape: [n, k] }
      : Int32Array.from(randomF64(n, seed + 300), (v) => Math.floor(Math.abs(v) * 7) % k);
  return { model, batch: { x, y } satisfies Batch };
}

/** The matrix of a linear operator's products [d, d]. */
export async function matrixOf(size: number, apply: (v: Float64Array) => Promise<ArrayLike<number>>): Promise<Float64Array> {
  const out = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    const unit = new Float64Array(size);
    unit[j] = 1;
    const column = await apply(unit);
    for (let i = 0; i < size; i++) out[i * size + j] = column[i]!;
  }
  return out;
}
