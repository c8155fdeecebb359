// The derivative models of ONNX files under the onnx checker: gradient, Hessian, Gauss-Newton and Jacobian products, baked and live.
//   npm run build && node test/onnx/architectures/check.mjs FILE.onnx ...        exit 1 when a file is refused, 2 without python3-onnx
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  decodeModel,
  encodeModel,
  ggnModel,
  gradientModel,
  hvpModel,
  jvpModel,
  perSampleGradientModel,
  vjpModel,
} from '../../../build/src/onnx/index.js';

const script = fileURLToPath(new URL('./check.py', import.meta.url));
const python = [process.env.PYTHON, 'python3', '/usr/bin/python3']
  .filter(Boolean)
  .find((name) => spawnSync(name, ['-c', 'import onnx.checker']).status === 0);
if (!python) {
  console.error('onnx checker: absent (no Python with onnx)');
  process.exit(2);
}

/** The derivative models of one model, by name. */
function* derivatives(model) {
  const loss = 'cross-entropy';
  for (const weights of ['baked', 'live']) {
    yield [`gradient-${weights}`, () => gradientModel(model, { loss, weights })];
    yield [`hvp-${weights}`, () => hvpModel(model, { loss, weights })];
  }
  yield ['ggn', () => ggnModel(model, { loss })];
  yield ['vjp-inputs', () => vjpModel(model, { wrt: 'all' })];
  yield ['jvp', () => jvpModel(model)];
  yield ['per-sample', () => perSampleGradientModel(model, { loss })];
}

const folder = mkdtempSync(join(tmpdir(), 'afterpass-check-'));
let [files, refused] = [0, 0];
try {
  for (const path of process.argv.slice(2)) {
    const model = decodeModel(readFileSync(path));
    const words = [];
    for (const [name, make] of derivatives(model)) {
      const file = join(folder, `${name}.onnx`);
      try {
        writeFileSync(file, encodeModel(make()));
      } catch (error) {
        words.push(`${name} not written (${String(error.message).slice(0, 100)})`);
        continue;
      }
      const { stdout, stderr, status, signal } = spawnSync(python, [script, file], { encoding: 'utf8' });
      const { error } = status === 0 ? JSON.parse(stdout) : { error: `checker: ${signal ?? stderr}` };
      rmSync(file);
      files++;
      if (error) refused++;
      words.push(error ? `${name} REFUSED: ${error}` : name);
    }
    console.log(`${basename(path)}: ${words.join(', ')}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`onnx checker: ${files} files, ${files - refused} pass`);
process.exit(refused ? 1 : 0);
