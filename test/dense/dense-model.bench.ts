import { bench, randomF32 } from '../../src/bench/case.js';
import { DenseModel } from '../../src/dense/dense-model.js';

/** A tanh network with two hidden layers of one width, and a batch. */
function problem([batch = 0, width = 0]: readonly number[]) {
  const sizes = [width, width, width, 10];
  const model = DenseModel.create({
    layers: sizes.slice(1).map((outputs, l) => ({
      weight: { data: randomF32(outputs * sizes[l]!, l + 1).map((x) => x / Math.sqrt(sizes[l]!)), shape: [outputs, sizes[l]!] },
      bias: new Float32Array(outputs),
      activation: l === 2 ? ('identity' as const) : ('tanh' as const),
    })),
    loss: 'cross-entropy',
  });
  const x = { data: randomF32(batch * width, 9), shape: [batch, width] };
  return { model, data: { x, y: Int32Array.from({ length: batch }, (_, i) => i % 10) }, v: randomF32(model.parameterCount, 8) };
}

/** Products with the weights that the derivative needs: `first` in the first layer, `later` in every other. */
const flops =
  (first: number, later: number) =>
  ([batch = 0, width = 0]: readonly number[]): number =>
    2 * batch * width * (first * width + later * (width + 10));

const sizes = [
  [64, 64],
  [256, 256],
  [512, 512],
];

export default [
  bench('dense gradient', {
    sizes,
    axes: ['batch', 'width'],
    flops: flops(2, 3),
    open: async (size) => {
      const { model, data } = problem(size);
      return async () => (await model.gradient(data)).grad;
    },
  }),
  // Forward 1; R-forward 1 and 2; back through later layers 1 and R 2; weight products 1 and 2.
  bench('dense hvp', {
    sizes,
    axes: ['batch', 'width'],
    flops: flops(3, 8),
    open: async (size) => {
      const { model, data, v } = problem(size);
      return () => model.hvp(data, v);
    },
  }),
  bench('dense ggnvp', {
    sizes,
    axes: ['batch', 'width'],
    flops: flops(3, 5),
    open: async (size) => {
      const { model, data, v } = problem(size);
      return () => model.ggnvp(data, v);
    },
  }),
];
