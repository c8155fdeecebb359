import { cholesky } from '../../src/kernels/cholesky.js';
import { expectClose, randomF64 } from '../helpers/close.js';
import { onBoth } from '../helpers/tiers.js';

/** B·Bᵀ + shift·I for random B [n, n]. */
function positive(n: number, shift = 0.5): Float64Array {
  const b = randomF64(n * n, n);
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = i === j ? shift : 0;
    for (let k = 0; k < n; k++) sum += b[i * n + k]! * b[j * n + k]!;
    return sum;
  });
}

test.each([1, 2, 3, 5, 16, 31, 32, 33, 64, 65, 100])('L·Lᵀ gives back a positive definite matrix of order %i', (n) => {
  const a = positive(n);
  const upperIgnored = a.map((v, at) => (at % n > Math.floor(at / n) ? NaN : v));
  for (const got of onBoth((arena) => {
    const l = arena.put(upperIgnored);
    expect(cholesky(n, l)).toBe(-1);
    return l;
  })) {
    const l = got as Float64Array;
    const back = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) back[i * n + j] = back[i * n + j]! + l[i * n + k]! * l[j * n + k]!;
    expectClose(back, a, { rtol: 1e-13, atol: 1e-12 });
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(l[i * n + j]).toBe(0);
  }
});

test.each([
  [5, 3],
  [40, 0],
  [40, 31],
  [40, 32],
  [70, 66],
])('in order %i a pivot that is not positive is reported by its index %i', (n, bad) => {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) a[i * n + i] = i === bad ? -1 : 4;
  for (const value of [-1, 0, NaN]) {
    a[bad * n + bad] = value;
    onBoth((arena) => {
      expect(cholesky(n, arena.put(a))).toBe(bad);
      return 0;
    });
  }
});
