// Per-sample gradients in one run against one run per sample.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/core/random.js';
import type { Graph } from '../../src/onnx/graph.js';
import { decodeModel, encodeModel, gradientModel, perSampleGradientModel } from '../../src/onnx/index.js';
import { runModel } from '../helpers/ort.js';

const models = join(process.env.AFTERPASS_GOLDEN ?? join('..', 'shared', 'golden'), '..', 'models');
const files = existsSync(models) ? readdirSync(models).filter((name) => name.endsWith('.onnx')) : [];

test.each(files)('%s: the gradients of three samples in one run are those of three runs', async (file) => {
  const model = decodeModel(readFileSync(join(models, file)));
  const [input] = (model.graph as Graph).inputs;
  const shape = input!.shape!.slice(1) as number[];
  const size = shape.reduce((a, b) => a * b, 1);
  const x = new Random(3).fill(new Float32Array(3 * size), 'uniform');
  const labels = [1, 0, 1].map(BigInt);
  const feeds = (from: number, to: number) => ({
    [input!.name]: { type: 'float32' as const, data: x.slice(from * size, to * size), shape: [to - from, ...shape] },
    labels: { type: 'int64' as const, data: BigInt64Array.from(labels.slice(from, to)), shape: [to - from] },
  });
  const all = await runModel(encodeModel(perSampleGradientModel(model, { loss: 'cross-entropy' })), feeds(0, 3));
  const single = encodeModel(gradientModel(model, { loss: 'cross-entropy' }));
  for (let i = 0; i < 3; i++) {
    const one = await runModel(single, feeds(i, i + 1));
    let largest = 0;
    for (const [name, { data }] of Object.entries(one))
      if (name !== 'loss') for (const g of data) largest = Math.max(largest, Math.abs(Number(g)));
    for (const [name, { data, shape: each }] of Object.entries(one)) {
      if (name === 'loss') continue;
      expect(all[name]!.shape).toEqual([3, ...each]);
      const got = all[name]!.data.slice(i * data.length, (i + 1) * data.length);
      let worst = 0;
      for (let j = 0; j < data.length; j++) worst = Math.max(worst, Math.abs(Number(got[j]) - Number(data[j])));
      expect(worst).toBeLessThan(2e-6 * largest);
    }
  }
});
