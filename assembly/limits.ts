// What the machine can do, measured: multiply-adds per second in a matrix tile, bytes per second of plain reading.
import { at, hsum, madd } from './lib/lanes';

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

/** Exclusive or of the words of x, read `rounds` times: the limit of reading 4·n bytes again and again. n is a multiple of 32. */
export function readPeakRef(rounds: i32, n: i32, x: usize): f64 {
  let word = 0;
  for (let round = 0; round < rounds; round++) {
    word = 0;
    for (let i = 0; i < n; i++) word ^= load<i32>(at<i32>(x, i));
  }
  return <f64>word;
}
/**
 * Exclusive or of the words of x, read `rounds` times: the limit of reading 4·n bytes again and again. n is a multiple of 32.
 * Bitwise because that has more ports than an addition, in two streams because prefetchers then fetch further ahead.
 */
export function readPeak(rounds: i32, n: i32, x: usize): f64 {
  const half = <usize>n << 1;
  let a = i32x4.splat(0), b = i32x4.splat(0), c = i32x4.splat(0), d = i32x4.splat(0);
  let e = i32x4.splat(0), f = i32x4.splat(0), g = i32x4.splat(0), h = i32x4.splat(0);
  for (let round = 0; round < rounds; round++) {
    a = i32x4.splat(0), b = i32x4.splat(0), c = i32x4.splat(0), d = i32x4.splat(0);
    e = i32x4.splat(0), f = i32x4.splat(0), g = i32x4.splat(0), h = i32x4.splat(0);
    for (let p = x, end = x + half; p < end; p += 64) {
      const q = p + half;
      a = v128.xor(a, v128.load(p)), e = v128.xor(e, v128.load(q));
      b = v128.xor(b, v128.load(p, 16)), f = v128.xor(f, v128.load(q, 16));
      c = v128.xor(c, v128.load(p, 32)), g = v128.xor(g, v128.load(q, 32));
      d = v128.xor(d, v128.load(p, 48)), h = v128.xor(h, v128.load(q, 48));
    }
  }
  const low = v128.xor(v128.xor(a, b), v128.xor(c, d));
  const all = v128.xor(low, v128.xor(v128.xor(e, f), v128.xor(g, h)));
  const pair = v128.xor(all, i32x4.shuffle(all, all, 2, 3, 0, 1));
  return <f64>(i32x4.extract_lane(pair, 0) ^ i32x4.extract_lane(pair, 1));
}
