// The data are found beside the golden folder; without them the test is reported as absent.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpz } from '../../src/core/npy.js';
import { Random } from '../../src/core/random.js';
import { DenseModel } from '../../src/dense/index.js';
import { adam } from '../../src/optimizers/index.js';
import { argsort, diffSort } from '../../src/sorting/index.js';
import { goldenFolder } from '../golden/discover.js';

const file = join(goldenFolder, '..', 'data', 'digits.npz');
const present = existsSync(file) ? test : test.skip;
const n = 5;

interface Images {
  pixels: Float32Array;
  labels: number[];
  /** Images of each digit. */
  byDigit: number[][];
}

function read(split: string): Images {
  const arrays = readNpz(readFileSync(file));
  const labels = Array.from(arrays[`y_${split}`]?.data as unknown as BigInt64Array, Number);
  const byDigit = Array.from({ length: 10 }, (_, digit) => [...labels.keys()].filter((i) => labels[i] === digit));
  return { pixels: arrays[`x_${split}`]?.data as Float32Array, labels, byDigit };
}

/** Sets of five images of different digits: their pixels, with uniform noise, and the order of their digits. */
function draw({ pixels, labels, byDigit }: Images, sets: number, random: Random, noise: number) {
  const chosen = Array.from({ length: sets }, () =>
    Array.from(random.permutation(10).subarray(0, n), (digit) => {
      const images = byDigit[digit] as number[];
      return images[random.integer(images.length)] as number;
    }),
  ).flat();
  const data = new Float32Array(chosen.length * 64);
  for (const [row, image] of chosen.entries()) data.set(pixels.subarray(image * 64, (image + 1) * 64), row * 64);
  if (noise) for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + noise * (random.next() / 2 ** 31 - 1);
  const digits = Float32Array.from(chosen, (image) => labels[image] as number);
  return { x: { data, shape: [sets * n, 64] }, order: argsort({ data: digits, shape: [sets, n] }).data };
}

/**
 * A head 64-64-32-1 that has seen only orders; returns its share of elements in their right place on unseen images. Chosen on every
 * fifth training image, held out: widths 64 give .87 and 128 .89 (mean of seeds 11 and 12); 64-32 gives .931 with noise 0.35, .934 with
 * 0.5, .915 at half the learning rate, .903 with gelu (seeds 11 to 14). Of two equal ones the smaller noise was taken.
 */
async function train(seed: number): Promise<number> {
  const [random, training, validation] = [new Random(seed), read('train'), read('val')];
  const layer = (outputs: number, inputs: number) => ({
    weight: { data: random.fill(new Float32Array(outputs * inputs)).map((v) => v / Math.sqrt(inputs)), shape: [outputs, inputs] },
    bias: new Float32Array(outputs),
  });
  const head = DenseModel.create({
    layers: [
      { ...layer(64, 64), activation: 'relu' },
      { ...layer(32, 64), activation: 'relu' },
      { ...layer(1, 32), activation: 'identity' },
    ],
    loss: 'mse',
  });
  const steps = 1000;
  const optimizer = adam({ learningRate: (step) => 0.01 * Math.max(0.02, 1 - step / steps) });
  const weights = head.getParameters();
  const state = optimizer.init(weights);
  const sets = 64;
  for (let step = 0; step < steps; step++) {
    const { x, order } = draw(training, sets, random, 0.35);
    const scores = (await head.predict(x)).data as Float32Array;
    const sorted = diffSort({ data: scores, shape: [sets, n] }, { network: 'odd-even', steepness: 10 });
    const P = sorted.permutation().data;
    // Cross-entropy of every column of P with the place its image should have.
    const gP = new Float32Array(P.length);
    order.forEach((image, row) => {
      const at = row * n + image;
      gP[at] = -1 / (Math.max(P[at] as number, 1e-6) * sets * n);
    });
    const g = sorted.backward({ permutation: gP }).data;
    // The gradient of a mean square is 2(score − target)/rows: this target makes it g.
    const targets = scores.map((score, i) => score - (g[i] as number) * (sets * n) * 0.5);
    const { grad } = await head.gradient({ x, y: { data: targets, shape: [sets * n, 1] } });
    optimizer.step(weights, grad, state);
    head.setParameters(weights);
  }
  const { x, order } = draw(validation, 500, random, 0);
  const scores = (await head.predict(x)).data as Float32Array;
  head.dispose();
  const found = argsort({ data: scores, shape: [500, n] }).data;
  return found.filter((image, at) => image === order[at]).length / found.length;
}

present.each([1, 2, 3])('a head learns the values of digit images from their order alone (seed %i)', async (seed) => {
  expect(await train(seed)).toBeGreaterThanOrEqual(0.9);
});
