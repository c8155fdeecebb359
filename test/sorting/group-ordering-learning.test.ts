// systems/113
import { Random } from '../../src/core/random.js';
import { adam } from '../../src/optimizers/index.js';
import { groupOrderingLoss, topK } from '../../src/sorting/index.js';
import { digits, testWithDigits } from '../helpers/digits.js';

const [width, d, batch, steps] = [64, 16, 48, 150];
const temperature = 0.2;

type Loss = (e: Float64Array) => Float64Array;

/** GroCo as published but for the steepness, in units of cosine similarity. */
const groCo: Loss = (e) => groupOrderingLoss({ data: e, shape: [2, batch, d] }, { steepness: 4 }).grad.data as Float64Array;

/** InfoNCE of two views: the other view of a sample against all other views of all other samples, by cosine similarity. */
const infoNce: Loss = (e) => {
  const rows = 2 * batch;
  const norms = Float64Array.from({ length: rows }, (_, i) => Math.hypot(...e.subarray(i * d, (i + 1) * d)));
  const units = e.map((v, at) => v / norms[Math.floor(at / d)]!);
  const toUnits = new Float64Array(e.length);
  for (let i = 0; i < rows; i++) {
    const similarity = Float64Array.from({ length: rows }, (_, j) => {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += units[i * d + c]! * units[j * d + c]!;
      return j === i ? -Infinity : sum / temperature;
    });
    const top = Math.max(...similarity);
    const total = similarity.reduce((sum, s) => sum + Math.exp(s - top), 0);
    const partner = (i + batch) % rows;
    for (let j = 0; j < rows; j++) {
      const rate = (Math.exp(similarity[j]! - top) / total - (j === partner ? 1 : 0)) / (temperature * rows);
      for (let c = 0; c < d; c++) {
        toUnits[i * d + c]! += rate * units[j * d + c]!;
        toUnits[j * d + c]! += rate * units[i * d + c]!;
      }
    }
  }
  return toUnits.map((g, at) => {
    const row = Math.floor(at / d);
    let radial = 0;
    for (let c = 0; c < d; c++) radial += units[row * d + c]! * toUnits[row * d + c]!;
    return (g - units[at]! * radial) / norms[row]!;
  });
};

/** Rows through a linear projector [d, width]. */
function project(x: ArrayLike<number>, weights: Float64Array): Float64Array {
  const rows = x.length / width;
  const out = new Float64Array(rows * d);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < d; c++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += x[row * width + i]! * weights[c * width + i]!;
      out[row * d + c] = sum;
    }
  return out;
}

/** Share of unseen images whose five nearest training images, by cosine of their projections, vote for their digit. */
function neighbours(weights: Float64Array): number {
  const [training, unseen] = [digits('train', 600), digits('val')];
  const unit = (x: ArrayLike<number>) => {
    const e = project(x, weights);
    const norms = Float64Array.from({ length: e.length / d }, (_, i) => Math.hypot(...e.subarray(i * d, (i + 1) * d)));
    return e.map((v, at) => v / norms[Math.floor(at / d)]!);
  };
  const [known, asked] = [unit(training.x.data), unit(unseen.x.data)];
  const scores = new Float64Array(unseen.y.length * training.y.length);
  for (let q = 0; q < unseen.y.length; q++)
    for (let t = 0; t < training.y.length; t++)
      for (let c = 0; c < d; c++) scores[q * training.y.length + t]! += asked[q * d + c]! * known[t * d + c]!;
  const { indices } = topK({ data: scores, shape: [unseen.y.length, training.y.length] }, { k: 5 });
  let right = 0;
  for (let q = 0; q < unseen.y.length; q++) {
    const votes = new Int32Array(10);
    for (const t of indices.subarray(5 * q, 5 * q + 5)) votes[training.y[t]!]!++;
    if (votes.indexOf(Math.max(...votes)) === unseen.y[q]) right++;
  }
  return right / unseen.y.length;
}

/** Projects noisy pairs of digit images, without their labels, and returns the accuracy of neighbours. */
function train(loss: Loss | undefined, seed: number): number {
  const random = new Random(seed);
  const { x } = digits('train', 600);
  const weights = random.fill(new Float64Array(d * width)).map((v) => v / 8);
  const optimizer = adam({ learningRate: 0.01 });
  const state = optimizer.init(weights);
  for (let step = 0; loss && step < steps; step++) {
    const chosen = random.permutation(600).subarray(0, batch);
    const pairs = new Float64Array(2 * batch * width);
    for (let at = 0; at < pairs.length; at++) {
      const image = chosen[Math.floor(at / width) % batch]!;
      pairs[at] = x.data[image * width + (at % width)]! + 0.3 * random.normal();
    }
    const g = loss(project(pairs, weights));
    const grad = new Float64Array(weights.length);
    for (let row = 0; row < 2 * batch; row++)
      for (let c = 0; c < d; c++) for (let i = 0; i < width; i++) grad[c * width + i]! += g[row * d + c]! * pairs[row * width + i]!;
    optimizer.step(weights, grad, state);
  }
  return neighbours(weights);
}

// Seeds 11 to 13: untrained .914 .922 .855, GroCo .944 .948 .955, InfoNCE .955 .959 .952 (269 images). GroCo is not above InfoNCE with
// this one setting of each (steepness 4, temperature 0.2, neither searched), so what is asked is no more than 2 points below.
testWithDigits('GroCo teaches a linear projector neighbours from noisy pairs, within 2 points of InfoNCE', () => {
  const accuracy = train(groCo, 1);
  expect(accuracy).toBeGreaterThan(train(undefined, 1));
  expect(accuracy).toBeGreaterThanOrEqual(train(infoNce, 1) - 0.02);
});
