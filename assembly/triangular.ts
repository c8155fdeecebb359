// Triangular systems with many right-hand sides, solved in register tiles: the part of a tile of X that depends on solved rows is one
// product of packed strips, the 4 × 4 triangle that is left is substituted at once (the gemm-trsm kernel of Van Zee & van de Geijn 2015).
// Upper triangles are lower ones read backwards: the caller passes the address of the last element and negative strides.
import { at, madd } from './lib/lanes';
import { multiplyTile, packStrip, spread, tileCols, tileRows } from './lib/tile';

/** Right-hand sides per pass; a pass packs m of them, 256 KB at m = 512 in f32. */
const columns: i32 = 128;

/** X = T⁻¹·X for lower triangular T [m, m] and X [m, n]; sums in f64. */
export function strsmRef(m: i32, n: i32, t: usize, trs: i32, tcs: i32, x: usize, ldx: i32, work: usize): void {
  trsmRef<f32>(m, n, t, trs, tcs, x, ldx);
}
/** X = T⁻¹·X for lower triangular T [m, m] and X [m, n]. */
export function dtrsmRef(m: i32, n: i32, t: usize, trs: i32, tcs: i32, x: usize, ldx: i32, work: usize): void {
  trsmRef<f64>(m, n, t, trs, tcs, x, ldx);
}
function trsmRef<T>(m: i32, n: i32, t: usize, trs: i32, tcs: i32, x: usize, ldx: i32): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const to = at<T>(x, i * ldx + j);
      let sum: f64 = <f64>load<T>(to);
      for (let k = 0; k < i; k++) sum -= <f64>load<T>(at<T>(t, i * trs + k * tcs)) * <f64>load<T>(at<T>(x, k * ldx + j));
      store<T>(to, <T>(sum / <f64>load<T>(at<T>(t, i * trs + i * tcs))));
    }
  }
}

/**
 * X = T⁻¹·X in place, T [m, m] lower triangular (the rest is not read) with non-zero diagonal, X [m, n]. Strides trs, tcs of T and ldx of X
 * in elements, of either sign; rows of X are contiguous. work: trsmWork bytes, 16-byte aligned.
 */
export function strsm(m: i32, n: i32, t: usize, trs: i32, tcs: i32, x: usize, ldx: i32, work: usize): void {
  trsm<f32>(m, n, t, trs, tcs, x, ldx, work);
}
/** As strsm in f64. */
export function dtrsm(m: i32, n: i32, t: usize, trs: i32, tcs: i32, x: usize, ldx: i32, work: usize): void {
  trsm<f64>(m, n, t, trs, tcs, x, ldx, work);
}

/** Bytes of scratch that strsm (size 4) and dtrsm (size 8) need. */
export function trsmWork(m: i32, n: i32, size: i32): i32 {
  const panels = (m + 3) / 4;
  return 128 + (8 * panels * (panels + 1) + 4 * panels * ((min(n, columns) + 7) & ~7)) * size;
}

function trsm<T>(m: i32, n: i32, t: usize, trs: i32, tcs: i32, x: usize, ldx: i32, work: usize): void {
  const width = tileCols<T>();
  const panels = (m + 3) / 4;
  const padded = 4 * panels;
  const tile = work;
  const packedT = work + 128;
  const packedX = at<T>(packedT, 8 * panels * (panels + 1));
  for (let i = 0; i < panels; i++) packPanel<T>(at<T>(packedT, 8 * i * (i + 1)), m, 4 * i, t, trs, tcs);
  for (let j0 = 0; j0 < n; j0 += columns) {
    const cols = min(n - j0, columns);
    for (let i = 0; i < padded; i++) copyRow<T>(packedX, i, padded, at<T>(x, i * ldx + j0), i < m ? cols : 0, cols, true);
    for (let j = 0; j < cols; j += width) {
      const strip = at<T>(packedX, j * padded);
      for (let i = 0; i < panels; i++) {
        const panel = at<T>(packedT, 8 * i * (i + 1));
        multiplyTile<T>(4 * i, panel, at<T>(0, tileRows), strip, at<T>(0, width), tile);
        substitute<T>(at<T>(panel, 16 * i), tile, at<T>(strip, 4 * i * width));
      }
    }
    for (let i = 0; i < m; i++) copyRow<T>(packedX, i, padded, at<T>(x, i * ldx + j0), cols, cols, false);
  }
}

/** Rows i0 … i0 + 3 of T up to the diagonal as [k][4], the diagonal inverted; rows past the end are those of the identity. */
function packPanel<T>(dst: usize, m: i32, i0: i32, t: usize, trs: i32, tcs: i32): void {
  const rows = min(m - i0, tileRows);
  packStrip<T>(dst, tileRows, at<T>(t, i0 * trs), trs, tcs, rows, i0);
  dst = at<T>(dst, 4 * i0);
  for (let k = 0; k < tileRows; k++) {
    for (let r = 0; r < tileRows; r++) {
      let value: T = 0;
      if (r == k) value = r < rows ? 1 / load<T>(at<T>(t, (i0 + r) * trs + (i0 + k) * tcs)) : 1;
      else if (k < r && r < rows) value = load<T>(at<T>(t, (i0 + r) * trs + (i0 + k) * tcs));
      store<T>(at<T>(dst, 4 * k + r), value);
    }
  }
}

/** Copies row i between X and its packed strips [strip][row][width]; zeros where the row or a strip ends. */
// @ts-ignore: decorator
@inline
function copyRow<T>(packed: usize, i: i32, padded: i32, row: usize, filled: i32, cols: i32, pack: bool): void {
  const width = tileCols<T>();
  for (let j = 0; j < cols; j += width) {
    const strip = at<T>(packed, j * padded + i * width);
    const from = at<T>(row, j);
    if (j + width <= filled) {
      if (pack) {
        v128.store(strip, v128.load(from));
        v128.store(strip, v128.load(from, 16), 16);
      } else {
        v128.store(from, v128.load(strip));
        v128.store(from, v128.load(strip, 16), 16);
      }
    } else {
      for (let q = 0; q < width; q++) {
        if (pack) store<T>(at<T>(strip, q), j + q < filled ? load<T>(at<T>(from, q)) : 0);
        else if (j + q < filled) store<T>(at<T>(from, q), load<T>(at<T>(strip, q)));
      }
    }
  }
}

/** x [4, width] = (4 × 4 triangle)⁻¹ · (x − tile), the triangle as [column][4] with inverted diagonal. */
// @ts-ignore: decorator
@inline
function substitute<T>(triangle: usize, t: usize, x: usize): void {
  for (let half = 0; half < 2; half++) {
    const size = sizeof<T>();
    const x0 = v128.mul<T>(spread<T>(triangle), v128.sub<T>(v128.load(x), v128.load(t)));
    let x1 = v128.sub<T>(v128.load(x, 32), v128.load(t, 32));
    let x2 = v128.sub<T>(v128.load(x, 64), v128.load(t, 64));
    let x3 = v128.sub<T>(v128.load(x, 96), v128.load(t, 96));
    x1 = v128.mul<T>(spread<T>(triangle + 5 * size), v128.sub<T>(x1, v128.mul<T>(spread<T>(triangle + size), x0)));
    x2 = v128.sub<T>(x2, madd<T>(spread<T>(triangle + 2 * size), x0, v128.mul<T>(spread<T>(triangle + 6 * size), x1)));
    x2 = v128.mul<T>(spread<T>(triangle + 10 * size), x2);
    x3 = v128.sub<T>(x3, madd<T>(spread<T>(triangle + 3 * size), x0, v128.mul<T>(spread<T>(triangle + 7 * size), x1)));
    x3 = v128.mul<T>(spread<T>(triangle + 15 * size), v128.sub<T>(x3, v128.mul<T>(spread<T>(triangle + 11 * size), x2)));
    v128.store(x, x0);
    v128.store(x, x1, 32);
    v128.store(x, x2, 64);
    v128.store(x, x3, 96);
    x += 16;
    t += 16;
  }
}
