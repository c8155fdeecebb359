import { Random } from '../../src/core/random.js';
import { type GemmOptions, gemm } from '../../src/kernels/gemm.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

/** C = alpha·op(A)·op(B) + beta·C in plain loops. */
function oracle(
  m: number,
  n: number,
  k: number,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  c: ArrayLike<number>,
  o: GemmOptions,
): number[] {
  const { alpha = 1, beta = 0, transA = false, transB = false } = o;
  const { lda = transA ? m : k, ldb = transB ? k : n, ldc = n } = o;
  const out = Array.from(c);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[transA ? p * lda + i : i * lda + p]! * b[transB ? j * ldb + p : p * ldb + j]!;
      out[i * ldc + j] = alpha * sum + (beta ? beta * c[i * ldc + j]! : 0);
    }
  }
  return out;
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 13, 17, 33];
const around = [
  [129, 9, 5],
  [3, 1030, 7],
  [5, 11, 515],
  [130, 70, 300],
  [257, 33, 513],
] as const;

describe.each([
  ['f32', randomF32, 2e-6],
  ['f64', randomF64, 4e-15],
] as const)('%s', (_type, random, tolerance) => {
  const check = (m: number, n: number, k: number, o: GemmOptions = {}): void => {
    const { transA = false, transB = false } = o;
    const { lda = transA ? m : k, ldb = transB ? k : n, ldc = n } = o;
    const a = random((transA ? k : m) * lda || 1, 1);
    const b = random((transB ? n : k) * ldb || 1, 2);
    const c = random(m * ldc || 1, 3);
    const want = oracle(m, n, k, a, b, c, o);
    for (const got of onBoth((arena) => {
      const out = arena.put(c);
      gemm(m, n, k, arena.put(a), arena.put(b), out, o);
      return out;
    })) {
      expectClose(got as Float32Array, want, { atol: tolerance * Math.sqrt(k + 1) * (Math.abs(o.alpha ?? 1) + 1), rtol: tolerance });
    }
  };

  test.each(sizes)('products with %i rows agree with plain loops in all four orientations', (m) => {
    for (const n of sizes)
      for (const transA of [false, true]) for (const transB of [false, true]) check(m, n, 1 + ((m * 7 + n * 3) % 19), { transA, transB });
  });

  test.each(around)('a product of [%i, %i] over %i crosses the edges of cache blocks', (m, n, k) => {
    for (const transA of [false, true]) for (const transB of [false, true]) check(m, n, k, { transA, transB, alpha: -0.5, beta: 2 });
  });

  test('row strides leave the elements between rows untouched', () => {
    check(5, 9, 6, { lda: 11, ldb: 13, ldc: 17, beta: 1 });
    check(5, 9, 6, { lda: 7, ldb: 8, ldc: 10, transA: true, transB: true });
  });

  test('random shapes, strides and factors agree with plain loops', () => {
    const random = new Random(7);
    for (let i = 0; i < 60; i++) {
      const [m, n, k] = [random.integer(40), random.integer(40), random.integer(40)] as [number, number, number];
      const [transA, transB] = [random.integer(2) === 1, random.integer(2) === 1];
      const [lda, ldb] = [(transA ? m : k) + random.integer(3), (transB ? k : n) + random.integer(3)];
      check(m, n, k, { transA, transB, lda, ldb, ldc: n + random.integer(3), alpha: random.integer(3) - 1, beta: random.integer(3) - 1 });
    }
  });
});

test('beta = 0 overwrites a C full of NaN; an empty inner dimension gives beta·C', () => {
  for (const got of onBoth((arena) => {
    const c = arena.put(new Float32Array(10).fill(NaN));
    gemm(2, 5, 3, arena.put(new Float32Array(6).fill(1)), arena.put(new Float32Array(15).fill(2)), c);
    return c;
  }))
    expect(Array.from(got as Float32Array)).toEqual(new Array(10).fill(6));
  for (const beta of [0, 3]) {
    for (const got of onBoth((arena) => {
      const c = arena.put(new Float64Array([1, 2]));
      gemm(1, 2, 0, arena.alloc('f64', 0), arena.alloc('f64', 0), c, { beta });
      return c;
    }))
      expect(Array.from(got as Float64Array)).toEqual([beta, 2 * beta]);
  }
});

test('blocks that are too short and strides below the row length are refused by name', () => {
  onBoth((arena) => {
    const six = arena.zeros('f32', 6);
    expect(() => gemm(2, 3, 3, six, six, six)).toThrow(/b: expected 9 elements, got 6/);
    expect(() => gemm(2, 2, 3, six, six, arena.zeros('f32', 3))).toThrow(/c: expected 4 elements, got 3/);
    expect(() => gemm(2, 2, 3, six, six, six, { lda: 2 })).toThrow(/a: expected a row stride >= 3, got 2/);
    return 0;
  });
});
