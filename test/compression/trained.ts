// A small dense classifier trained on noisy clusters, and its data: what the checks of whole methods run on.
import type { Batch } from '../../src/core/model-types.js';
import { Random } from '../../src/core/random.js';
import { DenseModel } from '../../src/dense/index.js';
import { fit } from '../../src/workflows/index.js';

/** n samples of ten clusters in 16 dimensions. */
export function clusters(n: number, seed: number, classes = 10, noise = 0.9): Batch {
  const centres = new Random(5).fill(new Float64Array(classes * 16));
  const random = new Random(seed);
  const y = Int32Array.from({ length: n }, () => random.integer(classes));
  const data = Float32Array.from({ length: n * 16 }, (_, at) => centres[y[at >> 4]! * 16 + (at & 15)]! + noise * random.normal());
  return { x: { data, shape: [n, 16] }, y };
}

/** Layers of the given widths with scaled normal weights. */
export function network(widths: readonly number[], seed = 1): DenseModel {
  const random = new Random(seed);
  const layers = widths.slice(1).map((out, i) => {
    const inputs = widths[i]!;
    const weight = { data: random.fill(new Float32Array(out * inputs)).map((v) => v * Math.sqrt(2 / inputs)), shape: [out, inputs] };
    return { weight, bias: new Float32Array(out), activation: i + 2 < widths.length ? ('relu' as const) : ('identity' as const) };
  });
  return DenseModel.create({ layers, loss: 'cross-entropy' });
}

/** A trained network of these widths. */
export async function trained(widths: readonly number[] = [16, 48, 32, 10], epochs = 12): Promise<DenseModel> {
  const model = network(widths);
  await fit(model, clusters(1000, 2), { epochs, learningRate: 3e-3, batchSize: 50 });
  return model;
}

/** Share of samples whose largest logit is the label. */
export async function accuracy(model: DenseModel, batch: Batch): Promise<number> {
  const { data, shape } = await model.predict(batch.x);
  const [n, k] = shape as [number, number];
  let right = 0;
  for (let i = 0; i < n; i++) {
    const row = Array.from(data.subarray(i * k, (i + 1) * k) as Float32Array);
    if (row.indexOf(Math.max(...row)) === Number((batch.y as Int32Array)[i])) right++;
  }
  return right / n;
}

/** Student's t of paired differences: their mean in units of its standard error. */
export function pairedT(differences: readonly number[]): number {
  const n = differences.length;
  const mean = differences.reduce((a, b) => a + b, 0) / n;
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (n - 1);
  return mean / Math.sqrt(variance / n);
}
