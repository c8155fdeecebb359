import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Model } from '../../src/onnx/graph.js';
import { encodeModel, ggnModel, gradientModel, hvpModel, jvpModel, perSampleGradientModel, vjpModel } from '../../src/onnx/index.js';
import { convolutional, mlp, twoInputs } from '../helpers/models.js';

const python = [process.env.PYTHON, 'python3', '/usr/bin/python3']
  .filter((name): name is string => name !== undefined && name !== '')
  .find((name) => spawnSync(name, ['-c', 'import onnx.checker']).status === 0);
const found = python === undefined ? test.skip : test; // the skipped count of the summary says that the checker is absent

/** Every kind of derivative model, in both forms of the weights where there are two. */
function* derivatives(model: Model): Generator<[string, Model]> {
  const loss = 'cross-entropy';
  for (const weights of ['baked', 'live'] as const) {
    yield [`gradient-${weights}`, gradientModel(model, { loss, weights, wrt: 'all' })];
    yield [`hvp-${weights}`, hvpModel(model, { loss, weights })];
  }
  yield ['ggn', ggnModel(model, { loss })];
  yield ['vjp', vjpModel(model, { wrt: 'all' })];
  yield ['jvp', jvpModel(model)];
  yield ['per-sample', perSampleGradientModel(model, { loss })];
}

found(
  'derivative models of small networks pass the onnx checker, shapes inferred in full',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'afterpass-checker-'));
    try {
      const models = { mlp: mlp('float32'), wide: mlp('float64'), two: twoInputs('float32'), convolutional: convolutional('float32') };
      const files = Object.entries(models).flatMap(([name, model]) =>
        [...derivatives(model)].map(([kind, derived]) => {
          const path = join(folder, `${name}-${kind}.onnx`);
          writeFileSync(path, encodeModel(derived));
          return path;
        }),
      );
      const { stdout } = spawnSync(python!, [join('test', 'onnx', 'architectures', 'check.py'), ...files], { encoding: 'utf8' });
      const lines = stdout.trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(files.map((path) => ({ path, error: null })));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);
