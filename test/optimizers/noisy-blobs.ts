// A small classification problem on which memorising label noise costs accuracy: four clusters, 40 % of the training labels redrawn.

import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { randomF64 } from '../helpers/close.js';

const [inputs, k, n] = [8, 4, 160];

function points(count: number, seed: number) {
  const random = new Random(seed);
  const centers = randomF64(k * inputs, 99).map((x) => 1.1 * x);
  const y = Int32Array.from({ length: count }, () => random.integer(k));
  const x = Float64Array.from(
    { length: count * inputs },
    (_, i) => centers[y[Math.floor(i / inputs)]! * inputs + (i % inputs)]! + random.normal(),
  );
  return { x: { data: x, shape: [count, inputs] }, y };
}

/** A two-layer network, its noisy training data, mini-batches of it, and the accuracy on clean data. */
export function noisyBlobs(loss: 'cross-entropy' | 'mse' = 'cross-entropy') {
  const random = new Random(7);
  const clean = points(n, 1);
  const train = { x: clean.x, y: clean.y.map((label) => (random.uniform() < 0.4 ? random.integer(k) : label)) } satisfies Batch;
  const held = points(600, 2);
  const model = DenseModel.create({
    layers: [
      {
        weight: { data: randomF64(48 * inputs, 3).map((x) => 0.35 * x), shape: [48, inputs] },
        bias: new Float64Array(48),
        activation: 'tanh',
      },
      { weight: { data: randomF64(k * 48, 4).map((x) => 0.15 * x), shape: [k, 48] }, bias: new Float64Array(k) },
    ],
    loss,
  });
  /** Labels, or one-hot targets for mse. */
  const targets = (labels: Int32Array) =>
    loss === 'mse'
      ? {
          data: Float64Array.from({ length: labels.length * k }, (_, i) => (labels[Math.floor(i / k)] === i % k ? 1 : 0)),
          shape: [labels.length, k],
        }
      : labels;
  const full: Batch = { x: train.x, y: targets(train.y) };
  return {
    model,
    train,
    full,
    n,
    k,
    /** A random mini-batch. */
    batches(from: Random, size: number): Batch {
      const indices = Int32Array.from({ length: size }, () => from.integer(n));
      const x = new Float64Array(size * inputs);
      for (const [row, i] of indices.entries()) x.set(train.x.data.subarray(i * inputs, (i + 1) * inputs), row * inputs);
      return { x: { data: x, shape: [size, inputs] }, y: targets(Int32Array.from(indices, (i) => train.y[i]!)) };
    },
    async accuracy(): Promise<number> {
      const { data } = await model.predict(held.x);
      let right = 0;
      held.y.forEach((label, i) => {
        const row = Array.from(data.subarray(i * k, (i + 1) * k));
        if (row.indexOf(Math.max(...row)) === label) right++;
      });
      return right / held.y.length;
    },
  };
}
