import { flatKernel, labelKernel } from '../../src/kernels/label-kernel.js';
import { labelPlan, shares } from '../../src/kernels/partial-dual.js';
import type { Arena, F32, F64 } from '../../src/runtime/arena.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 17].flatMap((cols) => [1, 5, 9].map((rows) => [rows, cols] as const));
const pitchOf = (width: number) => 8 * Math.ceil(width / 8);
const precisions = ['float32', 'float64'] as const;

test.each(sizes)('kernel matrices of %i x %i logits or costs agree with the twin and with the formula', (rows, cols) => {
  for (const precision of precisions) {
    for (const [logits, stride, extra, topped] of [
      [false, 1, 0, true],
      [false, 2, 1, false],
      [true, 1, 1, true],
      [true, 4, 0, false],
    ] as const) {
      const epsilon = 0.1;
      const x = randomF64(rows * cols, 1).map((v) => Math.fround(2 * v));
      const [count, width] = [Math.ceil(rows / stride), cols + extra];
      const pitch = pitchOf(width);
      const g = randomF64(pitch, 2);
      const run = (arena: Arena) => {
        const labels = { data: arena.putAs(precision, x), logits, cols, low: 0, high: 0 };
        const [K, top] = [arena.real(precision, count * pitch), topped ? arena.alloc('f64', pitch) : undefined];
        const blocks = { K, F: arena.alloc('f64', count), base: arena.zeros('f64', count), top };
        labelKernel(blocks, labels, arena.put(g), { epsilon, stride, width, known: false });
        const first = arena.take<'f32' | 'f64'>(K);
        labelKernel(blocks, labels, arena.put(g), { epsilon, stride, width, known: true });
        expectClose(arena.take<'f32' | 'f64'>(K), first, { rtol: 1e-6, atol: 0 });
        return { ...blocks, top: top ?? arena.zeros('f64', 1) };
      };
      const tolerance = precision === 'float32' ? { rtol: 3e-6, atol: 1e-6 } : { rtol: 1e-13, atol: 1e-13 };
      for (const what of ['K', 'F', 'base', 'top'] as const) {
        const [fast, plain] = onBoth((arena) => run(arena)[what]);
        expectClose(fast as Float64Array, plain as Float64Array, tolerance);
      }
      const [K] = onBoth((arena) => run(arena).K);
      for (let i = 0; i < count; i++) {
        const row = x.subarray(i * stride * cols, i * stride * cols + cols);
        const base = logits ? Math.log(row.reduce((s, v) => s + Math.exp(v), 0)) : 0;
        const exponents = Array.from({ length: width }, (_, j) => g[j]! - (j < cols ? (logits ? base - row[j]! : row[j]!) : 0) / epsilon);
        const most = Math.max(...exponents);
        const want = Array.from({ length: pitch }, (_, j) => (j < width ? Math.exp(exponents[j]! - most) : 0));
        expectClose(K.slice(i * pitch, (i + 1) * pitch) as Float64Array, want, { rtol: tolerance.rtol * 10, atol: 1e-15 });
      }
    }
  }
});

test.each(sizes)('the flat kernel matrix of %i x %i logits agrees with the twin, by powers and by exponentials', (rows, cols) => {
  for (const epsilon of [1, 0.1, 0.3, 1 / 64]) {
    for (const [stride, extra] of [
      [1, 1],
      [3, 0],
    ] as const) {
      const x = randomF64(rows * cols, 4);
      const [count, width] = [Math.ceil(rows / stride), cols + extra];
      const pitch = pitchOf(width);
      for (const what of ['K', 'F', 'base'] as const) {
        const [fast, plain] = onBoth((arena) => {
          const blocks = { K: arena.alloc('f64', count * pitch), F: arena.alloc('f64', count), base: arena.alloc('f64', count) };
          const labels = { data: arena.put(x), logits: true, cols, low: -6, high: 6 };
          flatKernel(blocks, labels, { epsilon, stride, width, pitch });
          return blocks[what];
        });
        expectClose(fast as Float64Array, plain as Float64Array, { rtol: 3e-13, atol: 1e-13 });
      }
    }
  }
});

test.each(sizes)('shares of %i x %i agree with the twin, and what is below the floor is dropped', (rows, cols) => {
  const pitch = pitchOf(cols);
  const [fast, plain] = onBoth((arena) => {
    const out: F32 = arena.alloc('f32', rows * pitch);
    const K = arena.put(Float64Array.from({ length: rows * pitch }, (_, k) => 10 ** -(k % 40)));
    shares(out, K, arena.put(randomF64(rows, 1).map(Math.abs)), arena.put(randomF64(pitch, 2).map(Math.abs)), 1e-20);
    return out;
  });
  expectClose(fast as Float32Array, plain as Float32Array, { rtol: 1e-7, atol: 2e-20 });
  expect([...fast].every((share) => share === 0 || share > 0.99e-20)).toBe(true);
});

test.each(sizes)('plan and slack of %i x %i agree with the twin', (rows, cols) => {
  for (const precision of precisions) {
    for (const extra of [0, 1]) {
      const pitch = pitchOf(cols + extra);
      const parts = (arena: Arena) => {
        const positive = (n: number, seed: number) => arena.putAs(precision, randomF64(n, seed).map(Math.abs));
        const out = { plan: arena.real(precision, rows * cols), slack: arena.alloc('f64', rows), logs: arena.alloc('f64', 1) as F64 };
        const [K, u, v] = [positive(rows * pitch, 1), positive(rows, 2), positive(pitch, 3)];
        const logs = labelPlan(out.plan, out.slack, K, u, v, cols, cols + extra);
        arena.view(out.logs)[0] = logs;
        return out;
      };
      for (const what of ['plan', 'slack', 'logs'] as const) {
        const [fast, plain] = onBoth((arena) => parts(arena)[what]);
        expectClose(fast as Float64Array, plain as Float64Array, { rtol: precision === 'float32' ? 3e-7 : 1e-15, atol: 0 });
      }
    }
  }
});
