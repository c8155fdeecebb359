// Gradients and Hessian products of the models that export.py wrote, on ONNX Runtime in float32, against double-precision PyTorch.
//   npm run build && node test/onnx/architectures/compare.mjs FOLDER [NAME ...]        prints a Markdown table
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readNpz } from '../../../build/src/core/npy.js';
import { decodeModel, encodeModel, gradientModel, hvpModel, unsupportedOps } from '../../../build/src/onnx/index.js';

const [folder, ...names] = process.argv.slice(2);
const all = readdirSync(folder)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.slice(0, -5));

const options = { graphOptimizationLevel: 'all', intraOpNumThreads: 1, logSeverityLevel: 3 };

async function run(model, feeds) {
  const session = await InferenceSession.create(encodeModel(model), options);
  await session.run(feeds);
  const times = [];
  let outputs;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    outputs = await session.run(feeds);
    times.push(performance.now() - start);
  }
  await session.release();
  return { outputs, time: Math.min(...times) };
}

/** ‖got − want‖ / ‖want‖ over all parameters together. */
function error(outputs, prefix, arrays, kind, wrt) {
  let [difference, norm] = [0, 0];
  for (const name of wrt) {
    const got = outputs[`${prefix}.${name}`].data;
    const want = arrays[`${kind}/${name}`].data;
    for (let i = 0; i < want.length; i++) {
      difference += (got[i] - want[i]) ** 2;
      norm += want[i] ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}

console.log('| model | operators | parameters | gradient error | HVP error | rewrite, ms | forward, ms | gradient, ms | HVP, ms |');
console.log('|---|---|---|---|---|---|---|---|---|');
for (const name of names.length ? names : all) {
  try {
    const model = decodeModel(readFileSync(join(folder, `${name}.onnx`)));
    const missing = unsupportedOps(model);
    if (missing.length) throw new Error(`no rule: ${[...new Set(missing.map(({ op }) => op))].join(', ')}`);
    const arrays = readNpz(readFileSync(join(folder, `${name}.npz`)));
    const wrt = Object.keys(arrays)
      .filter((key) => key.startsWith('grad/'))
      .map((key) => key.slice(5));
    const type = arrays.x.data instanceof BigInt64Array ? 'int64' : 'float32';
    const feeds = { x: new Tensor(type, arrays.x.data, arrays.x.shape) };
    const loss = arrays.y.data instanceof BigInt64Array ? 'cross-entropy' : 'mse';
    const labels =
      loss === 'mse'
        ? { targets: new Tensor('float32', arrays.y.data, arrays.y.shape) }
        : { labels: new Tensor('int64', arrays.y.data, arrays.y.shape) };
    const start = performance.now();
    const gradient = gradientModel(model, { loss, wrt });
    const product = hvpModel(model, { loss, wrt });
    const rewrite = performance.now() - start;
    const forward = await run(model, feeds);
    const first = await run(gradient, { ...feeds, ...labels });
    const tangents = Object.fromEntries(
      wrt.map((key) => [`tangent.${key}`, new Tensor('float32', Float32Array.from(arrays[`v/${key}`].data), arrays[`v/${key}`].shape)]),
    );
    const second = await run(product, { ...feeds, ...labels, ...tangents });
    const count = wrt.reduce((sum, key) => sum + arrays[`grad/${key}`].data.length, 0);
    const ops = new Set(model.graph.nodes.map(({ op }) => op)).size;
    const cells = [
      `${model.graph.nodes.length} nodes of ${ops}`,
      count.toLocaleString('en'),
      error(first.outputs, 'grad', arrays, 'grad', wrt).toExponential(1),
      error(second.outputs, 'hvp', arrays, 'hvp', wrt).toExponential(1),
      rewrite.toFixed(0),
      ...[forward, first, second].map(({ time }) => time.toFixed(1)),
    ];
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  } catch (problem) {
    console.log(`| ${name} | ${String(problem.message ?? problem).slice(0, 200)} |`);
    if (process.env.DEBUG) console.log(problem);
  }
}
