// Faults, run on the installed package in one Node process: prints [{ fault, ok, note }] as its last line.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import * as afterpass from 'afterpass';
import * as sorting from 'afterpass/sorting';
import * as transport from 'afterpass/transport';
import * as calls from './calls.mjs';
import { collect } from './collect.mjs';

const require = createRequire(import.meta.url);
const results = [];
const expect = (condition, note) => {
  if (!condition) throw new Error(note);
};
async function fault(name, work) {
  try {
    results.push({ fault: name, ok: true, note: (await work()) ?? '' });
  } catch (error) {
    results.push({ fault: name, ok: false, note: String(error?.message ?? error) });
  }
}
const small = { cost: Float64Array.of(0, 1, 1, 0), a: [0.5, 0.5], b: [0.5, 0.5] };
const solve = (module = transport) => module.sinkhorn(small, { epsilon: 0.5 }).value;
const want = solve();

await fault('require and import give the same instance', () => {
  expect(require('afterpass/transport').sinkhorn === transport.sinkhorn, 'two functions');
  expect(require('afterpass').capabilities === afterpass.capabilities, 'two roots');
});

await fault('memory grows in the middle of a call', () => {
  const before = afterpass.capabilities().wasmBytes;
  const n = 3_000_000;
  const x = Float32Array.from({ length: n }, (_, i) => (i * 7919) % n);
  const sorted = sorting.sort(x);
  expect(sorted[0] === 0 && sorted[n - 1] === n - 1, 'wrong order');
  const after = afterpass.capabilities().wasmBytes;
  expect(after > before, 'memory did not grow');
  expect(Object.is(solve(), want), 'later calls differ');
  return `${before} to ${after} bytes`;
});

await fault('out of WebAssembly memory is an error that names size and limit, and the instance stays usable', () => {
  let message = '';
  try {
    const x = { data: new Float32Array(80 * 4096), shape: [80, 4096] };
    sorting.diffSort(x, { network: 'bitonic' }).permutation(); // 80 matrices of 4096 × 4096: 5.4 GB
  } catch (error) {
    message = `${error.code}: ${error.message}`;
  }
  expect(/ERR_MEMORY/.test(message) && /\d{6,} more bytes/.test(message) && /4294967296/.test(message), `got '${message}'`);
  expect(Object.is(solve(), want), 'later calls differ');
  return message.slice(0, 120);
});

await fault('a detached ArrayBuffer passed in is refused', () => {
  const cost = Float64Array.of(0, 1, 1, 0);
  structuredClone(cost, { transfer: [cost.buffer] });
  let message = '';
  try {
    transport.sinkhorn({ ...small, cost }, { epsilon: 0.5 });
  } catch (error) {
    message = error.message;
  }
  expect(/cost: expected/.test(message), `got '${message}'`);
  expect(Object.is(solve(), want), 'later calls differ');
  return message;
});

await fault('a SharedArrayBuffer passed in gives the same result', () => {
  const cost = new Float64Array(new SharedArrayBuffer(32));
  cost.set(small.cost);
  expect(Object.is(transport.sinkhorn({ ...small, cost }, { epsilon: 0.5 }).value, want), 'another value');
});

await fault('two copies of the package in one process give the same bits in every area, also by turns', async () => {
  const names = Object.keys(calls).filter((name) => !['network', 'ortCalls'].includes(name));
  const load = async (where) =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await import(where(name.replaceAll('_', '-')))])));
  const mine = await load((area) => `afterpass/${area}`);
  const theirs = await load((area) => pathToFileURL(`${process.cwd()}/copy/node_modules/afterpass/build/lib/${area}.js`).href);
  expect(theirs.transport.sinkhorn !== transport.sinkhorn, 'one copy');
  const examples = Object.fromEntries(names.map((name) => [name, calls[name]]));
  const want = await collect(mine, examples);
  const runs = await Promise.all([collect(theirs, examples), collect(mine, examples), collect(theirs, examples)]);
  // A call that takes an object of another area has it from the first copy: the other copy gives the same result, or refuses it by name.
  const refused = new Set();
  for (const [i, got] of runs.entries()) {
    for (const [name, value] of Object.entries(want)) {
      expect(value.error === undefined, `${name}: ${value.error}`);
      const other = got[name];
      if (i !== 1 && other.code === 'ERR_DOMAIN' && / expected /.test(other.error)) refused.add(name);
      else expect(JSON.stringify(other) === JSON.stringify(value), `${name}: another value`);
    }
  }
  expect(refused.size < 3, `refused: ${[...refused].join(', ')}`);
  const mixed = refused.size ? `; an object of the other copy is refused by name in ${[...refused].join(', ')}` : '';
  return `${Object.keys(want).length} calls of ${names.length} areas${mixed}`;
});

await fault('an unknown AFTERPASS_BUILD is one clear error', () => {
  const { spawnSync } = require('node:child_process');
  const source = "import { capabilities } from 'afterpass'; capabilities();";
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, AFTERPASS_BUILD: 'fast' },
    encoding: 'utf8',
  });
  expect(status === 1 && /AFTERPASS_BUILD: expected one of simd, relaxed, reference, debug, got 'fast'/.test(stderr), stderr.slice(0, 200));
});

await fault('10^5 calls leave memory flat', () => {
  const turns = (count) => {
    for (let i = 0; i < count; i++) transport.sinkhorn(small, { epsilon: 0.5, maxIterations: 5 });
  };
  turns(2000);
  globalThis.gc?.();
  const [wasm, heap] = [afterpass.capabilities().wasmBytes, process.memoryUsage().heapUsed];
  turns(100_000);
  globalThis.gc?.();
  const grown = process.memoryUsage().heapUsed - heap;
  expect(afterpass.capabilities().wasmBytes === wasm, 'WebAssembly memory grew');
  expect(grown < 2e6, `the heap grew by ${grown} bytes`);
  return `heap ${grown > 0 ? '+' : ''}${Math.round(grown / 1024)} kB, WebAssembly memory +0`;
});

process.stdout.write(`${JSON.stringify(results)}\n`);
