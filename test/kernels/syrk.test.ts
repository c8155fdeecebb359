import { syrk } from '../../src/kernels/syrk.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

describe.each([
  ['f32', randomF32, 2e-6],
  ['f64', randomF64, 4e-15],
] as const)('%s', (_type, random, tolerance) => {
  test.each([
    [1, 1],
    [3, 2],
    [4, 7],
    [5, 300],
    [8, 256],
    [9, 513],
    [13, 17],
    [16, 5],
    [33, 64],
    [70, 30],
  ])('the Gram matrix of %i rows of %i agrees with plain loops and is symmetric', (m, k) => {
    for (const transA of [false, true]) {
      const a = random(m * k, 1);
      const start = randomF64(m * m, 2);
      const want = Array.from(start, (_, at) => {
        const [i, j] = [Math.floor(at / m), at % m];
        let sum = 0;
        for (let p = 0; p < k; p++) sum += transA ? a[p * m + i]! * a[p * m + j]! : a[i * k + p]! * a[j * k + p]!;
        return 0.5 * sum + 2 * start[Math.max(i, j) * m + Math.min(i, j)]!;
      });
      for (const got of onBoth((arena) => {
        const c = arena.put(start);
        syrk(m, k, arena.put(a), c, { transA, alpha: 0.5, beta: 2 });
        return c;
      }))
        expectClose(got as Float64Array, want, { atol: tolerance * Math.sqrt(k), rtol: tolerance });
    }
  });
});

test('panels are added in f64: a row of 1e5 equal f32 numbers keeps seven digits', () => {
  const k = 100_000;
  const [fast] = onBoth((arena) => {
    const c = arena.alloc('f64', 1);
    syrk(1, k, arena.put(new Float32Array(k).fill(0.1)), c);
    return c;
  });
  expectClose(fast as Float64Array, [k * Math.fround(0.1) ** 2], { rtol: 1e-6 });
});

test('a C of NaN is overwritten when beta is 0', () => {
  const [fast] = onBoth((arena) => {
    const c = arena.put(new Float64Array(4).fill(NaN));
    syrk(2, 1, arena.put(new Float64Array([1, 2])), c);
    return c;
  });
  expect(Array.from(fast as Float64Array)).toEqual([1, 2, 2, 4]);
});
