// The register tile that gemm, syrk and trsm share, and the packing that feeds it (Goto & van de Geijn 2008, §4–5).
// A tile has 4 rows and two vectors of columns: 8 sums, 2 vectors of B, one broadcast of A and one product fill the 16 registers.
import { at, lanes, madd } from './lanes';

/** Rows of a tile. */
export const tileRows: i32 = 4;

/** Columns of a tile: two vectors. */
// @ts-ignore: decorator
@inline
export function tileCols<T>(): i32 {
  return 2 * lanes<T>();
}

/**
 * t [4, 2 vectors] = Σ_p a_p ⊗ b_p over k steps; a_p are 4 consecutive numbers aStep bytes apart from the next, b_p two vectors
 * bStep bytes apart. t is aligned scratch, overwritten.
 */
export function multiplyTile<T>(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, t: usize): void {
  let c00 = v128.splat<T>(0);
  let c01 = v128.splat<T>(0);
  let c10 = v128.splat<T>(0);
  let c11 = v128.splat<T>(0);
  let c20 = v128.splat<T>(0);
  let c21 = v128.splat<T>(0);
  let c30 = v128.splat<T>(0);
  let c31 = v128.splat<T>(0);
  for (let p = 0; p < k; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = spread<T>(a);
    c00 = madd<T>(a0, b0, c00);
    c01 = madd<T>(a0, b1, c01);
    const a1 = spread<T>(a + sizeof<T>());
    c10 = madd<T>(a1, b0, c10);
    c11 = madd<T>(a1, b1, c11);
    const a2 = spread<T>(a + 2 * sizeof<T>());
    c20 = madd<T>(a2, b0, c20);
    c21 = madd<T>(a2, b1, c21);
    const a3 = spread<T>(a + 3 * sizeof<T>());
    c30 = madd<T>(a3, b0, c30);
    c31 = madd<T>(a3, b1, c31);
    a += aStep;
    b += bStep;
  }
  v128.store(t, c00);
  v128.store(t, c01, 16);
  v128.store(t, c10, 32);
  v128.store(t, c11, 48);
  v128.store(t, c20, 64);
  v128.store(t, c21, 80);
  v128.store(t, c30, 96);
  v128.store(t, c31, 112);
}

/** One number in every lane. */
// @ts-ignore: decorator
@inline
export function spread<T>(p: usize): v128 {
  if (sizeof<T>() == 4) return v128.load32_splat(p);
  return v128.load64_splat(p);
}

/**
 * Copies `rows` × k numbers, row stride rs and column stride cs in elements, to dst [k][width]: `width` numbers of one column side by
 * side, zeros where rows < width. width is 4 or two vectors.
 */
export function packStrip<T>(dst: usize, width: i32, src: usize, rs: i32, cs: i32, rows: i32, k: i32): void {
  const step = (<usize>width) * sizeof<T>();
  const size = lanes<T>();
  if (rows == width && rs == 1) {
    const vectors = width / size;
    for (let p = 0; p < k; p++) {
      for (let v = 0; v < vectors; v++) v128.store(dst + 16 * v, v128.load(src + 16 * v));
      dst += step;
      src = at<T>(src, cs);
    }
  } else if (rows == width && cs == 1) {
    for (let v = 0; v < width; v += size) transpose<T>(dst + v * sizeof<T>(), step, at<T>(src, v * rs), rs, k);
  } else {
    for (let p = 0; p < k; p++) {
      for (let r = 0; r < rows; r++) store<T>(at<T>(dst, r), load<T>(at<T>(src, r * rs)));
      for (let r = rows; r < width; r++) store<T>(at<T>(dst, r), 0);
      dst += step;
      src = at<T>(src, cs);
    }
  }
}

/** Strips packed together: as many lines with one place in the first-level cache stay there until they are full. */
const together: i32 = 8;

/** Packs `rows` rows into strips of `width`, one after the other. Rows that are neighbours in memory are read by whole cache lines. */
export function packStrips<T>(dst: usize, width: i32, src: usize, rs: i32, cs: i32, rows: i32, k: i32): void {
  let i = 0;
  if (rs == 1) {
    const strip = at<T>(0, width * k);
    for (const whole = rows - (rows % width); i < whole; ) {
      const group = min(whole - i, together * width);
      for (let p = 0; p < k; p++) {
        let to = at<T>(dst, i * k + p * width);
        const from = at<T>(src, p * cs + i);
        for (let r = 0; r < group; r += width) {
          for (let v = 0; v < width; v += lanes<T>()) v128.store(at<T>(to, v), v128.load(at<T>(from, r + v)));
          to += strip;
        }
      }
      i += group;
    }
  }
  for (; i < rows; i += width) packStrip<T>(at<T>(dst, i * k), width, at<T>(src, i * rs), rs, cs, min(rows - i, width), k);
}

/** One vector's worth of rows of k consecutive numbers, to k vectors `step` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose<T>(dst: usize, step: usize, src: usize, rs: i32, k: i32): void {
  const size = lanes<T>();
  const whole = k - (k % size);
  const r1 = at<T>(src, rs);
  const r2 = at<T>(src, 2 * rs);
  const r3 = at<T>(src, 3 * rs);
  let p = 0;
  for (; p < whole; p += size) {
    const o = at<T>(0, p);
    const x0 = v128.load(src + o);
    const x1 = v128.load(r1 + o);
    if (sizeof<T>() == 4) {
      const x2 = v128.load(r2 + o);
      const x3 = v128.load(r3 + o);
      const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
      const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
      const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
      const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
      v128.store(dst, i64x2.shuffle(low01, low23, 0, 2));
      v128.store(dst + step, i64x2.shuffle(low01, low23, 1, 3));
      v128.store(dst + 2 * step, i64x2.shuffle(high01, high23, 0, 2));
      v128.store(dst + 3 * step, i64x2.shuffle(high01, high23, 1, 3));
      dst += 4 * step;
    } else {
      v128.store(dst, i64x2.shuffle(x0, x1, 0, 2));
      v128.store(dst + step, i64x2.shuffle(x0, x1, 1, 3));
      dst += 2 * step;
    }
  }
  for (; p < k; p++) {
    for (let r = 0; r < size; r++) store<T>(at<T>(dst, r), load<T>(at<T>(src, r * rs + p)));
    dst += step;
  }
}
