// The digits data beside the golden folder, as rows of 64 pixels; tests that need them are reported as absent without.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readNpz } from '../../src/core/npy.js';
import { DenseModel } from '../../src/dense/index.js';
import { goldenFolder } from '../golden/discover.js';
import { randomF64 } from './close.js';

const file = join(goldenFolder, '..', 'data', 'digits.npz');

/** `test`, or its skipped form where the data are absent. */
export const testWithDigits = existsSync(file) ? test : test.skip;

/** Samples of a split in f32: all, or the first `count`. */
export function digits(split: 'train' | 'val', count?: number) {
  const arrays = readNpz(readFileSync(file));
  const y = Int32Array.from(arrays[`y_${split}`]!.data as unknown as BigInt64Array, Number).slice(0, count);
  return { x: { data: (arrays[`x_${split}`]!.data as Float32Array).slice(0, 64 * y.length), shape: [y.length, 64] }, y };
}

/** A fresh network 64 → hidden → 10 in f32. */
export function digitsNetwork(hidden: number, options: { seed?: number; activation?: 'relu' | 'tanh'; scale?: number } = {}): DenseModel {
  const { seed = 1, activation = 'relu', scale = 1 } = options;
  const draw = (rows: number, cols: number, at: number) =>
    Float32Array.from(randomF64(rows * cols, seed + at), (x) => scale * x * Math.sqrt(2 / cols));
  return DenseModel.create({
    layers: [
      { weight: { data: draw(hidden, 64, 0), shape: [hidden, 64] }, bias: new Float32Array(hidden), activation },
      { weight: { data: draw(10, hidden, 50), shape: [10, hidden] }, bias: new Float32Array(10), activation: 'identity' },
    ],
    loss: 'cross-entropy',
    precision: 'float32',
  });
}

/** Rows of a split by index. */
export function rowsOf({ x, y }: ReturnType<typeof digits>, indices: ArrayLike<number>): ReturnType<typeof digits> {
  const data = new Float32Array(indices.length * 64);
  for (let row = 0; row < indices.length; row++) data.set(x.data.subarray(indices[row]! * 64, (indices[row]! + 1) * 64), row * 64);
  return { x: { data, shape: [indices.length, 64] }, y: Int32Array.from(indices, (i) => y[i]!) };
}

/** Share of samples whose largest logit is their label. */
export async function accuracyOn(model: DenseModel, { x, y }: ReturnType<typeof digits>): Promise<number> {
  const { data } = await model.predict(x);
  let right = 0;
  for (let i = 0; i < y.length; i++) {
    let best = 0;
    for (let k = 1; k < 10; k++) if (data[10 * i + k]! > data[10 * i + best]!) best = k;
    if (best === y[i]) right++;
  }
  return right / y.length;
}
