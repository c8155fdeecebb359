// Gradients, Hessian and Gauss–Newton products of the models of the digits on onnxruntime-web against onnxruntime-node.
//   npm run build && node test/onnx/web/compare.mjs        prints a table; exit 1 when a difference exceeds 1e-5 of the norm
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { randomF32 } from '../../../build/src/bench/case.js';
import { Random } from '../../../build/src/core/random.js';
import { OnnxModel } from '../../../build/src/onnx/index.js';
import { tools } from '../../../scripts/lib/sandbox.mjs';

const folder = process.env.AFTERPASS_MODELS ?? join('..', 'shared', 'models');
const { folder: toolbox } = tools({ 'onnxruntime-web': '1' });
const require = createRequire(join(toolbox, 'package.json'));
if (!existsSync(folder) || !existsSync(join(toolbox, 'node_modules/onnxruntime-web'))) {
  console.log('absent: the models or onnxruntime-web');
  process.exit();
}
const web = require('onnxruntime-web');
web.env.wasm.numThreads = 1;

// Drawn images: on the digits themselves the models are so sure that p − y keeps few digits in float32, and empty borders lie on kinks of Relu.
const random = new Random(6);
const x = { data: random.fill(new Float32Array(32 * 64), 'uniform'), shape: [32, 1, 8, 8] };
const batch = { x, y: Int32Array.from({ length: 32 }, () => random.integer(10)) };

/** ‖got − want‖ / ‖want‖ */
function relative(got, want) {
  const norm = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  return norm(got.map((v, i) => v - want[i])) / norm(want);
}

console.log('| model | form | gradient | input gradient | per-sample gradients | HVP, whole | HVP, repeated | Gauss–Newton |');
console.log('|---|---|---|---|---|---|---|---|');
for (const name of ['digits-cnn', 'digits-resnet8', 'digits-transformer']) {
  for (const weights of ['baked', 'live']) {
    const path = resolve(folder, `${name}.onnx`);
    const [node, browser] = await Promise.all(
      [{}, { ort: web }].map((options) => OnnxModel.open(path, { weights, threads: 1, ...options })),
    );
    const v = randomF32(node.parameterCount, 9);
    const results = async (model) => {
      const first = await model.hvp(batch, v);
      for (let i = 0; i < 14; i++) await model.hvp(batch, v);
      return [
        (await model.gradient(batch)).grad,
        (await model.inputGradient(batch)).grad.data,
        (await model.perSampleGradients(batch)).data,
        first,
        await model.hvp(batch, v),
        await model.ggnvp(batch, v),
      ];
    };
    const want = await results(node);
    const errors = (await results(browser)).map((got, i) => relative(got, want[i]));
    console.log(`| ${name} | ${weights} | ${errors.map((e) => e.toExponential(1)).join(' | ')} |`);
    if (!errors.every((e) => e < 1e-5)) process.exitCode = 1;
    node.dispose();
    browser.dispose();
  }
}
