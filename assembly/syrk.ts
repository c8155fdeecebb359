// Gram matrix A·Aᵀ of few long rows. Panels of `depth` columns are multiplied in the precision of A and added up in f64, so that rows of
// any length keep about the accuracy of one panel; only tiles on and below the diagonal are computed, then mirrored.
import { at } from './lib/lanes';
import { multiplyTile, packStrip, tileCols, tileRows } from './lib/tile';

/** Columns of A per panel. */
const depth: i32 = 256;

/** C [m, m] (f64) = alpha·A·Aᵀ + beta·C for f32 A [m, k]. */
export function ssyrkRef(m: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, beta: f64, c: usize, ldc: i32, work: usize): void {
  syrkRef<f32>(m, k, alpha, a, ars, acs, beta, c, ldc);
}
/** C [m, m] = alpha·A·Aᵀ + beta·C. */
export function dsyrkRef(m: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, beta: f64, c: usize, ldc: i32, work: usize): void {
  syrkRef<f64>(m, k, alpha, a, ars, acs, beta, c, ldc);
}
function syrkRef<T>(m: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, beta: f64, c: usize, ldc: i32): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j <= i; j++) {
      let sum: f64 = 0;
      for (let p = 0; p < k; p++) sum += <f64>load<T>(at<T>(a, i * ars + p * acs)) * <f64>load<T>(at<T>(a, j * ars + p * acs));
      const to = at<f64>(c, i * ldc + j);
      const value = alpha * sum + (beta == 0 ? 0 : beta * load<f64>(to));
      store<f64>(to, value);
      store<f64>(at<f64>(c, j * ldc + i), value);
    }
  }
}

/**
 * C [m, m] (f64) = alpha·A·Aᵀ + beta·C for f32 A [m, k] with strides ars, acs in elements. The lower triangle of C is read (not at all when
 * beta = 0), both are written. work: syrkWork bytes, 16-byte aligned. Error ≤ 256·2⁻²⁴·|A||Aᵀ|.
 */
export function ssyrk(m: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, beta: f64, c: usize, ldc: i32, work: usize): void {
  syrk<f32>(m, k, alpha, a, ars, acs, beta, c, ldc, work);
}
/** As ssyrk for f64 A. */
export function dsyrk(m: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, beta: f64, c: usize, ldc: i32, work: usize): void {
  syrk<f64>(m, k, alpha, a, ars, acs, beta, c, ldc, work);
}

/** Bytes of scratch that ssyrk (size 4) and dsyrk (size 8) need. */
export function syrkWork(m: i32, k: i32, size: i32): i32 {
  return 128 + ((m + 7) & ~7) * min(k, depth) * size;
}

function syrk<T>(m: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, beta: f64, c: usize, ldc: i32, work: usize): void {
  const width = tileCols<T>();
  const tile = work;
  const packed = work + 128;
  for (let i = 0; i < m; i++) {
    const row = at<f64>(c, i * ldc);
    if (beta == 0) memory.fill(row, 0, at<f64>(0, i + 1));
    else for (let j = 0; j <= i; j++) store<f64>(at<f64>(row, j), beta * load<f64>(at<f64>(row, j)));
  }
  const step = at<T>(0, width);
  for (let p0 = 0; p0 < k; p0 += depth) {
    const steps = min(k - p0, depth);
    for (let i = 0; i < m; i += width) {
      packStrip<T>(at<T>(packed, i * steps), width, at<T>(a, i * ars + p0 * acs), ars, acs, min(m - i, width), steps);
    }
    for (let j = 0; j < m; j += width) {
      const strip = at<T>(packed, j * steps);
      for (let i = j; i < m; i += tileRows) {
        // Strips are as wide as a tile has columns; its rows are a part of one, `offset` numbers into every step.
        const offset = i % width;
        multiplyTile<T>(steps, at<T>(packed, (i - offset) * steps + offset), step, strip, step, tile);
        addLower<T>(tile, i, j, m, alpha, at<f64>(c, i * ldc + j), ldc);
      }
    }
  }
  for (let i = 1; i < m; i++) {
    for (let j = 0; j < i; j++) store<f64>(at<f64>(c, j * ldc + i), load<f64>(at<f64>(c, i * ldc + j)));
  }
}

/** C += alpha·tile in f64 for the part of a tile at (i, j) that lies on or below the diagonal. */
// @ts-ignore: decorator
@inline
function addLower<T>(t: usize, i: i32, j: i32, m: i32, alpha: f64, c: usize, ldc: i32): void {
  const rows = min(m - i, tileRows);
  const factor = f64x2.splat(alpha);
  for (let r = 0; r < rows; r++) {
    const cols = min(min(i + r + 1, m) - j, tileCols<T>());
    let q = 0;
    for (; q + 2 <= cols; q += 2) {
      const v = sizeof<T>() == 4 ? f64x2.promote_low_f32x4(v128.load64_zero(at<T>(t, q))) : v128.load(at<T>(t, q));
      const to = at<f64>(c, q);
      v128.store(to, f64x2.add(v128.load(to), f64x2.mul(factor, v)));
    }
    for (; q < cols; q++) store<f64>(at<f64>(c, q), load<f64>(at<f64>(c, q)) + alpha * <f64>load<T>(at<T>(t, q)));
    t += at<T>(0, tileCols<T>());
    c = at<f64>(c, ldc);
  }
}
