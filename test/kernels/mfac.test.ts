import { columnNorms, project } from '../../src/kernels/mfac.js';
import { combineRows, replaceInverse, rowDots } from '../../src/kernels/mfac-window.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';
import { denseFisher, inverse } from '../mfac/dense.js';

describe.each([
  ['f32', randomF32, 1e-5],
  ['f64', randomF64, 1e-13],
] as const)('%s', (_type, random, tolerance) => {
  test.each([
    [1, 1],
    [3, 5],
    [4, 4],
    [9, 17],
    [13, 1030],
    [70, 3000],
    [6, 40_000],
  ])('UᵀU x and the column norms of a matrix [%i, %i] agree with plain loops', (m, n) => {
    const u = random(m * n, 1);
    const x = random(n, 2);
    const y = random(n, 3);
    const want = Float64Array.from(y);
    const norms = new Float64Array(n);
    for (let i = 0; i < m; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += u[i * n + j]! * x[j]!;
      for (let j = 0; j < n; j++) want[j] = want[j]! - 0.5 * sum * u[i * n + j]!;
      for (let j = 0; j < n; j++) norms[j] = norms[j]! + u[i * n + j]! ** 2;
    }
    for (const got of onBoth((arena) => {
      const out = arena.put(y);
      project(m, n, -0.5, arena.put(u), arena.put(x), out);
      return out;
    }))
      expectClose(got as Float32Array, want, { atol: tolerance * Math.sqrt(m * n), rtol: tolerance });
    for (const got of onBoth((arena) => {
      const out = arena.put(new Float64Array(n).fill(NaN));
      columnNorms(m, n, arena.put(u), out);
      return out;
    }))
      expectClose(got as Float64Array, norms, { rtol: 1e-13 });
    const c = randomF64(m, 4);
    const combined = Float64Array.from(x, (v, j) => 2 * c.reduce((sum, f, i) => sum + f * u[i * n + j]!, 0) - v);
    for (const got of onBoth((arena) => {
      const out = arena.put(x);
      combineRows(m, n, 2, arena.put(u), arena.put(c), -1, out, out);
      return out;
    }))
      expectClose(got as Float32Array, combined, { rtol: tolerance, atol: tolerance });
    const dots = Array.from({ length: m }, (_, i) => Array.from(x).reduce((sum, v, j) => sum + v * u[i * n + j]!, 0));
    for (const got of onBoth((arena) => {
      const out = arena.alloc('f64', m);
      rowDots(m, n, arena.put(u), arena.put(x), out);
      return out;
    }))
      expectClose(got as Float64Array, dots, { atol: tolerance * Math.sqrt(n) });
  });
});

test.each([1, 2, 3, 8, 17])('an inverse of order %i follows the replacement of a row and column', (m) => {
  for (const slot of [0, m >> 1, m - 1]) {
    const K = denseFisher(randomF64(2 * m * m, 1), 2 * m, m, 0.1);
    const c = randomF64(m, 2).map((v) => v / (4 * m));
    c[slot] = 3;
    const next = K.slice();
    for (let i = 0; i < m; i++) next[i * m + slot] = next[slot * m + i] = c[i]!;
    const want = inverse(next, m);
    for (const got of onBoth((arena) => {
      const B = arena.put(inverse(K, m));
      expectClose(replaceInverse(slot, arena.put(c), B), 1 / want[slot * m + slot]!, { rtol: 1e-10 });
      return B;
    }))
      expectClose(got as Float64Array, want, { rtol: 1e-9, atol: 1e-10 });
  }
});
