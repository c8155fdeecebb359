// Small dense complex matrices in f64: real and imaginary parts side by side, row-major.
import { DomainError } from '../core/errors.js';
import { hypot } from './matrix.js';
import { svd } from './svd.js';

/** Complex numbers as two f64 arrays of one length. */
export interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** A complex tensor. */
export interface ComplexTensor extends Complex {
  readonly shape: readonly number[];
}

/** Zeros. */
export function complexZeros(length: number): Complex {
  return { re: new Float64Array(length), im: new Float64Array(length) };
}

/** [re, im] of (a + bi)/(c + di), by Smith's scaling. */
export function divide(a: number, b: number, c: number, d: number): [number, number] {
  if (Math.abs(c) >= Math.abs(d)) {
    const ratio = d / c;
    const below = c + d * ratio;
    return [(a + b * ratio) / below, (b - a * ratio) / below];
  }
  const ratio = c / d;
  const below = c * ratio + d;
  return [(a * ratio + b) / below, (b * ratio - a) / below];
}

/** [re, im] of the root of a + bi with real part ≥ 0. */
export function squareRoot(a: number, b: number): [number, number] {
  const size = hypot(a, b);
  if (size === 0) return [0, 0];
  const half = Math.sqrt((size + Math.abs(a)) / 2);
  const other = b / (2 * half);
  return a >= 0 ? [half, other] : [Math.abs(other), b >= 0 ? half : -half];
}

/** A·B of [n, m] and [m, k]. */
export function multiply(A: Complex, B: Complex, n: number, m: number, k: number): Complex {
  const out = complexZeros(n * k);
  for (let i = 0; i < n; i++) {
    for (let l = 0; l < m; l++) {
      const [a, b] = [A.re[i * m + l]!, A.im[i * m + l]!];
      for (let j = 0; j < k; j++) {
        const [c, d] = [B.re[l * k + j]!, B.im[l * k + j]!];
        out.re[i * k + j] = out.re[i * k + j]! + (a * c - b * d);
        out.im[i * k + j] = out.im[i * k + j]! + (a * d + b * c);
      }
    }
  }
  return out;
}

/** A⁻¹ of [n, n] by Gauss–Jordan elimination with partial pivoting. @throws {DomainError} when a pivot is zero */
export function inverse(A: Complex, n: number): Complex {
  const width = 2 * n;
  const work = complexZeros(n * width);
  for (let i = 0; i < n; i++) {
    work.re.set(A.re.subarray(i * n, (i + 1) * n), i * width);
    work.im.set(A.im.subarray(i * n, (i + 1) * n), i * width);
    work.re[i * width + n + i] = 1;
  }
  const { re, im } = work;
  const size = (at: number) => re[at]! * re[at]! + im[at]! * im[at]!;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (size(i * width + k) > size(pivot * width + k)) pivot = i;
    if (size(pivot * width + k) === 0) throw new DomainError(`matrix: expected an invertible matrix, got a zero pivot at column ${k}`);
    for (const part of [re, im]) {
      const row = part.slice(k * width, (k + 1) * width);
      part.copyWithin(k * width, pivot * width, (pivot + 1) * width);
      part.set(row, pivot * width);
    }
    const [c, d] = [re[k * width + k]!, im[k * width + k]!];
    for (let j = k; j < width; j++) {
      const at = k * width + j;
      [re[at], im[at]] = divide(re[at]!, im[at]!, c, d);
    }
    for (let i = 0; i < n; i++) {
      const [a, b] = [re[i * width + k]!, im[i * width + k]!];
      if (i === k || (a === 0 && b === 0)) continue;
      for (let j = k; j < width; j++) {
        const [at, from] = [i * width + j, k * width + j];
        const [x, y] = [re[from]!, im[from]!];
        re[at] = re[at]! - (a * x - b * y);
        im[at] = im[at]! - (a * y + b * x);
      }
    }
  }
  const out = complexZeros(n * n);
  for (let i = 0; i < n; i++) {
    out.re.set(re.subarray(i * width + n, (i + 1) * width), i * n);
    out.im.set(im.subarray(i * width + n, (i + 1) * width), i * n);
  }
  return out;
}

/** σ_max/σ_min in the 2-norm, by the singular values of [[Re, −Im], [Im, Re]]: each of A's twice. Infinity for a singular matrix. */
export function condition({ re, im }: Complex, n: number): number {
  const data = new Float64Array(4 * n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      data[i * 2 * n + j] = data[(i + n) * 2 * n + j + n] = re[i * n + j]!;
      data[(i + n) * 2 * n + j] = im[i * n + j]!;
      data[i * 2 * n + j + n] = -im[i * n + j]!;
    }
  }
  const { s } = svd({ data, shape: [2 * n, 2 * n] });
  const least = s[2 * n - 1] ?? 1;
  return least > 0 ? (s[0] ?? 1) / least : Number.POSITIVE_INFINITY;
}
