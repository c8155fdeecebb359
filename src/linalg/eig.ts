import { DomainError, ShapeError } from '../core/errors.js';
import type { TensorLike } from '../core/tensor.js';
import { type Complex, type ComplexTensor, complexZeros, divide, multiply, squareRoot } from './complex.js';
import { hypot, readMatrix } from './matrix.js';
import { scaleBy, tame } from './scale.js';

/** QR needs two or three sweeps for each eigenvalue; every tenth takes a shift of its own. */
const maxSweeps = 60;

/**
 * All eigenvalues and eigenvectors of a square real matrix that need not be symmetric: A V = V diag(λ), by Hessenberg reduction and the
 * shifted QR algorithm in complex f64, then back-substitution on the triangle. For a matrix without a basis of eigenvectors (or nearly so)
 * columns of V are dependent to rounding: `perturbThenDiagonalize` is the remedy.
 *
 * @param a matrix [n, n]
 * @returns `values` [n] (re, im), by falling real part, then falling imaginary part; `vectors` [n, n] with unit columns in that order
 * @throws {ShapeError} when a is not square; {DomainError} on NaN or infinity
 * @see Golub & Van Loan, Matrix Computations, §7.4–7.6
 */
export function eig(a: TensorLike): { values: Complex; vectors: ComplexTensor } {
  const { data, rows: n, cols } = readMatrix('a', a);
  if (n !== cols) throw new ShapeError(`a: expected a square matrix, got ${n} × ${cols}`);
  const factor = tame(data);
  const T: Complex = { re: data, im: new Float64Array(n * n) };
  const Z = complexZeros(n * n);
  for (let i = 0; i < n; i++) Z.re[i * n + i] = 1;
  toHessenberg(T.re, Z.re, n);
  toTriangle(T, Z, n);
  const V = multiply(Z, triangleVectors(T, n), n, n, n);
  const order = Array.from({ length: n }, (_, i) => i);
  const at = (i: number) => i * n + i;
  order.sort((i, j) => T.re[at(j)]! - T.re[at(i)]! || T.im[at(j)]! - T.im[at(i)]! || i - j);
  const vectors = complexZeros(n * n);
  for (const [to, from] of order.entries()) {
    let squares = 0;
    for (let i = from; i < n * n; i += n) squares += V.re[i]! * V.re[i]! + V.im[i]! * V.im[i]!;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 1;
    for (let i = 0; i < n; i++) {
      vectors.re[i * n + to] = scale * V.re[i * n + from]!;
      vectors.im[i * n + to] = scale * V.im[i * n + from]!;
    }
  }
  const values = { re: Float64Array.from(order, (i) => T.re[at(i)]!), im: Float64Array.from(order, (i) => T.im[at(i)]!) };
  for (const part of [values.re, values.im]) scaleBy(part, factor);
  return { values, vectors: { ...vectors, shape: [n, n] } };
}

/** A = Z H Zᵀ with H zero below its subdiagonal, by Householder reflections; both are overwritten. */
function toHessenberg(H: Float64Array, Z: Float64Array, n: number): void {
  const u = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let largest = 0;
    for (let i = k + 1; i < n; i++) largest = Math.max(largest, Math.abs(H[i * n + k]!));
    if (largest === 0) continue;
    let squares = 0;
    for (let i = k + 1; i < n; i++) {
      u[i] = H[i * n + k]! / largest;
      squares += u[i]! * u[i]!;
    }
    const length = Math.sqrt(squares);
    const head = u[k + 1]!;
    u[k + 1] = head >= 0 ? head + length : head - length;
    const half = squares + Math.abs(head) * length; // uᵀu/2
    const reflect = (M: Float64Array, start: number, along: number, across: number, from: number) => {
      for (let j = from; j < n; j++) {
        let sum = 0;
        for (let i = k + 1; i < n; i++) sum += u[i]! * M[start + j * across + i * along]!;
        sum /= half;
        for (let i = k + 1; i < n; i++) {
          const place = start + j * across + i * along;
          M[place] = M[place]! - sum * u[i]!;
        }
      }
    };
    reflect(H, 0, n, 1, k); // from the left: columns k …
    reflect(H, 0, 1, n, 0); // from the right: all rows
    reflect(Z, 0, 1, n, 0);
    for (let i = k + 2; i < n; i++) H[i * n + k] = 0;
  }
}

/** H = Q T Q* with T triangular; Z becomes Z Q. Single complex shifts (Wilkinson), deflation at rounding level. */
function toTriangle(T: Complex, Z: Complex, n: number): void {
  const { re, im } = T;
  const size = (at: number) => Math.abs(re[at]!) + Math.abs(im[at]!);
  const scale = re.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  for (let high = n - 1, sweep = 0; high > 0; sweep++) {
    let low = high;
    while (low > 0) {
      const here = size(low * n + low - 1);
      const near = size((low - 1) * (n + 1)) + size(low * (n + 1));
      // Far below the norm squares vanish, and shifts with them: such an element is rounding of the matrix as a whole.
      if (here <= Number.EPSILON * (near > 0 ? near : scale) || here <= 1e-140 * scale) break;
      low--;
    }
    if (low > 0) re[low * n + low - 1] = im[low * n + low - 1] = 0;
    if (low === high) {
      high--;
      sweep = -1;
      continue;
    }
    if (sweep === maxSweeps) throw new DomainError(`a: expected QR to converge in ${maxSweeps} sweeps, got none at index ${high}`);
    const [s, t] = sweep % 10 === 9 ? [re[high * (n + 1)]! + size(high * n + high - 1), im[high * (n + 1)]!] : wilkinson(T, high, n);
    qrSweep(T, Z, low, high, s, t, n);
  }
}

/** The eigenvalue of the last 2 × 2 block that is closer to its last element. */
function wilkinson({ re, im }: Complex, high: number, n: number): [number, number] {
  const [p, q, r, d] = [(high - 1) * (n + 1), (high - 1) * n + high, high * n + high - 1, high * (n + 1)];
  const [x, y] = [(re[p]! - re[d]!) / 2, (im[p]! - im[d]!) / 2];
  const [c, e] = [re[q]! * re[r]! - im[q]! * im[r]!, re[q]! * im[r]! + im[q]! * re[r]!];
  const [u, v] = squareRoot(x * x - y * y + c, 2 * x * y + e);
  const away = x * u + y * v >= 0 ? 1 : -1; // the denominator x ± root that does not cancel
  const [a, b] = [x + away * u, y + away * v];
  if (a === 0 && b === 0) return [re[d]!, im[d]!];
  const [f, g] = divide(c, e, a, b);
  return [re[d]! - f, im[d]! - g];
}

/** One QR step with shift s + ti on rows low … high, applied to all of T and Z. */
function qrSweep(T: Complex, Z: Complex, low: number, high: number, s: number, t: number, n: number): void {
  const { re, im } = T;
  for (let i = low; i <= high; i++) {
    re[i * (n + 1)] = re[i * (n + 1)]! - s;
    im[i * (n + 1)] = im[i * (n + 1)]! - t;
  }
  const turns: [number, number, number, number][] = [];
  for (let k = low; k < high; k++) {
    const [p, q] = [k * (n + 1), (k + 1) * n + k];
    const r = hypot(hypot(re[p]!, im[p]!), hypot(re[q]!, im[q]!));
    const turn: [number, number, number, number] = r > 0 ? [re[p]! / r, im[p]! / r, re[q]! / r, im[q]! / r] : [1, 0, 0, 0];
    turns.push(turn);
    const [a, b, c, d] = turn;
    for (let j = k; j < n; j++) {
      // Rows k and k + 1 times [[conj(a + bi), conj(c + di)], [−(c + di), a + bi]].
      const [i0, i1] = [k * n + j, (k + 1) * n + j];
      const [x, y, v, w] = [re[i0]!, im[i0]!, re[i1]!, im[i1]!];
      re[i0] = a * x + b * y + c * v + d * w;
      im[i0] = a * y - b * x + c * w - d * v;
      re[i1] = a * v - b * w - c * x + d * y;
      im[i1] = a * w + b * v - c * y - d * x;
    }
  }
  for (const [at, [a, b, c, d]] of turns.entries()) {
    const k = low + at;
    for (const [M, rows] of [[T, Math.min(k + 2, high + 1)] as const, [Z, n] as const]) {
      for (let i = 0; i < rows; i++) {
        // Columns k and k + 1 times the conjugate transpose.
        const [i0, i1] = [i * n + k, i * n + k + 1];
        const [x, y, v, w] = [M.re[i0]!, M.im[i0]!, M.re[i1]!, M.im[i1]!];
        M.re[i0] = x * a - y * b + v * c - w * d;
        M.im[i0] = x * b + y * a + v * d + w * c;
        M.re[i1] = v * a + w * b - x * c - y * d;
        M.im[i1] = w * a - v * b - y * c + x * d;
      }
    }
  }
  for (let i = low; i <= high; i++) {
    re[i * (n + 1)] = re[i * (n + 1)]! + s;
    im[i * (n + 1)] = im[i * (n + 1)]! + t;
  }
}

/** Eigenvectors of an upper triangle in columns; equal eigenvalues are held apart by rounding. */
function triangleVectors({ re, im }: Complex, n: number): Complex {
  const out = complexZeros(n * n);
  let scale = Number.MIN_VALUE / Number.EPSILON;
  for (let i = 0; i < n * n; i++) scale = Math.max(scale, Math.abs(re[i]!) + Math.abs(im[i]!));
  for (let j = 0; j < n; j++) {
    out.re[j * n + j] = 1;
    for (let i = j - 1; i >= 0; i--) {
      let [x, y] = [0, 0];
      for (let k = i + 1; k <= j; k++) {
        const [a, b, c, d] = [re[i * n + k]!, im[i * n + k]!, out.re[k * n + j]!, out.im[k * n + j]!];
        x += a * c - b * d;
        y += a * d + b * c;
      }
      let [u, v] = [re[j * (n + 1)]! - re[i * (n + 1)]!, im[j * (n + 1)]! - im[i * (n + 1)]!];
      if (Math.abs(u) + Math.abs(v) < Number.EPSILON * scale) [u, v] = [Number.EPSILON * scale, 0];
      [out.re[i * n + j], out.im[i * n + j]] = divide(x, y, u, v);
    }
  }
  return out;
}
