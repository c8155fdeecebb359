import fc from 'fast-check';
import { eigh } from '../../src/linalg/eigh.js';
import { multiply, transpose } from '../../src/linalg/matrix.js';
import { qr } from '../../src/linalg/qr.js';
import { svd } from '../../src/linalg/svd.js';
import { eighTridiagonal } from '../../src/linalg/tridiagonal.js';
import { expectClose, randomF64 } from '../helpers/close.js';

const symmetric = (n: number, seed = 1) => {
  const a = randomF64(n * n, seed);
  return a.map((_, i) => a[i]! + a[(i % n) * n + Math.floor(i / n)]!);
};
const gram = (columns: Float64Array, m: number, n: number) => multiply(transpose(columns, m, n), columns, n, m, n);
const identity = (n: number) => Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));

test.each([1, 2, 3, 4, 7, 30])('eigenvectors of a random symmetric matrix of order %i rebuild it and are orthonormal', (n) => {
  const a = symmetric(n, n);
  const { values, vectors } = eigh({ data: a, shape: [n, n] });
  const V = vectors.data as Float64Array;
  const scaled = V.map((x, i) => x * values[i % n]!);
  expectClose(multiply(scaled, transpose(V, n, n), n, n, n), a, { atol: 1e-13 * n });
  expectClose(gram(V, n, n), identity(n), { atol: 1e-13 });
  expect([...values]).toEqual([...values].sort((x, y) => x - y));
  expectClose(eigh({ data: a, shape: [n, n] }, { vectors: false }).values, values, { atol: 1e-13 * n });
});

test('the second difference matrix has eigenvalues 2 − 2 cos(πj/(n+1))', () => {
  const n = 25;
  const { values } = eighTridiagonal(new Float64Array(n).fill(2), new Float64Array(n - 1).fill(-1));
  expectClose(
    values,
    Array.from({ length: n }, (_, j) => 2 - 2 * Math.cos((Math.PI * (j + 1)) / (n + 1))),
    { atol: 1e-14 },
  );
});

test('first components of tridiagonal eigenvectors are those of the full ones', () => {
  const alpha = randomF64(12, 3);
  const beta = randomF64(11, 4);
  const full = eighTridiagonal(alpha, beta);
  const first = eighTridiagonal(alpha, beta, { vectors: 'first' });
  expectClose(
    first.vectors.map((x) => x * x),
    Float64Array.from({ length: 12 }, (_, j) => full.vectors[j * 12]! ** 2),
    { atol: 1e-14 },
  );
  expectClose(eighTridiagonal(alpha, beta, { vectors: 'none' }).values, full.values, { atol: 1e-14 });
});

test('zero, diagonal, repeated and badly scaled matrices keep their eigenvalues', () => {
  expectClose(eigh({ data: new Float64Array(16), shape: [4, 4] }).values, [0, 0, 0, 0]);
  expectClose(eigh({ data: identity(5), shape: [5, 5] }).values, [1, 1, 1, 1, 1], { atol: 1e-15 });
  for (const scale of [1e-150, 1, 1e150]) {
    const a = symmetric(6, 9);
    const want = eigh({ data: a, shape: [6, 6] }).values;
    expectClose(
      eigh({ data: a.map((x) => x * scale), shape: [6, 6] }).values,
      want.map((x) => x * scale),
      { atol: 1e-14 * 10 * scale },
    );
  }
  expect(eigh({ data: new Float64Array(0), shape: [0, 0] }).values).toHaveLength(0);
});

test('matrices that are not square, not symmetric or not finite are refused by name', () => {
  expect(() => eigh({ data: new Float64Array(6), shape: [2, 3] })).toThrow(/a: expected a square matrix, got 2 × 3/);
  expect(() => eigh({ data: Float64Array.of(1, 2, 3, 4), shape: [2, 2] })).toThrow(/a: expected a symmetric matrix/);
  expect(() => eigh({ data: Float64Array.of(1, NaN, NaN, 4), shape: [2, 2] })).toThrow(/a: expected finite numbers, got NaN/);
  expect(() => eighTridiagonal([1, 2, 3], [1])).toThrow(/beta: expected at least 2 elements, got 1/);
});

test.each([
  [5, 3],
  [3, 5],
  [4, 4],
  [1, 6],
  [6, 1],
  [40, 17],
])('QR of a %i × %i matrix rebuilds it with orthonormal q and non-negative diagonal', (m, n) => {
  const a = randomF64(m * n, 5);
  const k = Math.min(m, n);
  const { q, r } = qr({ data: a, shape: [m, n] });
  expectClose(multiply(q.data as Float64Array, r.data as Float64Array, m, k, n), a, { atol: 1e-13 });
  expectClose(gram(q.data as Float64Array, m, k), identity(k), { atol: 1e-14 });
  for (let i = 0; i < k; i++) {
    expect(r.data[i * n + i]!).toBeGreaterThanOrEqual(0);
    for (let j = 0; j < i; j++) expect(r.data[i * n + j]!).toBe(0);
  }
});

test.each([
  [5, 3],
  [3, 5],
  [1, 4],
  [4, 1],
  [30, 30],
])('SVD of a %i × %i matrix rebuilds it; squared singular values are eigenvalues of the Gram matrix', (m, n) => {
  const a = randomF64(m * n, 6);
  const r = Math.min(m, n);
  const { u, s, v } = svd({ data: a, shape: [m, n] });
  const us = (u.data as Float64Array).map((x, i) => x * s[i % r]!);
  expectClose(multiply(us, transpose(v.data as Float64Array, n, r), m, r, n), a, { atol: 1e-12 });
  expectClose(gram(u.data as Float64Array, m, r), identity(r), { atol: 1e-13 });
  expectClose(gram(v.data as Float64Array, n, r), identity(r), { atol: 1e-13 });
  const short = m >= n ? gram(a, m, n) : gram(transpose(a, m, n), n, m);
  expectClose(
    s.map((x) => x * x),
    eigh({ data: short, shape: [r, r] }).values.reverse(),
    { atol: 1e-10 },
  );
});

test('rank-deficient and zero matrices have orthonormal singular vectors all the same', () => {
  const x = randomF64(6, 1);
  const y = randomF64(4, 2);
  const outer = Float64Array.from({ length: 24 }, (_, i) => x[Math.floor(i / 4)]! * y[i % 4]!);
  for (const data of [outer, new Float64Array(24)]) {
    const { u, s, v } = svd({ data, shape: [6, 4] });
    expectClose(gram(u.data as Float64Array, 6, 4), identity(4), { atol: 1e-13 });
    expectClose(gram(v.data as Float64Array, 4, 4), identity(4), { atol: 1e-13 });
    expectClose(s.subarray(1), [0, 0, 0], { atol: 1e-14 });
  }
});

test('the norm of any matrix is that of its singular values', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.nat(1000), (m, n, seed) => {
      const a = randomF64(m * n, seed);
      const { s } = svd({ data: a, shape: [m, n] });
      expectClose(
        s.reduce((sum, x) => sum + x * x, 0),
        a.reduce((sum, x) => sum + x * x, 0),
        { rtol: 1e-12 },
      );
    }),
    { numRuns: 50 },
  ));
