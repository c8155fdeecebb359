// Figures of the notes on threads: work on a pool of two against one thread, by turns, beside what two processors of this machine keep of
// their rate when both work. `node scripts/threads-figures.mjs [pattern] [turns]` after a build, on a quiet machine.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { DenseModel } from '../build/src/dense/index.js';
import { readPeak, tilePeak } from '../build/src/kernels/limits.js';
import { parallelGemm } from '../build/src/linalg/index.js';
import { StaticMfac } from '../build/src/mfac/index.js';
import { Instance } from '../build/src/runtime/instance.js';
import { ThreadPool } from '../build/src/threads/index.js';
import { parallelSinkhornBatch } from '../build/src/transport/index.js';

/** Numbers in −1 … 1. */
function draws(length, seed = 1, type = Float32Array) {
  const out = new type(length);
  for (let i = 0, state = seed; i < length; i++) out[i] = (state = Math.imul(state, 1664525) + 1013904223) / 2 ** 31;
  return out;
}
const median = (list) => list.slice().sort((a, b) => a - b)[list.length >> 1];
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Loops of some 50 ms on panels in the cache, and on 64 MB in memory. */
function loops() {
  const instance = new Instance();
  return instance.keep((arena) => {
    const [a, b, x] = [arena.put(draws(4 * 256)), arena.put(draws(8 * 256)), arena.put(draws(2 ** 24))];
    return { tile: () => instance.run(() => tilePeak(a, b, 40_000)), reading: () => instance.run(() => readPeak(x, 6)) };
  });
}

function build(m, d, options) {
  const G = { data: draws(m * d), shape: [m, d] };
  return async (pool) => (await StaticMfac.build(G, { damping: 1e-3, ...options, pool })).dispose();
}
function product(n) {
  const [a, b] = [1, 2].map((seed) => ({ data: draws(n * n, seed), shape: [n, n] }));
  return (pool) => parallelGemm(a, b, { pool });
}
function batch(count, n) {
  const problems = Array.from({ length: count }, (_, i) => ({ cost: { data: draws(n * n, i + 1).map((v) => v * v), shape: [n, n] } }));
  return (pool) => parallelSinkhornBatch(problems, { pool });
}
function weights(B, n) {
  const data = draws(B * n, 3, Float64Array).map((v) => v * v + 0.1);
  for (let k = 0; k < B; k++) {
    const row = data.subarray(k * n, (k + 1) * n);
    const sum = row.reduce((s, v) => s + v, 0);
    for (let i = 0; i < n; i++) row[i] /= sum;
  }
  const cost = { data: draws(n * n).map((v) => v * v), shape: [n, n] };
  const problems = { cost, a: { data, shape: [B, n] }, b: { data: new Float64Array(n).fill(1 / n), shape: [1, n] } };
  return (pool) => parallelSinkhornBatch(problems, { pool });
}

function samples(count, sizes) {
  const layers = sizes.slice(1).map((outputs, l) => ({
    weight: { data: draws(outputs * sizes[l], l + 1).map((v) => v / Math.sqrt(sizes[l])), shape: [outputs, sizes[l]] },
    bias: new Float32Array(outputs),
    activation: l + 2 < sizes.length ? 'tanh' : 'identity',
  }));
  const model = DenseModel.create({ layers, loss: 'cross-entropy' });
  const batch = {
    x: { data: draws(count * sizes[0]), shape: [count, sizes[0]] },
    y: Int32Array.from({ length: count }, (_, i) => i % sizes.at(-1)),
  };
  return (pool) => model.perSampleGradients(batch, { pool });
}

const cases = [
  ['build m = 512, d = 100,000', () => build(512, 100_000), 0.34],
  ['build m = 256, d = 50,000, blocks of 1000', () => build(256, 50_000, { blockSize: 1000 })],
  ['build m = 128, d = 20,000, blocks of 100', () => build(128, 20_000, { blockSize: 100 })],
  ['build m = 128, d = 50,000', () => build(128, 50_000)],
  ['gemm 1024', () => product(1024)],
  ['gemm 768', () => product(768)],
  ['gemm 512', () => product(512)],
  ['per-sample gradients, 784-128-10, 512 samples', () => samples(512, [784, 128, 10])],
  ['per-sample gradients, 64-100-10, 1797 samples', () => samples(1797, [64, 100, 10])],
  ['sinkhorn 16 of 512 x 512', () => batch(16, 512)],
  ['sinkhorn 32 of 256 x 256', () => batch(32, 256)],
  ['sinkhorn 64 weights, one cost of 256 x 256', () => weights(64, 256)],
];

if (!isMainThread) {
  const work = loops();
  parentPort.on('message', (name) => parentPort.postMessage(work[name]()));
} else {
  const [, , pattern = '', turns = '9'] = process.argv;
  await limits();
  const pools = await Promise.all([1, 2].map((threads) => ThreadPool.open({ threads, eager: process.argv.includes('--eager') })));
  const wanted = new RegExp(pattern);
  for (const [name, make, share = 1] of cases) {
    if (!wanted.test(name)) continue;
    const run = make();
    const times = [[], []];
    for (let i = -2; i < Math.max(3, turns * share); i++)
      for (const [k, pool] of pools.entries()) {
        globalThis.gc?.();
        const ms = await timed(() => run(pool));
        if (i >= 0) times[k].push(ms);
      }
    const [one, two] = times.map(median);
    const gain = median(times[0].map((ms, i) => ms / times[1][i]));
    const best = Math.min(...times[0]) / Math.min(...times[1]);
    console.log(`${name}: ${one.toFixed(2)} -> ${two.toFixed(2)} ms, gain ${gain.toFixed(2)} (fastest of each ${best.toFixed(2)})`);
  }
  for (const pool of pools) pool.close();
  await limits();
}

/** What both processors together do of twice what one does. */
async function limits() {
  const workers = [0, 1].map(() => new Worker(new URL(import.meta.url)));
  const once = (worker, name) =>
    new Promise((resolve) => {
      worker.once('message', resolve);
      worker.postMessage(name);
    });
  for (const name of ['tile', 'reading']) {
    const ratios = [];
    for (let i = -2; i < 9; i++) {
      const alone = await timed(() => once(workers[0], name));
      const both = await timed(() => Promise.all(workers.map((worker) => once(worker, name))));
      if (i >= 0) ratios.push((2 * alone) / both);
    }
    console.log(`limit of two processors, ${name}: ${median(ratios).toFixed(2)}`);
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
}
