import { gemv } from '../../src/kernels/gemv.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

const sizes = [0, 1, 3, 4, 5, 8, 9, 17];

describe.each([
  ['f32', randomF32, 2e-6],
  ['f64', randomF64, 4e-15],
] as const)('%s', (_type, random, tolerance) => {
  const check = (m: number, n: number, transA: boolean, alpha = 1, beta = 0, lda = n): void => {
    const a = random(m * lda, 1);
    const x = random(transA ? m : n, 2);
    const y = random(transA ? n : m, 3);
    const want = Array.from(y, (v, i) => {
      let sum = 0;
      for (let j = 0; j < x.length; j++) sum += a[transA ? j * lda + i : i * lda + j]! * x[j]!;
      return alpha * sum + (beta ? beta * v : 0);
    });
    for (const got of onBoth((arena) => {
      const out = arena.put(y);
      gemv(m, n, arena.put(a), arena.put(x), out, { transA, alpha, beta, lda });
      return out;
    }))
      expectClose(got as Float32Array, want, { atol: tolerance * (Math.sqrt(x.length) + 1) * (Math.abs(alpha) + 1), rtol: tolerance });
  };

  test.each([false, true])('matrix times vector agrees with plain loops (transA %s)', (transA) => {
    for (const m of sizes) for (const n of sizes) check(m, n, transA);
    check(7, 10, transA, -0.5, 2, 13);
    check(6, 9000, transA, 2, 1);
    check(9, 4097, transA, 1, 0, 4100);
  });
});

test('beta = 0 does not read y, and wrong lengths are refused by name', () => {
  onBoth((arena) => {
    const a = arena.put(new Float32Array(6).fill(1));
    const y = arena.put(new Float32Array(2).fill(NaN));
    gemv(2, 3, a, arena.put(new Float32Array(3).fill(1)), y);
    expect(Array.from(arena.view(y))).toEqual([3, 3]);
    expect(() => gemv(2, 3, a, y, y)).toThrow(/x: expected 3 elements, got 2/);
    return 0;
  });
});
