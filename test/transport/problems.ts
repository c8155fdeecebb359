// Problems for the transport tests.
import { Random } from '../../src/core/random.js';

/** Draws of the golden `large` cases (mulberry32). */
function mulberry32(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Two point sets in the unit square with random weights and their squared distances, as the golden `large` cases draw them. */
export function drawProblem(n: number, m: number, seed: number) {
  const draw = mulberry32(seed);
  const x = Float64Array.from({ length: 2 * n }, draw);
  const y = Float64Array.from({ length: 2 * m }, draw);
  const weights = (k: number) => normalised(Float64Array.from({ length: k }, () => draw() + 0.1));
  const a = weights(n);
  const b = weights(m);
  return { cost: squaredDistances(x, y, 2), a, b, x, y };
}

/** Weights divided by their sum. */
export function normalised(w: Float64Array): Float64Array {
  const sum = w.reduce((s, v) => s + v, 0);
  return w.map((v) => v / sum);
}

/** |x_i − y_j|², [n, m]. */
export function squaredDistances(x: ArrayLike<number>, y: ArrayLike<number>, d: number): Float64Array {
  const [n, m] = [x.length / d, y.length / d];
  const cost = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += (x[i * d + k]! - y[j * d + k]!) ** 2;
      cost[i * m + j] = sum;
    }
  }
  return cost;
}

/** Positive random weights with total 1. */
export function randomWeights(n: number, seed: number): Float64Array {
  return normalised(new Random(seed).fill(new Float64Array(n), 'uniform').map((w) => w + 0.1));
}

export const rowSums = (plan: ArrayLike<number>, m: number): Float64Array => {
  const out = new Float64Array(plan.length / m);
  for (let k = 0; k < plan.length; k++) out[Math.floor(k / m)]! += plan[k]!;
  return out;
};
export const columnSums = (plan: ArrayLike<number>, m: number): Float64Array => {
  const out = new Float64Array(m);
  for (let k = 0; k < plan.length; k++) out[k % m]! += plan[k]!;
  return out;
};
export const inner = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k]! * y[k]!;
  return sum;
};
