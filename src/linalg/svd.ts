import { square } from '../core/square.js';
import type { FloatArray, Tensor, TensorLike } from '../core/tensor.js';
import { readMatrix, toTensor, transpose } from './matrix.js';
import { householder } from './qr.js';
import { scaleBy, tame } from './scale.js';

/** Cyclic Jacobi converges quadratically: 6–10 sweeps in practice. */
const maxSweeps = 60;

/**
 * Singular value decomposition A = U diag(s) Vᵀ by QR and one-sided Jacobi rotations, in f64: small singular values keep their digits.
 *
 * @param a matrix [m, n]
 * @returns `u` [m, r], `s` [r] descending (f64), `v` [n, r], r = min(m, n); columns of u and v are orthonormal, also at rank deficiency
 * @throws {ShapeError} when a is not a matrix; {DomainError} on NaN or infinity
 * @see Demmel & Veselić 1992; Golub & Van Loan, Matrix Computations, §8.6
 */
export function svd(a: TensorLike): { u: Tensor<FloatArray>; s: Float64Array; v: Tensor<FloatArray> } {
  const { data, rows: m, cols: n, precision } = readMatrix('a', a);
  const tall = m >= n;
  const [long, r] = tall ? [m, n] : [n, m];
  // By columns, longer side down: of A when it is tall, of Aᵀ when it is wide.
  const decomposed = jacobi(tall ? transpose(data, m, n) : data, long, r);
  const left = transpose(decomposed.left, r, long);
  const right = transpose(decomposed.right, r, r);
  return {
    u: toTensor(precision, tall ? left : right, [m, r]),
    s: decomposed.s,
    v: toTensor(precision, tall ? right : left, [n, r]),
  };
}

/** SVD of a matrix by columns [r, m], m ≥ r: left [r, m] and right [r, r] by columns, s descending. */
export function jacobi(columns: Float64Array, m: number, r: number): { left: Float64Array; right: Float64Array; s: Float64Array } {
  const own = columns.slice();
  const factor = tame(own);
  const { q, r: triangle } = householder(own, m, r);
  const work = transpose(triangle, r, r); // columns of R
  const right = new Float64Array(r * r);
  for (let i = 0; i < r; i++) right[i * r + i] = 1;
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    let rotated = false;
    for (let p = 0; p < r - 1; p++) for (let c = p + 1; c < r; c++) rotated = orthogonalizePair(work, right, r, p, c) || rotated;
    if (!rotated) break;
  }
  const norms = new Float64Array(r);
  for (let j = 0; j < r; j++) {
    let squares = 0;
    let largest = 0;
    for (let i = 0; i < r; i++) largest = Math.max(largest, Math.abs(work[j * r + i]!));
    if (largest > 0) for (let i = 0; i < r; i++) squares += square(work[j * r + i]! / largest);
    norms[j] = largest * Math.sqrt(squares);
  }
  const order = Array.from(norms.keys()).sort((i, j) => norms[j]! - norms[i]! || i - j);
  const s = Float64Array.from(order, (j) => norms[j]!);
  const sortedRight = new Float64Array(r * r);
  const small = new Float64Array(r * r); // left vectors in the coordinates of Q
  order.forEach((from, to) => {
    sortedRight.set(right.subarray(from * r, (from + 1) * r), to * r);
    for (let i = 0; i < r; i++) small[to * r + i] = norms[from]! > 0 ? work[from * r + i]! / norms[from]! : 0;
  });
  completeColumns(small, r, s);
  const left = new Float64Array(r * m);
  for (let j = 0; j < r; j++) {
    for (let l = 0; l < r; l++) {
      const weight = small[j * r + l]!;
      if (weight !== 0) for (let i = 0; i < m; i++) left[j * m + i] = left[j * m + i]! + weight * q[l * m + i]!;
    }
  }
  return { left, right: sortedRight, s: scaleBy(s, factor) };
}

/** Rotates columns p and c of work (and of right) to be orthogonal; false when they already are, to rounding. */
function orthogonalizePair(work: Float64Array, right: Float64Array, r: number, p: number, c: number): boolean {
  let alpha = 0;
  let beta = 0;
  let gamma = 0;
  for (let i = 0; i < r; i++) {
    const x = work[p * r + i]!;
    const y = work[c * r + i]!;
    alpha += x * x;
    beta += y * y;
    gamma += x * y;
  }
  if (Math.abs(gamma) <= Number.EPSILON * Math.sqrt(alpha) * Math.sqrt(beta) || gamma === 0) return false;
  const zeta = (beta - alpha) / (2 * gamma);
  const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (const matrix of [work, right]) {
    for (let i = 0; i < r; i++) {
      const x = matrix[p * r + i]!;
      const y = matrix[c * r + i]!;
      matrix[p * r + i] = cosine * x - sine * y;
      matrix[c * r + i] = sine * x + cosine * y;
    }
  }
  return true;
}

/** Fills the columns that belong to (numerically) zero singular values with unit vectors orthogonal to the others. */
function completeColumns(columns: Float64Array, r: number, s: Float64Array): void {
  const threshold = (s[0] ?? 0) * Number.EPSILON * r;
  for (let j = 0; j < r; j++) {
    if (s[j]! > threshold) continue;
    for (let axis = 0; axis < r; axis++) {
      const candidate = new Float64Array(r);
      candidate[axis] = 1;
      for (let pass = 0; pass < 2; pass++) {
        for (let l = 0; l < j; l++) {
          let overlap = 0;
          for (let i = 0; i < r; i++) overlap += columns[l * r + i]! * candidate[i]!;
          for (let i = 0; i < r; i++) candidate[i] = candidate[i]! - overlap * columns[l * r + i]!;
        }
      }
      let squares = 0;
      for (const x of candidate) squares += x * x;
      if (squares < 0.5 / r) continue;
      for (let i = 0; i < r; i++) columns[j * r + i] = candidate[i]! / Math.sqrt(squares);
      break;
    }
  }
}
