// General matrix product. Operands are read through a row and a column stride, so a transposed operand is another pair of strides.
// Blocking after Goto & van de Geijn 2008: strips of A and B are packed once per block of `depth`, tiles run over packed strips. A strip
// of A stays in L1 while those of B pass by from L2: tiles then write C along its rows, which prefetchers follow.
import { at, madd } from './lib/lanes';
import { multiplyTile, packStrips, tileCols, tileRows } from './lib/tile';

/** Columns of A per block: a strip of A (8 KB in f32) stays in L1, and C is read and written again only after so many. */
const depth: i32 = 512;
/** Rows of A packed at once. Up to as many rows in all, B is read in place when its rows are contiguous: packing would cost as much. */
const rowBlock: i32 = 32;
/** Bytes of a row of B per block: 1 MB packed, resident in L2. */
const rowBytes: i32 = 2048;

/** C = alpha·A·B + beta·C, sums in f64; see sgemm. */
export function sgemmRef(
  m: i32, n: i32, k: i32, alpha: f32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, beta: f32, c: usize, ldc: i32, work: usize,
): void {
  gemmRef<f32>(m, n, k, alpha, a, ars, acs, b, brs, bcs, beta, c, ldc);
}
/** C = alpha·A·B + beta·C; see dgemm. */
export function dgemmRef(
  m: i32, n: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, beta: f64, c: usize, ldc: i32, work: usize,
): void {
  gemmRef<f64>(m, n, k, alpha, a, ars, acs, b, brs, bcs, beta, c, ldc);
}
function gemmRef<T>(
  m: i32, n: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, beta: f64, c: usize, ldc: i32,
): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum: f64 = 0;
      for (let p = 0; p < k; p++) sum += <f64>load<T>(at<T>(a, i * ars + p * acs)) * <f64>load<T>(at<T>(b, p * brs + j * bcs));
      const to = at<T>(c, i * ldc + j);
      store<T>(to, <T>(alpha * sum + (beta == 0 ? 0 : beta * <f64>load<T>(to))));
    }
  }
}

/**
 * C [m, n] = alpha·A [m, k]·B [k, n] + beta·C; beta = 0 overwrites C without reading it. Strides ars, acs, brs, bcs, ldc in elements; C has
 * contiguous rows. No overlap of C with A or B. work: gemmWork bytes, 16-byte aligned. Error ≤ (512 + k/512)·2⁻²⁴·|A||B|.
 */
export function sgemm(
  m: i32, n: i32, k: i32, alpha: f32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, beta: f32, c: usize, ldc: i32, work: usize,
): void {
  gemm<f32>(m, n, k, alpha, a, ars, acs, b, brs, bcs, beta, c, ldc, work);
}
/** As sgemm in f64. */
export function dgemm(
  m: i32, n: i32, k: i32, alpha: f64, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, beta: f64, c: usize, ldc: i32, work: usize,
): void {
  gemm<f64>(m, n, k, alpha, a, ars, acs, b, brs, bcs, beta, c, ldc, work);
}

/** Bytes of scratch that sgemm (size 4) and dgemm (size 8) need for a product of this shape. */
export function gemmWork(m: i32, n: i32, k: i32, size: i32): i32 {
  const rows = (min(m, rowBlock) + 3) & ~3;
  const cols = (min(n, rowBytes / size) + 7) & ~7;
  return 128 + (rows + cols) * min(k, depth) * size;
}

/** The product of either precision, by packed blocks and a tile in registers; see sgemm. */
export function gemm<T>(
  m: i32, n: i32, k: i32, alpha: T, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, beta: T, c: usize, ldc: i32, work: usize,
): void {
  const width = tileCols<T>();
  const colBlock = rowBytes / <i32>sizeof<T>();
  const inPlace = bcs == 1 && m <= rowBlock;
  const packedA = work + 128;
  const packedB = packedA + (<usize>((min(m, rowBlock) + 3) & ~3)) * min(k, depth) * sizeof<T>();
  if (k <= 0) scale<T>(m, n, beta, c, ldc);
  for (let j0 = 0; j0 < n; j0 += colBlock) {
    const cols = min(n - j0, colBlock);
    const direct = inPlace ? cols - (cols % width) : 0; // columns read in place
    for (let p0 = 0; p0 < k; p0 += depth) {
      const steps = min(k - p0, depth);
      const factor = p0 == 0 ? beta : 1;
      const fromB = at<T>(b, p0 * brs + j0 * bcs);
      packStrips<T>(at<T>(packedB, direct * steps), width, at<T>(fromB, direct * bcs), bcs, brs, cols - direct, steps);
      for (let i0 = 0; i0 < m; i0 += rowBlock) {
        const rows = min(m - i0, rowBlock);
        const toC = at<T>(c, i0 * ldc + j0);
        packStrips<T>(packedA, tileRows, at<T>(a, i0 * ars + p0 * acs), ars, acs, rows, steps);
        // In place, what was read of B is used by all rows while it is in L1.
        for (let j = 0; j < direct; j += width) {
          tiles<T>(steps, packedA, rows, at<T>(fromB, j), at<T>(0, brs), width, width, alpha, factor, at<T>(toC, j), ldc, work);
        }
        for (let i = 0; i < rows; i += tileRows) {
          const strip = at<T>(packedA, i * steps);
          const packed = at<T>(packedB, direct * steps);
          const row = at<T>(toC, i * ldc + direct);
          tiles<T>(steps, strip, min(rows - i, tileRows), packed, at<T>(0, width), width, cols - direct, alpha, factor, row, ldc, work);
        }
      }
    }
  }
}

/** The tiles of C [rows, cols] where strips of A and of B meet: A by strips of `steps` columns, B by strips whose rows are bStep bytes apart. */
// @ts-ignore: decorator
@inline
function tiles<T>(
  steps: i32, a: usize, rows: i32, b: usize, bStep: usize, width: i32, cols: i32, alpha: T, beta: T, c: usize, ldc: i32, tile: usize,
): void {
  for (let i = 0; i < rows; i += tileRows) {
    for (let j = 0; j < cols; j += width) {
      multiplyTile<T>(steps, at<T>(a, i * steps), at<T>(0, tileRows), at<T>(b, j * steps), bStep, tile);
      addTile<T>(tile, min(rows - i, tileRows), min(cols - j, width), alpha, beta, at<T>(c, i * ldc + j), ldc);
    }
  }
}

/** C [rows, cols] = alpha·tile + beta·C for one tile or the part of it inside C. */
function addTile<T>(t: usize, rows: i32, cols: i32, alpha: T, beta: T, c: usize, ldc: i32): void {
  if (cols == tileCols<T>()) {
    const va = v128.splat<T>(alpha);
    const vb = v128.splat<T>(beta);
    for (let r = 0; r < rows; r++) {
      let left = v128.mul<T>(va, v128.load(t));
      let right = v128.mul<T>(va, v128.load(t, 16));
      if (beta != 0) {
        left = madd<T>(vb, v128.load(c), left);
        right = madd<T>(vb, v128.load(c, 16), right);
      }
      v128.store(c, left);
      v128.store(c, right, 16);
      t += 32;
      c = at<T>(c, ldc);
    }
    return;
  }
  for (let r = 0; r < rows; r++) {
    for (let j = 0; j < cols; j++) {
      const product = alpha * load<T>(at<T>(t, j));
      store<T>(at<T>(c, j), beta == 0 ? product : product + beta * load<T>(at<T>(c, j)));
    }
    t += 32;
    c = at<T>(c, ldc);
  }
}

/** C *= beta, the product with an empty inner dimension. */
function scale<T>(m: i32, n: i32, beta: T, c: usize, ldc: i32): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) store<T>(at<T>(c, i * ldc + j), beta == 0 ? 0 : beta * load<T>(at<T>(c, i * ldc + j)));
  }
}
