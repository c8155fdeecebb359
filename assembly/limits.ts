// What the machine can do, measured: multiply-adds per second in a matrix tile, bytes per second of a plain sum.
import { at, hsum, lanes, madd } from './lib/lanes';

/** Multiply-adds of one tile step in either precision (4 rows × 2 vectors). */
// @ts-ignore: decorator
@inline
const rows = 4;

/** `rounds` passes over the panels a [4, depth] and b [depth, 8] of f32: 64·depth·rounds flop. Returns the sum of the tile. */
export function stilePeakRef(rounds: i32, depth: i32, a: usize, b: usize): f64 {
  return tileRef<f32>(rounds, depth, a, b, 8);
}
/** `rounds` passes over the panels a [4, depth] and b [depth, 4] of f64: 32·depth·rounds flop. Returns the sum of the tile. */
export function dtilePeakRef(rounds: i32, depth: i32, a: usize, b: usize): f64 {
  return tileRef<f64>(rounds, depth, a, b, 4);
}
function tileRef<T>(rounds: i32, depth: i32, a: usize, b: usize, width: i32): f64 {
  let sum: f64 = 0;
  for (let round = 0; round < rounds; round++)
    for (let k = 0; k < depth; k++)
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < width; j++) sum += <f64>load<T>(at<T>(a, k * rows + i)) * <f64>load<T>(at<T>(b, k * width + j));
  return sum;
}

/** The innermost loop of a matrix product on panels that stay in L1: the peak that gemm can approach. */
export function stilePeak(rounds: i32, depth: i32, a: usize, b: usize): f64 {
  return tile<f32>(rounds, depth, a, b);
}
/** The innermost loop of a matrix product on panels that stay in L1: the peak that gemm can approach. */
export function dtilePeak(rounds: i32, depth: i32, a: usize, b: usize): f64 {
  return tile<f64>(rounds, depth, a, b);
}
// @ts-ignore: decorator
@inline
function tile<T>(rounds: i32, depth: i32, a: usize, b: usize): f64 {
  let c00 = v128.splat<T>(0), c01 = v128.splat<T>(0);
  let c10 = v128.splat<T>(0), c11 = v128.splat<T>(0);
  let c20 = v128.splat<T>(0), c21 = v128.splat<T>(0);
  let c30 = v128.splat<T>(0), c31 = v128.splat<T>(0);
  const stepA = sizeof<T>() * rows;
  for (let round = 0; round < rounds; round++) {
    let p = a, q = b;
    for (let k = 0; k < depth; k++) {
      const b0 = v128.load(q), b1 = v128.load(q, 16);
      const a0 = v128.load_splat<T>(p);
      c00 = madd<T>(a0, b0, c00), c01 = madd<T>(a0, b1, c01);
      const a1 = v128.load_splat<T>(p + sizeof<T>());
      c10 = madd<T>(a1, b0, c10), c11 = madd<T>(a1, b1, c11);
      const a2 = v128.load_splat<T>(p + 2 * sizeof<T>());
      c20 = madd<T>(a2, b0, c20), c21 = madd<T>(a2, b1, c21);
      const a3 = v128.load_splat<T>(p + 3 * sizeof<T>());
      c30 = madd<T>(a3, b0, c30), c31 = madd<T>(a3, b1, c31);
      p += stepA, q += 32;
    }
  }
  const top = v128.add<T>(v128.add<T>(c00, c01), v128.add<T>(c10, c11));
  return <f64>hsum<T>(v128.add<T>(top, v128.add<T>(v128.add<T>(c20, c21), v128.add<T>(c30, c31))));
}

/** Σ x[i] over `rounds` passes; the bandwidth limit of reading 4·n bytes again and again. n is a multiple of 32. */
export function sreadPeakRef(rounds: i32, n: i32, x: usize): f64 {
  let sum: f64 = 0;
  for (let round = 0; round < rounds; round++) for (let i = 0; i < n; i++) sum += <f64>load<f32>(at<f32>(x, i));
  return sum;
}
/** Σ x[i] over `rounds` passes; the bandwidth limit of reading 4·n bytes again and again. n is a multiple of 32. */
export function sreadPeak(rounds: i32, n: i32, x: usize): f64 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  let e = f32x4.splat(0), f = f32x4.splat(0), g = f32x4.splat(0), h = f32x4.splat(0);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < n; i += 8 * lanes<f32>()) {
      const p = at<f32>(x, i);
      a = f32x4.add(a, v128.load(p)), b = f32x4.add(b, v128.load(p, 16));
      c = f32x4.add(c, v128.load(p, 32)), d = f32x4.add(d, v128.load(p, 48));
      e = f32x4.add(e, v128.load(p, 64)), f = f32x4.add(f, v128.load(p, 80));
      g = f32x4.add(g, v128.load(p, 96)), h = f32x4.add(h, v128.load(p, 112));
    }
  }
  const low = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  return <f64>hsum<f32>(f32x4.add(low, f32x4.add(f32x4.add(e, f), f32x4.add(g, h))));
}
