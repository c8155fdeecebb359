// An ONNX model's derivatives on onnxruntime-web (and -node) in every runtime, and what is said where there is no ONNX Runtime.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFiles } from '../lib/sandbox.mjs';
import { inChromium, inWorkerd, plainModule, program, workerModules } from './hosts.mjs';
import { network } from './network.mjs';

const derivatives = `import { OnnxModel } from 'afterpass/onnx';
import { bytes } from './model.mjs';
export async function derivatives(ort) {
  const start = Date.now();
  let refusal = '';
  try {
    const model = await OnnxModel.open(bytes());
    model.dispose();
  } catch (error) {
    refusal = error.message;
  }
  const model = await OnnxModel.open(bytes(), { ort, threads: 1 });
  const batch = { x: { data: Float32Array.from({ length: 15 }, (_, i) => ((i * 7) % 11) / 5 - 1), shape: [5, 3] }, y: Int32Array.of(0, 1, 2, 3, 1) };
  const { value, grad } = await model.gradient(batch);
  const hvp = await model.hvp(batch, grad);
  const rows = (await model.perSampleGradients(batch)).data;
  model.dispose();
  return { numbers: [value, ...grad, ...hvp, ...rows], refusal, milliseconds: Date.now() - start };
}
`;
const node = (name) => `import * as ort from '${name}';
import { derivatives } from './derivatives.mjs';
const module = ort.InferenceSession ? ort : ort.default;
if (module.env.wasm) module.env.wasm.numThreads = 1;
console.log(JSON.stringify(await derivatives(module)));
`;
const browser = `import * as ort from 'onnxruntime-web/wasm';
import { derivatives } from './derivatives.mjs';
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = new URL('./', location.href).href;
derivatives(ort).then((r) => fetch('/result', { method: 'POST', body: JSON.stringify(r) }));
`;
// ONNX Runtime Web compiles bytes, which workerd refuses: while a session is made, it is given the module that was compiled ahead.
const worker = `import * as ort from 'onnxruntime-web/wasm';
import wasm from './ort-wasm-simd-threaded.wasm';
import { derivatives } from './derivatives.mjs';
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmBinary = new Uint8Array(8);
const real = WebAssembly.instantiate;
WebAssembly.instantiate = async (source, imports) =>
  source instanceof WebAssembly.Module ? real.call(WebAssembly, source, imports) : { instance: await real.call(WebAssembly, wasm, imports), module: wasm };
export default { fetch: async () => Response.json(await derivatives(ort)) };
`;

/** Runs the derivatives everywhere; rows `{ runtime, ort, largest, milliseconds, refusal } | { failed }`. */
export async function onnxRows({ folder, toolbox, nodes, bin }) {
  const model = `const text = '${Buffer.from(network()).toString('base64')}';
export const bytes = () => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));\n`;
  writeFiles(folder, {
    'model.mjs': model,
    'derivatives.mjs': derivatives,
    'onnx-node.mjs': node('onnxruntime-node'),
    'onnx-web.mjs': node('onnxruntime-web'),
    'onnx-page.mjs': browser,
    'onnx-worker.mjs': worker,
    'onnx.html': '<!doctype html><script type="module" src="./onnx-page.js"></script>',
  });
  for (const name of ['ort-wasm-simd-threaded.wasm', 'ort-wasm-simd-threaded.mjs']) {
    copyFileSync(join(folder, 'node_modules/onnxruntime-web/dist', name), join(folder, name));
  }
  const web = 'onnxruntime-web';
  const hosts = [
    ['Node 20', 'onnxruntime-node', () => program(nodes[20], ['onnx-node.mjs'], folder)],
    ['Node 20', web, () => program(nodes[20], ['onnx-web.mjs'], folder)],
    ['Node 22', web, () => program(nodes[22], ['onnx-web.mjs'], folder)],
    ['Node 24', web, () => program(nodes[24], ['onnx-web.mjs'], folder)],
    ['Deno (-A)', web, () => program(bin('.bin/deno'), ['run', '-A', '--node-modules-dir=manual', 'onnx-web.mjs'], folder)],
    ['Bun', web, () => program(bin('.bin/bun'), ['onnx-web.mjs'], folder)],
    [
      'workerd',
      `${web}, compiled ahead`,
      async () =>
        inWorkerd(toolbox, await workerModules(folder, 'onnx-worker.mjs'), async (flare) =>
          (await flare.dispatchFetch('http://x/')).json(),
        ),
    ],
    [
      'Chromium',
      web,
      async () => {
        await plainModule(folder, 'onnx-page.mjs', join(folder, 'onnx-page.js'));
        return inChromium(folder, 'onnx.html');
      },
    ],
  ];
  const rows = [];
  let reference;
  for (const [runtime, ort, run] of hosts) {
    try {
      const { numbers, milliseconds, refusal } = await run();
      reference ??= numbers;
      const largest = Math.max(...numbers.map((v, i) => Math.abs(v - reference[i])));
      if (!(largest < 1e-5) || numbers.length !== reference.length) throw new Error(`results differ by ${largest}`);
      rows.push({ runtime, ort, largest, milliseconds, refusal });
    } catch (error) {
      rows.push({ runtime, ort, failed: error.message.split('\n').slice(0, 8).join(' | ').slice(0, 400) });
    }
  }
  return rows;
}
