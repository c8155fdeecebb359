// systems/213: A theory of meta-factorization.
import { multiply, transpose } from '../../src/linalg/matrix.js';
import { curDecomposition, generalizedNystrom, utv } from '../../src/linalg/meta-factorization.js';
import { pseudoInverse } from '../../src/linalg/pseudo-inverse.js';
import { svd } from '../../src/linalg/svd.js';
import { expectClose, randomF64, relativeError } from '../helpers/close.js';

const [m, n] = [25, 18];
const lowRank = (r: number) => multiply(randomF64(m * r, 1), randomF64(r * n, 2), m, r, n);
/** A matrix with singular values 0.5^i. */
function decaying(): Float64Array {
  const { u } = svd({ data: randomF64(m * n, 3), shape: [m, n] });
  const { v } = svd({ data: randomF64(n * n, 4), shape: [n, n] });
  const scaled = (u.data as Float64Array).map((x, i) => x * 0.5 ** (i % n));
  return multiply(scaled, transpose(v.data as Float64Array, n, n), m, n, n);
}
const f = (t: { data: ArrayLike<number> }) => Float64Array.from(t.data);
const cur = (a: Float64Array, rank: number) => {
  const { c, u, r } = curDecomposition({ data: a, shape: [m, n] }, { rank });
  return multiply(multiply(f(c), f(u), m, rank, rank), f(r), m, rank, n);
};
const nystrom = (a: Float64Array, rank: number) => {
  const { left, core, right } = generalizedNystrom({ data: a, shape: [m, n] }, { rank });
  const s = core.shape[1]!;
  return multiply(multiply(f(left), f(core), m, rank, s), f(right), m, s, n);
};
const distance = (a: Float64Array, b: Float64Array) => Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0));

test.each([1, 4, 9])('systems/213: a matrix of rank %i is reproduced by CUR and by generalised Nyström', (rank) => {
  const a = lowRank(rank);
  expect(relativeError(cur(a, rank), a)).toBeLessThan(1e-10);
  expect(relativeError(nystrom(a, rank), a)).toBeLessThan(1e-10);
});

test('systems/213: C, U, R solve the projector equations: C U R = C C⁺ A R⁺ R', () => {
  const a = decaying();
  const { c, r, columns, rows } = curDecomposition({ data: a, shape: [m, n] }, { rank: 5 });
  expect(new Set(columns).size).toBe(5);
  expect(new Set(rows).size).toBe(5);
  const P = multiply(f(c), f(pseudoInverse(c)), m, 5, m);
  const Q = multiply(f(pseudoInverse(r)), f(r), n, 5, n);
  expectClose(cur(a, 5), multiply(multiply(P, a, m, m, n), Q, m, n, n), { atol: 1e-12 });
});

test('systems/213: on a decaying spectrum both stay within a small factor of the truncated SVD', () => {
  const a = decaying();
  for (const rank of [3, 6, 9]) {
    let tail = 0;
    for (let i = rank; i < n; i++) tail += 0.25 ** i;
    const best = Math.sqrt(tail);
    expect(distance(cur(a, rank), a)).toBeLessThan((rank + 1) * best); // (k + 1): the bound for well chosen columns
    expect(distance(nystrom(a, rank), a)).toBeLessThan(10 * best);
    expect(distance(nystrom(a, rank), a)).toBeGreaterThan(best);
  }
});

test('systems/213: UTV has orthogonal factors and a triangle whose diagonal falls like the singular values', () => {
  const a = decaying();
  const { u, t, v } = utv({ data: a, shape: [m, n] });
  expectClose(multiply(multiply(f(u), f(t), m, n, n), transpose(f(v), n, n), m, n, n), a, { atol: 1e-13 });
  for (const [q, rows] of [
    [f(u), m],
    [f(v), n],
  ] as const) {
    const gram = multiply(transpose(q, rows, n), q, n, rows, n);
    expectClose(
      gram,
      Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)),
      { atol: 1e-12 },
    );
  }
  for (let i = 0; i < n; i++) {
    expectClose(t.data[i * (n + 1)]!, 0.5 ** i, { rtol: 1e-6 });
    for (let j = 0; j < i; j++) expect(t.data[i * n + j]).toBe(0);
  }
});

test('a zero matrix and ranks that are too large', () => {
  expectClose(cur(new Float64Array(m * n), 3), new Float64Array(m * n));
  expect(() => curDecomposition({ data: new Float64Array(6), shape: [2, 3] }, { rank: 3 })).toThrow(
    /rank: expected an integer from 1 to 2, got 3/,
  );
  expect(() => utv({ data: new Float64Array(6), shape: [2, 3] })).toThrow(/a: expected at least as many rows as columns, got 2 × 3/);
});
