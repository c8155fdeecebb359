// Figures of src/transport/README.md: memory of lazy costs, and steps of P²OT by method. `node scripts/transport-figures.mjs` after a build.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { capabilities, transport } from '../build/src/index.js';

/** Uniform draws in 0 … 1 (mulberry32). */
function uniform(seed) {
  let s = seed;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), s | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
const normal = (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());

/** Two f32 clouds of n points in the plane, a few iterations under lazy costs: bytes in use at the end. */
function lazyMemory(n, iterations) {
  const draw = uniform(1);
  const cloud = () => ({ data: Float32Array.from({ length: 2 * n }, draw), shape: [n, 2] });
  const [x, y] = [cloud(), cloud()];
  const before = process.resourceUsage().maxRSS;
  const start = performance.now();
  const { error } = transport.sinkhorn({ x, y }, { epsilon: 0.05, lazy: true, maxIterations: iterations, tolerance: 0 });
  const seconds = (performance.now() - start) / 1000;
  return { n, error, seconds, before, peak: process.resourceUsage().maxRSS, wasm: capabilities().wasmBytes };
}

/** Logits of N samples over K clusters whose sizes fall from 100 to 1. */
function longTail(N, K) {
  const draw = uniform(7);
  const sizes = Array.from({ length: K }, (_, k) => 100 ** (-k / (K - 1)));
  const total = sizes.reduce((s, v) => s + v, 0);
  const data = new Float64Array(N * K);
  for (let i = 0; i < N; i++) {
    let [label, rest] = [0, draw() * total];
    while (label < K - 1 && (rest -= sizes[label]) > 0) label++;
    for (let j = 0; j < K; j++) data[i * K + j] = normal(draw) + (j === label ? 3 : 0);
  }
  return { data, shape: [N, K] };
}

if (process.argv[2] === '--lazy') {
  console.log(JSON.stringify(lazyMemory(Number(process.argv[3]), Number(process.argv[4]))));
} else {
  const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
  console.log(
    '| n = m | n x m in f32, MiB | WASM, MiB | growth of the process at its peak, MiB | s per iteration, with set-up and certificate |\n|---|---|---|---|---|',
  );
  const iterations = 2;
  for (const n of [12_500, 25_000, 50_000]) {
    // Each in a process of its own: peaks do not mix.
    const { stdout, stderr, status } = spawnSync(process.execPath, [
      fileURLToPath(import.meta.url),
      '--lazy',
      String(n),
      String(iterations),
    ]);
    if (status !== 0) throw new Error(String(stderr));
    const { before, peak, wasm, seconds } = JSON.parse(String(stdout));
    console.log(`| ${n} | ${mib(4 * n * n)} | ${mib(wasm)} | ${mib((peak - before) * 1024)} | ${(seconds / iterations).toFixed(1)} |`);
  }
  console.log('\n| N x K, sizes 100:1 | mass | newton | anderson | scaling | scaling, published start |\n|---|---|---|---|---|---|');
  for (const [N, K] of [
    [512, 10],
    [5120, 100],
  ]) {
    const logits = longTail(N, K);
    for (const mass of [0.1, 0.5, 0.9]) {
      const count = (method, start) => {
        const r = transport.progressivePartial({ logits }, { mass, method, start, maxIterations: 20_000 });
        return r.converged ? r.iterations : `${r.iterations} (not converged)`;
      };
      console.log(
        `| ${N} x ${K} | ${mass} | ${count('newton')} | ${count('anderson')} | ${count('scaling')} | ${count('scaling', 'published')} |`,
      );
    }
  }
}
