// What runs on a pool gives the bits of the sequential call, on one, two and three threads. systems/94
import { obsPrune, parallelObsPrune } from '../../src/compression/index.js';
import { AbortError } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';
import { DenseModel } from '../../src/dense/index.js';
import { gemm, parallelGemm } from '../../src/linalg/index.js';
import { StaticMfac } from '../../src/mfac/index.js';
import { ThreadPool } from '../../src/threads/index.js';
import { parallelSinkhornBatch, sinkhornBatch } from '../../src/transport/index.js';

const pools = await Promise.all([1, 2, 3].map((threads) => ThreadPool.open({ threads, eager: true })));
afterAll(() => {
  for (const pool of pools) pool.close();
});
const f32 = (length: number, seed: number) => new Random(seed).fill(new Float32Array(length));
const f64 = (length: number, seed: number) => new Random(seed).fill(new Float64Array(length));
/** Numbers in −1 … 1 without the cost of normal draws. */
const quick = (length: number) => {
  const out = new Float32Array(length);
  for (let i = 0, state = 1; i < length; i++) out[i] = (state = Math.imul(state, 1664525) + 1013904223) / 2 ** 31;
  return out;
};
/** Bit by bit; jest's own comparison walks through numbers one by one. */
const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
const same = (got: ArrayBufferView, want: ArrayBufferView) => expect(bytes(got).equals(bytes(want))).toBe(true);

test.each([
  [1, 1, 1],
  [33, 7, 5],
  [7, 65, 300],
  [130, 129, 17],
  [0, 3, 2],
])('a product of %i x %i x %i is the same on every number of threads, transposed or not', async (m, n, k) => {
  for (const fill of [f32, f64])
    for (const transA of [false, true])
      for (const transB of [false, true]) {
        const a = { data: fill(m * k, 1), shape: transA ? [k, m] : [m, k] };
        const b = { data: fill(k * n, 2), shape: transB ? [n, k] : [k, n] };
        const want = gemm(a, b, { alpha: 0.5, transA, transB });
        for (const pool of pools) same((await parallelGemm(a, b, { alpha: 0.5, transA, transB, pool })).data, want.data);
      }
});

test('factors that do not fit or are not finite are refused by name', async () => {
  const [pool] = pools as [ThreadPool];
  const a = { data: f32(6, 1), shape: [2, 3] };
  await expect(parallelGemm(a, a, { pool })).rejects.toThrow(/b: expected 3 along the summed axis, got 2/);
  await expect(parallelGemm({ data: Float32Array.of(NaN), shape: [1, 1] }, a, { pool })).rejects.toThrow(/a: expected finite numbers/);
});

test.each([
  ['float32', f32],
  ['float64', f64],
] as const)('a list of transport problems in %s has the values, potentials and plans of the sequential call', async (_, fill) => {
  const problems = [200, 3, 150, 1, 64, 300].map((n, i) => ({
    cost: { data: fill(n * (n + 1), i + 1).map((v) => v * v) as Float32Array, shape: [n, n + 1] },
  }));
  const want = sinkhornBatch(problems, { epsilon: 0.3 });
  for (const pool of pools) {
    const got = await parallelSinkhornBatch(problems, { epsilon: 0.3, pool });
    expect(got.values).toEqual(want.values);
    expect(got.converged).toBe(want.converged);
    for (const [i, result] of got.results.entries()) {
      expect(result.f).toEqual(want.results[i]?.f);
      same(result.plan().data, (want.results[i] as typeof result).plan().data);
      expect(result.gradients().b).toEqual(want.results[i]?.gradients().b);
    }
  }
});

test('points, and one cost under many weights in runs of eight, give the same too', async () => {
  const points = [40, 7].map((n, i) => ({ x: { data: f32(2 * n, i), shape: [n, 2] }, y: { data: f32(2 * n, i + 9), shape: [n, 2] } }));
  const [B, n] = [19, 30];
  const weights = f64(B * n, 3).map((v) => v * v + 0.1);
  for (let k = 0; k < B; k++) {
    const row = weights.subarray(k * n, (k + 1) * n);
    const sum = row.reduce((s, v) => s + v, 0);
    for (let i = 0; i < n; i++) row[i] = (row[i] as number) / sum;
  }
  const shared = {
    cost: { data: f64(n * n, 4).map((v) => v * v), shape: [n, n] },
    a: { data: weights, shape: [B, n] },
    b: { data: new Float64Array(n).fill(1 / n), shape: [1, n] },
  };
  for (const problems of [points, shared]) {
    const want = sinkhornBatch(problems, { epsilon: 0.2 });
    for (const pool of pools) {
      const got = await parallelSinkhornBatch(problems, { epsilon: 0.2, pool });
      expect(got.values).toEqual(want.values);
      expect(got.results.map(({ g, iterations }) => [g, iterations])).toEqual(want.results.map(({ g, iterations }) => [g, iterations]));
    }
  }
});

test('what a batch refuses, it refuses before any thread starts', async () => {
  const [, pool] = pools as [ThreadPool, ThreadPool];
  await expect(parallelSinkhornBatch([], { pool })).rejects.toThrow(/problems: expected at least one problem/);
  await expect(parallelSinkhornBatch([{ cost: [1] }], { pool, onIteration: () => true })).rejects.toThrow(/onIteration: expected none/);
  await expect(parallelSinkhornBatch([{ cost: [0, 1, 1, 0], a: [1, -1] }], { pool })).rejects.toThrow(/a: expected numbers >= 0/);
});

// [m, d, blockSize, form]: pieces of a wide block, small blocks side by side, F itself, both forms in one matrix.
const shapes: [number, number, number, 'auto' | 'gram' | 'covariance'][] = [
  [16, 140_001, Infinity, 'auto'],
  [16, 3001, 100, 'auto'],
  [32, 400, 25, 'auto'],
  [24, 210, 100, 'auto'],
  [8, 90, Infinity, 'covariance'],
];
test.each(shapes)(
  'M-FAC from %i gradients of %i numbers in blocks of %p (%s) is the same on every number of threads',
  async (m, d, blockSize, form) => {
    for (const fill of d > 10_000 ? [f32] : [f32, f64]) {
      const G = { data: d > 10_000 ? quick(m * d) : fill(m * d, 5), shape: [m, d] };
      const [w, x] = [fill(d, 6), fill(d, 7)];
      const options = { damping: 1e-3, blockSize, form };
      using want = StaticMfac.buildSync(G, options);
      const pruned = obsPrune(w, want, { sparsity: 0.6 });
      for (const pool of pools) {
        const progress: number[] = [];
        using got = await StaticMfac.build(G, { ...options, pool, onProgress: ({ done }) => progress.push(done) });
        same(got.diagonal(), want.diagonal());
        same(got.ihvp(x), want.ihvp(x));
        expect(got.bytes).toBe(want.bytes);
        expect(progress.every((done, i) => done <= 1 && done >= (progress[i - 1] ?? 0))).toBe(true);
        const parallel = await parallelObsPrune(w, got, { sparsity: 0.6, pool });
        same(parallel.weights, pruned.weights);
        expect(parallel.predictedLoss).toBe(pruned.predictedLoss);
        same(parallel.mask, pruned.mask);
      }
    }
  },
);

test('gradients that nearly span each other are factorised in f64 on threads as without', async () => {
  const [m, d] = [12, 100_000];
  const G = quick(m * d);
  G.set(G.subarray(0, d), d); // two equal gradients
  const options = { damping: 1e-8 };
  const rows = { data: G, shape: [m, d] };
  using want = StaticMfac.buildSync(rows, options);
  using got = await StaticMfac.build(rows, { ...options, pool: pools[1] });
  same(got.diagonal(), want.diagonal());
});

test('bad gradients, damping and signals end a build on threads as without', async () => {
  const [, pool] = pools as [ThreadPool, ThreadPool];
  const G = { data: f32(8 * 500, 1), shape: [8, 500] };
  G.data[77] = NaN;
  for (const blockSize of [Infinity, 50])
    await expect(StaticMfac.build(G, { pool, blockSize })).rejects.toThrow(/G: expected finite numbers/);
  await expect(StaticMfac.build(G, { pool, damping: -1 })).rejects.toThrow(/damping: expected/);
  const signal = AbortSignal.abort();
  await expect(StaticMfac.build(G, { pool, signal })).rejects.toThrow(AbortError);
});

test.each([
  ['float32', f32, 'cross-entropy'],
  ['float64', f64, 'mse'],
] as const)('per-sample gradients of a dense network in %s are the same on every number of threads', async (precision, fill, loss) => {
  const sizes = [7, 33, 5];
  const layers = [0, 1].map((l) => ({
    weight: { data: fill((sizes[l + 1] as number) * (sizes[l] as number), l), shape: [sizes[l + 1] as number, sizes[l] as number] },
    bias: fill(sizes[l + 1] as number, l + 5),
    activation: l ? ('identity' as const) : ('gelu' as const),
  }));
  using model = DenseModel.create({ layers, loss });
  for (const n of [1, 8, 37, 301]) {
    const y = loss === 'mse' ? { data: fill(n * 5, 9), shape: [n, 5] } : Int32Array.from({ length: n }, (_, i) => i % 5);
    const batch = { x: { data: fill(n * 7, 8), shape: [n, 7] }, y };
    for (const slots of [undefined, ['layers.0.bias', 'layers.1.weight']]) {
      const options = slots ? { slots: [...slots] } : {};
      const want = await model.perSampleGradients(batch, options);
      for (const pool of pools) {
        const done: number[] = [];
        const got = await model.perSampleGradients(batch, { ...options, pool, onProgress: (p) => done.push(p.done) });
        expect(got.shape).toEqual(want.shape);
        same(got.data, want.data);
        expect(done.length).toBeGreaterThan(0);
        const out = {
          data: precision === 'float32' ? new Float32Array(want.data.length) : new Float64Array(want.data.length),
          shape: want.shape,
        };
        await model.perSampleGradients(batch, { ...options, pool, out });
        same(out.data, want.data);
      }
    }
    const short = { data: new Float64Array(3), shape: [1, 3] };
    for (const pool of pools)
      await expect(model.perSampleGradients(batch, { pool, out: short })).rejects.toThrow(/out: expected \d+ elements/);
    const signal = AbortSignal.abort();
    for (const pool of pools) await expect(model.perSampleGradients(batch, { pool, signal })).rejects.toThrow(AbortError);
  }
});
