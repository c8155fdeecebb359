import { trsm } from '../../src/kernels/triangular.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

const cases = [
  [1, 1],
  [2, 9],
  [3, 8],
  [4, 4],
  [5, 17],
  [8, 3],
  [12, 16],
  [17, 130],
  [33, 260],
  [70, 5],
] as const;

describe.each([
  ['f32', randomF32, 5e-5],
  ['f64', randomF64, 1e-13],
] as const)('%s', (_type, random, tolerance) => {
  test.each(cases)('a triangle of %i with %i right-hand sides: T times the solution gives them back', (m, n) => {
    for (const upper of [false, true]) {
      for (const transT of [false, true]) {
        const [ldt, ldx] = [m + 2, n + 1];
        const t = random(m * ldt, 1).map((v, at) => (Math.floor(at / ldt) === at % ldt ? 2 + Math.abs(v) : v / 4));
        const x = random(m * ldx, 2);
        for (const got of onBoth((arena) => {
          const out = arena.put(x);
          trsm(m, n, arena.put(t), out, { upper, transT, ldt, ldx });
          return out;
        })) {
          const solved = got as Float32Array;
          const back = Float64Array.from(x);
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              let sum = 0;
              for (let k = 0; k < m; k++) {
                const [r, c] = transT ? [k, i] : [i, k];
                if (upper ? c >= r : c <= r) sum += t[r * ldt + c]! * solved[k * ldx + j]!;
              }
              back[i * ldx + j] = sum;
            }
          }
          expectClose(back, x, { atol: tolerance, rtol: tolerance });
        }
      }
    }
  });
});

test('the triangle that is not meant is never read', () => {
  const [fast] = onBoth((arena) => {
    const x = arena.put(new Float64Array([2, 8]));
    trsm(2, 1, arena.put(new Float64Array([2, NaN, 1, 7])), x);
    return x;
  });
  expectClose(fast as Float64Array, [1, 1], { rtol: 1e-15 });
});

test('blocks that are too short are refused by name; an empty system is left alone', () => {
  onBoth((arena) => {
    const four = arena.put(new Float32Array([1, 0, 0, 1]));
    expect(() => trsm(2, 3, four, four)).toThrow(/x: expected 6 elements, got 4/);
    trsm(0, 3, four, four);
    return 0;
  });
});
