import { cholesky } from '../../src/linalg/cholesky.js';
import { gemm } from '../../src/linalg/gemm.js';
import { multiply, transpose } from '../../src/linalg/matrix.js';
import { solveTriangular } from '../../src/linalg/solve-triangular.js';
import { expectClose, randomF32, randomF64 } from '../helpers/close.js';

const spd = (n: number) => {
  const a = randomF64(n * (n + 2));
  const g = multiply(a, transpose(a, n, n + 2), n, n + 2, n);
  for (let i = 0; i < n; i++) g[i * n + i] = g[i * n + i]! + 1;
  return g;
};

test('gemm multiplies as three plain loops do, transposed or not, in the precision of a', () => {
  const a = randomF64(15, 1);
  const b = randomF64(20, 2);
  const want = multiply(a, b, 3, 5, 4);
  const A = { data: a, shape: [3, 5] };
  const B = { data: b, shape: [5, 4] };
  expectClose(gemm(A, B).data, want, { atol: 1e-14 });
  expectClose(
    gemm({ data: transpose(a, 3, 5), shape: [5, 3] }, { data: transpose(b, 5, 4), shape: [4, 5] }, { transA: true, transB: true, alpha: 2 })
      .data,
    want.map((x) => 2 * x),
    { atol: 1e-14 },
  );
  expect(gemm({ data: randomF32(15, 1), shape: [3, 5] }, B).data).toBeInstanceOf(Float32Array);
  expect(gemm({ data: new Float64Array(0), shape: [0, 5] }, B).shape).toEqual([0, 4]);
  expect(() => gemm(A, A)).toThrow(/b: expected 5 along the summed axis, got 3/);
  expect(() => gemm({ data: a.map(() => NaN), shape: [3, 5] }, B)).toThrow(/a: expected finite numbers, got NaN/);
});

test.each([1, 2, 5, 40])('the Cholesky factor of order %i multiplies back, and solves by two triangular systems', (n) => {
  const a = { data: spd(n), shape: [n, n] };
  const l = cholesky(a);
  const L = l.data as Float64Array;
  expectClose(multiply(L, transpose(L, n, n), n, n, n), a.data, { atol: 1e-12 * n });
  const x = randomF64(n * 2, 3);
  const b = { data: multiply(a.data, x, n, n, 2), shape: [n, 2] };
  expectClose(solveTriangular(l, solveTriangular(l, b), { transpose: true }).data, x, { atol: 1e-10 });
});

test('upper triangles and vectors are solved too', () => {
  const t = { data: Float64Array.of(2, 1, 7, 4), shape: [2, 2] }; // 7 is not read
  expectClose(solveTriangular(t, { data: Float64Array.of(4, 8), shape: [2] }, { upper: true }).data, [1, 2]);
  expectClose(solveTriangular(t, { data: Float64Array.of(4, 18), shape: [2] }).data, [2, 1]);
  expect([...solveTriangular(t, [4, 18]).data]).toEqual([2, 1]);
  expect([...solveTriangular(t, Float64Array.of(4, 18)).data]).toEqual([2, 1]);
});

test('matrices without a factor, and singular triangles, are refused by name', () => {
  expect(() => cholesky({ data: Float64Array.of(1, 2, 2, 1), shape: [2, 2] })).toThrow(
    /a: expected a positive definite matrix, got a pivot that is not > 0 at index 1/,
  );
  expect(() => solveTriangular({ data: Float64Array.of(0, 0, 0, 1), shape: [2, 2] }, { data: Float64Array.of(1, 2), shape: [2] })).toThrow(
    /t: expected a diagonal without zeros, got 0 at index 0/,
  );
  expect(() => solveTriangular({ data: Float64Array.of(1, 0, 0, 1), shape: [2, 2] }, { data: Float64Array.of(1), shape: [1] })).toThrow(
    /b: expected 2 rows, got 1/,
  );
});
