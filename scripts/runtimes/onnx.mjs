// An ONNX model's derivatives on onnxruntime-web (and -node) in every runtime, and what is said where there is no ONNX Runtime.
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { project, writeFiles } from '../lib/sandbox.mjs';
import { largestGap } from './compare.mjs';
import { inChromium, inWorkerd, Missing, plainModule, program, workerModules } from './hosts.mjs';
import { network } from './network.mjs';

const derivatives = `import * as onnx from 'afterpass/onnx';
import { network, ortCalls } from './calls.mjs';
import { collect } from './collect.mjs';
export async function derivatives(ort) {
  const start = Date.now();
  let refusal = '';
  try {
    const model = await onnx.OnnxModel.open(network());
    model.dispose();
  } catch (error) {
    refusal = error.message;
  }
  const calls = Object.entries(ortCalls).map(([name, call]) => [name, (area) => call(area, ort)]);
  return { results: await collect({ onnx }, { onnx: Object.fromEntries(calls) }), refusal, milliseconds: Date.now() - start };
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
export async function onnxRows({ folder, toolbox, nodes, bin, quick }) {
  writeFiles(folder, {
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
  for (const [runtime, ort, run] of quick ? hosts.filter(([name]) => ['Node 20', 'workerd'].includes(name)) : hosts) {
    try {
      const { results, milliseconds, refusal } = await run();
      const wrong = Object.entries(results).find(([, { error }]) => error !== undefined);
      if (wrong) throw new Error(`${wrong[0]}: ${wrong[1].error}`);
      reference ??= results;
      const gaps = Object.keys(reference).map((name) => [name, largestGap(reference[name].result, results[name]?.result)]);
      const [worst, largest] = gaps.reduce((a, b) => (b[1] > a[1] ? b : a));
      if (!(largest < 1e-5)) throw new Error(`${worst} differs by ${largest}`);
      rows.push({ runtime, ort, calls: gaps.length, largest, milliseconds, refusal });
    } catch (error) {
      if (error instanceof Missing) rows.push({ runtime, ort, missing: error.message });
      else rows.push({ runtime, ort, failed: error.message.split('\n').slice(0, 8).join(' | ').slice(0, 400) });
    }
  }
  return rows;
}

/** What is said where ONNX Runtime is looked for: the fallback once on stderr, and the line to type where there is none. */
export function searchRows({ tarball }) {
  const program = `import { OnnxModel } from 'afterpass/onnx';
const bytes = () => Uint8Array.from(atob('${Buffer.from(network()).toString('base64')}'), (c) => c.charCodeAt(0));
const x = { data: new Float32Array(3), shape: [1, 3] };
for (let i = 0; i < 2; i++) {
  const model = await OnnxModel.open(bytes());
  await model.predict(x);
  model.dispose();
}\n`;
  const attempt = (name, dependencies, check) => {
    try {
      const folder = project(name, { dependencies, files: { 'open.mjs': program } });
      const { status, stderr } = spawnSync(process.execPath, ['open.mjs'], { cwd: folder, encoding: 'utf8' });
      return { ok: check(status, stderr), note: stderr.split('\n').find((line) => /^remark:|Error: .*expected/.test(line)) ?? '' };
    } catch (error) {
      return { ok: false, note: error.message.split('\n')[0] };
    }
  };
  const remarks = (stderr) => stderr.split('\n').filter((line) => line.startsWith('remark:'));
  return [
    {
      fault: 'only onnxruntime-web is installed: it is used, and that is said once',
      ...attempt('web-only', [tarball, 'onnxruntime-web'], (status, stderr) => status === 0 && remarks(stderr).length === 1),
    },
    {
      fault: 'onnxruntime-node does not load (another libc or processor): onnxruntime-web is used, and that is said once',
      ...attempt(
        'broken',
        [tarball, 'onnxruntime-web', brokenRuntime()],
        (status, stderr) => status === 0 && /does not load here/.test(remarks(stderr).join()),
      ),
    },
    {
      fault: 'no ONNX Runtime is installed: one error with the line to type',
      ...attempt('bare', [tarball], (status, stderr) => status === 1 && /type: .*npm install onnxruntime-node/.test(stderr)),
    },
  ];
}

/** A package named onnxruntime-node whose binary is for another machine. */
function brokenRuntime() {
  return project('broken-runtime', {
    files: {
      'package.json': JSON.stringify({ name: 'onnxruntime-node', version: '1.99.0', main: 'index.js' }),
      'index.js': "throw Object.assign(new Error('onnxruntime_binding.node: invalid ELF header'), { code: 'ERR_DLOPEN_FAILED' });",
    },
  });
}
