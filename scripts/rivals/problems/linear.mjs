// Matrix products, streaming kernels, M-FAC.
import { randomF32 } from '../../../build/src/bench/case.js';
import { dot } from '../../../build/src/kernels/dot.js';
import { gemm } from '../../../build/src/kernels/gemm.js';
import { gemv } from '../../../build/src/kernels/gemv.js';
import { DynamicMfac, StaticMfac } from '../../../build/src/mfac/index.js';
import { Instance } from '../../../build/src/runtime/instance.js';
import { fromFunction, within } from '../engine.mjs';
import { operatorSession } from '../peers.mjs';

const tensor = (data, ...shape) => ({ data, shape });

function gemmProblem(n, { peer, python }) {
  const a = tensor(randomF32(n * n, 1), n, n);
  const b = tensor(randomF32(n * n, 2), n, n);
  const flops = 2 * n ** 3;
  return {
    name: 'sgemm',
    size: [n],
    work: { flops },
    tile: flops,
    aim: '>= 85 % of the tile limit; plain >= 1.05x tfjs, relaxed >= 1.3x every peer',
    met: ({ share, rivals, build }) =>
      build === 'relaxed'
        ? ['tfjs wasm', 'onnxruntime-web', 'jax-js'].every((name) => !(rivals[name]?.ratio < 1.3))
        : share >= 0.85 && !(rivals['tfjs wasm']?.ratio < 1.05),
    ours: () => {
      const instance = new Instance();
      const [x, y, c] = instance.keep((arena) => [arena.put(a.data), arena.put(b.data), arena.zeros('f32', n * n)]);
      const work = () => instance.run(() => gemm(n, n, n, x, y, c));
      work();
      return fromFunction(work, instance.arena.take(c));
    },
    rivals: {
      'tfjs wasm': peer('tfjs', (tf) => {
        const [x, y] = [tf.tensor2d(a.data, a.shape), tf.tensor2d(b.data, b.shape)];
        const work = () => tf.matMul(x, y).dispose();
        return fromFunction(work, tf.matMul(x, y).dataSync());
      }),
      'onnxruntime-web': peer('ortWeb', (ort) => operatorSession(ort, 'MatMul', { a, b })),
      'onnxruntime-node (AVX-512)': peer('ortNode', (ort) => operatorSession(ort, 'MatMul', { a, b })),
      'jax-js': peer('jax', async ({ numpy: np, jit }) => {
        const [x, y] = [np.array(a.data).reshape(a.shape), np.array(b.data).reshape(b.shape)];
        const product = jit((p, q) => np.matmul(p, q));
        const call = () => product(x.ref, y.ref).dataSync();
        return fromFunction(call, Float32Array.from(call()));
      }),
      ...(n <= 512 && {
        'ml-matrix (f64)': peer('mlMatrix', ({ Matrix }) => {
          const [x, y] = [Matrix.from1DArray(n, n, a.data), Matrix.from1DArray(n, n, b.data)];
          return fromFunction(() => x.mmul(y), Float64Array.from(x.mmul(y).to1DArray()));
        }),
      }),
      'NumPy (AVX-512)': python('numpy_gemm', { a, b }),
    },
  };
}

/** `bytes` lie in memory and are read `times` over: the limit is plain reading of as many, by turns with the work. */
function streamProblem(name, size, { bytes, times = 1, ours, rivals, tolerance, aim = '>= 80 % of plain reading' }) {
  return {
    name,
    size,
    work: { bytes: times * bytes },
    reading: { bytes, times },
    aim,
    tolerance,
    met: ({ share }) => share >= 0.8,
    ours,
    rivals,
  };
}

function streams({ python }) {
  const vectors = (n) => [randomF32(n, 1), randomF32(n, 2)];
  const dots = [4096, 65536, 4194304].map((n) => {
    const [x, y] = vectors(n);
    return streamProblem('dot', [n], {
      bytes: 8 * n,
      tolerance: 0.02,
      ours: () => {
        const instance = new Instance();
        const [p, q] = instance.keep((arena) => [arena.put(x), arena.put(y)]);
        const work = () => dot(p, q);
        return { ...within(instance, work), result: instance.run(work) };
      },
      rivals: { NumPy: python('numpy_sum', { x: tensor(x, n), y: tensor(y, n) }) },
    });
  });
  const [rows, cols] = [512, 16384];
  const a = randomF32(rows * cols, 3);
  const x = randomF32(cols, 4);
  const product = streamProblem('gemv', [rows, cols], {
    bytes: 4 * rows * cols,
    ours: () => {
      const instance = new Instance();
      const [A, v, y] = instance.keep((arena) => [arena.put(a), arena.put(x), arena.zeros('f32', rows)]);
      const work = () => gemv(rows, cols, A, v, y);
      instance.run(work);
      return { ...within(instance, work), result: instance.arena.take(y) };
    },
    rivals: { NumPy: python('numpy_gemv', { a: tensor(a, rows, cols), x: tensor(x, cols) }) },
  });
  return [...dots, product];
}

function mfacProblems({ python, limits }) {
  const [m, d, damping] = [512, 100_000, 1e-3];
  const g = tensor(randomF32(m * d, 5), m, d);
  const flops = 2 * m * m * d; // Gram and triangular solve, each m²d
  const params = { damping };
  const build = {
    name: 'M-FAC static build + diagonal',
    size: [m, d],
    work: { flops },
    limit: (ms) => flops / ms / 1e6 / limits.float32,
    aim: '>= 60 % of the sgemm limit; >= 3x the recurrence',
    met: ({ share, rivals }) => share >= 0.6 && !(rivals['the published recurrence (NumPy, AVX-512)']?.ratio < 3),
    tolerance: 1e-2,
    ours: async () => {
      const work = async () => {
        const mfac = await StaticMfac.build(g, params);
        const diagonal = mfac.diagonal();
        mfac.dispose();
        return diagonal;
      };
      return fromFunction(work, await work());
    },
    rivals: {
      'the same algorithm (NumPy + LAPACK, AVX-512)': python('numpy_mfac_build', { g }, params),
      'the published recurrence (NumPy, AVX-512)': python('numpy_mfac_recurrence', { g }, params),
    },
  };
  const product = streamProblem('M-FAC ihvp, factors resident', [m, d], {
    bytes: 4 * m * d,
    times: 2,
    aim: '>= 80 % of plain reading of U, read twice',
    ours: async () => {
      const mfac = await StaticMfac.build(g, params);
      const x = randomF32(d, 6);
      return fromFunction(() => mfac.ihvp(x), mfac.ihvp(x));
    },
  });
  return [build, product, dynamicProblem(python)];
}

/** A gradient enters a full window and is multiplied by F⁻¹: W is read twice, once for W g and once for the combination of its rows. */
function dynamicProblem(python) {
  const [m, d] = [512, 270_000];
  return streamProblem('M-FAC dynamic push + ihvp', [m, d], {
    bytes: 4 * m * d,
    times: 2,
    aim: '>= 80 % of plain reading of the window, read twice',
    ours: () => {
      const mfac = new DynamicMfac({ size: d, window: m, damping: 1e-3 });
      const gradients = Array.from({ length: 8 }, (_, i) => randomF32(d, 20 + i));
      const noise = randomF32(d, 7);
      for (let i = 0; i < m; i++) mfac.push(gradients[i % 8].map((v, k) => v + noise[(k + 997 * i) % d]));
      let next = 0;
      const work = () => mfac.update(gradients[next++ % 8]);
      return { ...fromFunction(work, undefined), close: () => mfac.dispose() };
    },
    rivals: { 'the two products alone (NumPy, AVX-512)': python('numpy_two_products', {}, { rows: m, cols: d }) },
  });
}

/** All problems of this file. */
export const linear = (context) => [gemmProblem(512, context), gemmProblem(1024, context), ...streams(context), ...mfacProblems(context)];
