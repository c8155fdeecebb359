// A small classification problem on which memorising label noise costs accuracy: four clusters, 40 % of the training labels redrawn.

import { Random } from '../../src/core/random.js';
import { DenseModel } from '../../src/dense/dense-model.js';
import { randomF64 } from '../helpers/close.js';

const [inputs, k, n] = [8, 4, 160];

function points(count: number, centers: Float64Array, seed: number) {
  const random = new Random(seed);
  const y = Int32Array.from({ length: count }, () => random.integer(k));
  const x = Float64Array.from(
    { length: count * inputs },
    (_, i) => centers[y[Math.floor(i / inputs)]! * inputs + (i % inputs)]! + random.normal(),
  );
  return { x: { data: x, shape: [count, inputs] }, y };
}

/** The problem of a seed: a fresh two-layer network and its noisy training data. */
export function noisyBlobs(problem: number) {
  const at = 1000 * problem;
  const centers = randomF64(k * inputs, at + 99).map((x) => 1.1 * x);
  const random = new Random(at + 7);
  const clean = points(n, centers, at + 1);
  const train = { x: clean.x, y: clean.y.map((label) => (random.uniform() < 0.4 ? random.integer(k) : label)) };
  const model = DenseModel.create({
    layers: [
      {
        weight: { data: randomF64(48 * inputs, at + 3).map((x) => 0.35 * x), shape: [48, inputs] },
        bias: new Float64Array(48),
        activation: 'tanh',
      },
      { weight: { data: randomF64(k * 48, at + 4).map((x) => 0.15 * x), shape: [k, 48] }, bias: new Float64Array(k) },
    ],
    loss: 'cross-entropy',
  });
  return { model, train, n, k };
}
