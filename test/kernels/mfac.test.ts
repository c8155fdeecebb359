import { columnNorms, project } from '../../src/kernels/mfac.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

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
  });
});
