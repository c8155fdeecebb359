import { asRecord, checkFinite } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import type { NumberArray } from '../core/tensor.js';
import { asFloats } from '../core/tensor.js';
import { hypot } from './matrix.js';
import { scaleBy, tame } from './scale.js';

/** QL needs one or two sweeps for each eigenvalue; 60 are never reached on finite input. */
const maxSweeps = 60;

/**
 * Implicit QL with Wilkinson's shift on a symmetric tridiagonal matrix T, in place (Golub & Van Loan, Matrix Computations, §8.3).
 * On return `d` holds the eigenvalues (unsorted) and row j of `rows` has become Σ_i S[i,j]·row i, with S the eigenvectors of T.
 *
 * @param d diagonal [n]; @param e off-diagonal [n] with e[n−1] unused; @param rows n rows of `width` numbers that turn with T
 */
export function rotateToDiagonal(d: Float64Array, e: Float64Array, rows: Float64Array, width: number): void {
  const n = d.length;
  e[n - 1] = 0;
  for (let low = 0; low < n; low++) {
    for (let sweep = 0; ; sweep++) {
      let high = low;
      while (high < n - 1) {
        const size = Math.abs(d[high]!) + Math.abs(d[high + 1]!);
        if (Math.abs(e[high]!) <= Number.EPSILON * size || Math.abs(e[high]!) < Number.MIN_VALUE / Number.EPSILON) break;
        high++;
      }
      if (high === low) break;
      if (sweep === maxSweeps) throw new DomainError(`matrix: expected QL to converge in ${maxSweeps} sweeps, got none at index ${low}`);
      chase(d, e, rows, width, low, high);
    }
  }
}

/** One implicit QL sweep on rows low … high: the shift enters at the bottom as a rotation and the bulge is chased upwards. */
function chase(d: Float64Array, e: Float64Array, rows: Float64Array, width: number, low: number, high: number): void {
  const half = (d[low + 1]! - d[low]!) / (2 * e[low]!);
  const root = hypot(half, 1);
  let g = d[high]! - d[low]! + e[low]! / (half >= 0 ? half + root : half - root);
  let sine = 1;
  let cosine = 1;
  let moved = 0;
  for (let i = high - 1; i >= low; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const r = hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = d[i + 1]! - moved;
      e[high] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1]! - moved;
    const t = (d[i]! - g) * sine + 2 * cosine * b;
    moved = sine * t;
    d[i + 1] = g + moved;
    g = cosine * t - b;
    for (let p = i * width, q = p + width, end = q; p < end; p++, q++) {
      const upper = rows[p]!;
      const lower = rows[q]!;
      rows[q] = sine * upper + cosine * lower;
      rows[p] = cosine * upper - sine * lower;
    }
  }
  d[low] = d[low]! - moved;
  e[low] = g;
  e[high] = 0;
}

/** Sorts eigenvalues ascending and their rows with them; returns fresh arrays. */
export function sortAscending(d: Float64Array, rows: Float64Array, width: number): { values: Float64Array; rows: Float64Array } {
  const order = Array.from(d.keys()).sort((i, j) => d[i]! - d[j]! || i - j);
  const sorted = new Float64Array(rows.length);
  order.forEach((from, to) => {
    sorted.set(rows.subarray(from * width, (from + 1) * width), to * width);
  });
  return { values: Float64Array.from(order, (i) => d[i]!), rows: sorted };
}

/**
 * Eigenvalues of a symmetric tridiagonal matrix, ascending, and what quadrature needs of its eigenvectors, by implicit QL in f64.
 *
 * @param alpha diagonal [n], n ≥ 1; @param beta off-diagonal [n − 1] (further elements are ignored)
 * @param options `vectors: 'full'` for all eigenvectors (default), `'first'` for their first components only, `'none'`
 * @returns `values` [n]; `vectors` [n, n] with eigenvector j in ROW j, [n] for `'first'`, empty for `'none'`
 * @throws {ShapeError} when beta is shorter than n − 1; {DomainError} on NaN or infinity
 * @see Golub & Van Loan, Matrix Computations, §8.3; quadrature: Golub & Welsch 1969
 */
export function eighTridiagonal(
  alpha: NumberArray,
  beta: NumberArray,
  options: { vectors?: 'full' | 'first' | 'none' } = {},
): { values: Float64Array; vectors: Float64Array } {
  const { vectors = 'full' } = asRecord('options', options);
  const d = Float64Array.from(asFloats('alpha', alpha));
  const off = asFloats('beta', beta);
  const n = d.length;
  if (n === 0) throw new ShapeError('alpha: expected at least one element, got none');
  if (off.length < n - 1) throw new ShapeError(`beta: expected at least ${n - 1} elements, got ${off.length}`);
  const e = new Float64Array(n);
  e.set(off.subarray(0, n - 1));
  checkFinite('alpha', d);
  checkFinite('beta', e);
  const width = vectors === 'full' ? n : vectors === 'first' ? 1 : 0;
  const rows = new Float64Array(n * width);
  if (vectors === 'full') for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  if (vectors === 'first') rows[0] = 1;
  const factor = tame(d, e);
  rotateToDiagonal(d, e, rows, width);
  const sorted = sortAscending(d, rows, width);
  return { values: scaleBy(sorted.values, factor), vectors: sorted.rows };
}
