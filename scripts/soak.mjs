// npm run soak [-- --minutes 10 --workers 3]: every area's example calls in several worker threads at once, overlapping asynchronous
// calls and ONNX Runtime sessions that come and go, for minutes. Fails when memory grows. Figures go to .cache/soak.json and docs/runtimes.md.
// -- --calls 100000: in place of that so many calls of each area, one after the other, in this thread; figures in .cache/memory.json.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { callsOf, variable } from './lib/calls.mjs';
import { areaMemory } from './runtimes/memory.mjs';
import { network } from './runtimes/network.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, workers: { type: 'string', default: '3' }, calls: { type: 'string' } },
});
const [minutes, workers] = [Number(values.minutes), Number(values.workers)];
if (!(minutes > 0) || !(workers >= 1))
  throw new Error(`--minutes, --workers: expected numbers > 0, got ${values.minutes}, ${values.workers}`);

const areas = readdirSync('test/contracts/calls').map((file) => file.replace('.ts', ''));
mkdirSync('.cache', { recursive: true });
await callsOf(areas, '.cache/calls.mjs');
if (values.calls !== undefined) {
  const calls = await import(pathToFileURL(resolve('.cache/calls.mjs')).href);
  const [modules, examples] = [{}, {}];
  for (const area of areas) {
    modules[area] = await import(`afterpass/${area}`);
    examples[area] = calls[variable(area)];
  }
  const rows = await areaMemory(modules, examples, Number(values.calls));
  const flat = rows.every(({ heap, buffers, wasm }) => heap < 2e6 && buffers < 1e6 && wasm === 0);
  writeFileSync('.cache/memory.json', JSON.stringify({ date: new Date().toISOString().slice(0, 10), rows }));
  process.stdout.write(`${flat ? 'flat' : 'GROWS'}\n`);
  process.exit(flat ? 0 : 1);
}
const model = network();

/** A worker thread that answers 'measure' with what it holds and how many calls it made, and ends in good order on 'stop'. */
function start(number) {
  const worker = new Worker(fileURLToPath(new URL('./runtimes/soak-worker.mjs', import.meta.url)), {
    workerData: { areas, model, number },
  });
  const told = [];
  worker.on('message', (message) => told.shift()?.(message));
  worker.on('error', (error) => {
    throw error;
  });
  return {
    ask: (what) => new Promise((done) => (told.push(done), worker.postMessage(what))),
    stop: () => new Promise((done) => (worker.once('exit', done), worker.postMessage('stop'))),
  };
}

const megabytes = (bytes) => (bytes / 2 ** 20).toFixed(1);
const pool = Array.from({ length: workers }, (_, i) => start(i));
const begin = Date.now();
const samples = [];
let retired = 0;
let replaced = 0;
const every = Math.max(1000, (minutes * 60_000) / 60);
process.stdout.write('seconds  RSS MB  heap MB  WASM MB  calls\n');
while (Date.now() - begin < minutes * 60_000) {
  await new Promise((done) => setTimeout(done, every));
  if (samples.length && samples.length % 10 === 0) {
    // Threads come and go in a service: the oldest ends, a new one takes its place.
    const old = pool.shift();
    retired += (await old.ask('measure')).calls;
    await old.stop();
    pool.push(start(workers + replaced++));
    await new Promise((done) => setTimeout(done, every / 2));
  }
  const held = await Promise.all(pool.map(({ ask }) => ask('measure')));
  const total = (name) => held.reduce((sum, one) => sum + one[name], 0);
  const sample = {
    seconds: Math.round((Date.now() - begin) / 1000),
    rss: process.memoryUsage().rss,
    heap: total('heap') + process.memoryUsage().heapUsed,
    wasm: total('wasm'),
    calls: retired + total('calls'),
  };
  samples.push(sample);
  process.stdout.write(
    `${String(sample.seconds).padStart(7)}  ${megabytes(sample.rss).padStart(6)}  ${megabytes(sample.heap).padStart(7)}  ${megabytes(sample.wasm).padStart(7)}  ${sample.calls}\n`,
  );
}
await Promise.all(pool.map(({ stop }) => stop()));

// Warm-up is the first quarter; then the second quarter is compared with the last one.
const quarter = Math.max(1, Math.floor(samples.length / 4));
const median = (list, name) => list.map((one) => one[name]).sort((a, b) => a - b)[list.length >> 1];
const [early, late] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)].map((part) => (part.length ? part : samples));
const growth = Object.fromEntries(['rss', 'heap', 'wasm'].map((name) => [name, median(late, name) - median(early, name)]));
const limit = Math.max(16 * 2 ** 20, median(early, 'rss') * 0.05);
const flat = growth.rss < limit && growth.wasm <= 0 && growth.heap < 8 * 2 ** 20;
const result = {
  date: new Date().toISOString().slice(0, 10),
  minutes,
  workers,
  replaced,
  calls: samples.at(-1).calls,
  growth,
  flat,
  early: median(early, 'rss'),
  late: median(late, 'rss'),
  wasm: median(late, 'wasm'),
};
writeFileSync('.cache/soak.json', JSON.stringify(result));
process.stdout.write(
  `${flat ? 'flat' : 'GROWS'}: second to last quarter RSS ${megabytes(growth.rss)} MB, heap ${megabytes(growth.heap)} MB, WASM ${megabytes(growth.wasm)} MB; ${result.calls} calls, ${replaced} threads replaced\n`,
);
process.exitCode = flat ? 0 : 1;
