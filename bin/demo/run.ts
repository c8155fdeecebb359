// The demo from nothing to a pruned model: digits drawn, a network built and trained, pruned by M-FAC and by magnitude.
import { gzipSync } from 'node:zlib';
import { checkAborted } from '../../src/core/batches.js';
import type { Batch, LongOptions } from '../../src/core/model-types.js';
import { writeNpz } from '../../src/core/npy.js';
import { OnnxModel } from '../../src/onnx/onnx-model.js';
import { adam } from '../../src/optimizers/index.js';
import { type Evaluation, evaluate, fit, pruneModel } from '../../src/workflows/index.js';
import { drawDigits } from './digits.js';
import { digitsNetwork } from './network.js';

/** One row of the table: accuracy and loss on digits that nothing was trained or pruned on. */
export interface DemoRow extends Evaluation {
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly sparsity: number;
  readonly seconds: number;
}

export interface DemoResult {
  readonly dense: DemoRow;
  readonly magnitude: DemoRow;
  readonly mfac: DemoRow;
  readonly parameters: number;
  readonly seconds: number;
  /** Contents by file name. */
  readonly files: Record<string, Uint8Array>;
}

const sparsity = 0.9;
const trainingDigits = 3000;
const epochs = 8;
const noise = 0.12;
const batchSize = 64;
const peakRate = 4e-3;

/** Runs the whole demo in memory; the same seed gives the same digits, network and order of training. */
export async function runDemo({
  seed,
  threads = 1,
  signal,
  onProgress,
}: LongOptions & { seed: number; threads?: number | undefined }): Promise<DemoResult> {
  const start = performance.now();
  const long = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  const train = batchOf(trainingDigits, 2 * seed + 1);
  const test = batchOf(1000, 2 * seed + 2);
  checkAborted(signal);

  // One thread: on graphs this small more of them cost what they bring, and the figures are the same on every machine.
  const model = await OnnxModel.open(digitsNetwork({ seed }), { threads });
  try {
    const steps = epochs * Math.ceil(trainingDigits / batchSize);
    const optimizer = adam({ learningRate: (step) => peakRate * (1 - step / steps) });
    const { seconds: training } = await fit(model, train, { optimizer, epochs, batchSize, seed, ...long });
    const weights = model.getParameters();
    const dense = await rowOf(model, test, 0, training);

    const magnitude = await pruneModel(model, train, { sparsity, method: 'magnitude', ...long });
    const byMagnitude = await rowOf(model, test, magnitude.sparsity, magnitude.seconds);

    model.setParameters(weights);
    const mfac = await pruneModel(model, train, { sparsity, method: 'mfac', steps: 10, seed, ...long });
    const byFisher = await rowOf(model, test, mfac.sparsity, mfac.seconds);
    return {
      dense: dense.row,
      magnitude: byMagnitude.row,
      mfac: byFisher.row,
      parameters: model.parameterCount,
      seconds: (performance.now() - start) / 1000,
      files: {
        'dense.onnx': dense.bytes,
        'magnitude.onnx': byMagnitude.bytes,
        'mfac.onnx': byFisher.bytes,
        'digits.npz': archiveOf(train, test),
      },
    };
  } finally {
    model.dispose();
  }
}

/** What the demo promises; the first promise it breaks, if any. */
export function brokenPromise({ dense, magnitude, mfac }: DemoResult): string | undefined {
  const [d, g, f] = [dense, magnitude, mfac].map(({ accuracy }) => accuracy ?? 0) as [number, number, number];
  if (!(d >= 0.95 && d <= 0.995)) return `dense: expected an accuracy from 0.95 to 0.995, got ${d}`;
  if (!(f - g >= 0.2)) return `mfac: expected 20 points more than magnitude (${g}), got ${f}`;
  return undefined;
}

function batchOf(count: number, seed: number): Batch & { x: ReturnType<typeof drawDigits>['x']; y: Uint8Array } {
  return drawDigits(count, { seed, noise });
}

function archiveOf(train: ReturnType<typeof batchOf>, test: ReturnType<typeof batchOf>): Uint8Array {
  const labels = (y: Uint8Array) => ({ data: y, shape: [y.length] });
  return writeNpz({ x_train: train.x, y_train: labels(train.y), x_test: test.x, y_test: labels(test.y) }, { compress: true });
}

async function rowOf(model: OnnxModel, test: Batch, share: number, seconds: number): Promise<{ row: DemoRow; bytes: Uint8Array }> {
  const evaluation = await evaluate(model, test);
  const bytes = await model.save();
  return { bytes, row: { ...evaluation, sparsity: share, bytes: bytes.length, gzipBytes: gzipSync(bytes, { level: 9 }).length, seconds } };
}
