// Hard sorting networks across a batch: one vector per wire, lane = row of the batch, so that a comparator is a minimum and a
// maximum of sort keys (lib/sort-key.ts) for four rows of 32-bit elements or two of f64.
import { at, lanes } from './lib/lanes';
import { decode, encode, flipOf, foldOf, signOf, vscramble } from './lib/sort-key';

/** Four vectors as the columns of what they were the rows of: lane j of vector i at `to + 16·j`, or `pitch` bytes on, is lane i of vector j. */
// @ts-ignore: decorator
@inline
function storeTurned(a: v128, b: v128, c: v128, d: v128, to: usize, pitch: usize): void {
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(to + pitch, i64x2.shuffle(ab, cd, 1, 3));
  v128.store(to + 2 * pitch, i64x2.shuffle(abHigh, cdHigh, 0, 2));
  v128.store(to + 3 * pitch, i64x2.shuffle(abHigh, cdHigh, 1, 3));
}

/** `encode` of four elements, with the top bit turned for signed comparisons. */
// @ts-ignore: decorator
@inline
function keysAt<T, K>(p: usize, folds: v128, turn: v128, last: v128): v128 {
  const bits = v128.load(p);
  const keys = v128.xor(vscramble<K>(bits, folds), turn);
  return isFloat<T>() ? v128.bitselect(last, keys, f32x4.ne(bits, bits)) : keys;
}

/** The elements of four such keys. */
// @ts-ignore: decorator
@inline
function elementsOf<T, K>(keys: v128, folds: v128, turn: v128, last: v128): v128 {
  const bits = vscramble<K>(v128.xor(keys, turn), folds);
  return isFloat<T>() ? v128.bitselect(i32x4.splat(0x7fc00000), bits, i32x4.eq(keys, last)) : bits;
}

// @ts-ignore: decorator
@inline
function network<T, K>(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  const flip = flipOf<K>(descending);
  const top = (<K>1) << <K>((sizeof<K>() << 3) - 1); // i64x2 has only signed comparisons
  const pitch = (<usize>n) << alignof<T>();
  const folds = v128.splat<K>(foldOf<T, K>());
  const turn = v128.splat<K>(flip ^ signOf<T, K>() ^ top);
  const last = v128.splat<K>(~(<K>0) ^ top); // NaN
  for (let row = 0; row < batch; row += lanes<T>()) {
    const held = min(lanes<T>(), batch - row);
    const turned = sizeof<K>() == 4 && held == 4 ? n & ~3 : 0; // wires that cross between rows and lanes four at a time
    for (let w = 0; w < turned; w += 4) {
      const from = at<T>(x, row * n + w);
      const a = keysAt<T, K>(from, folds, turn, last);
      const b = keysAt<T, K>(from + pitch, folds, turn, last);
      const c = keysAt<T, K>(from + 2 * pitch, folds, turn, last);
      const d = keysAt<T, K>(from + 3 * pitch, folds, turn, last);
      storeTurned(a, b, c, d, work + ((<usize>w) << 4), 16);
    }
    for (let lane = 0; lane < held; lane++) {
      const from = at<T>(x, (row + lane) * n);
      const to = work + (<usize>lane) * sizeof<K>();
      for (let w = turned; w < n; w++) store<K>(to + ((<usize>w) << 4), encode<T, K>(at<T>(from, w), flip) ^ top);
    }
    for (let c = 0; c < count; c++) {
      const p = work + ((<usize>load<i32>(at<i32>(pairs, 2 * c))) << 4);
      const q = work + ((<usize>load<i32>(at<i32>(pairs, 2 * c + 1))) << 4);
      const a = v128.load(p);
      const b = v128.load(q);
      if (sizeof<K>() == 4) {
        v128.store(p, i32x4.min_s(a, b));
        v128.store(q, i32x4.max_s(a, b));
      } else {
        const swap = i64x2.gt_s(a, b);
        v128.store(p, v128.bitselect(b, a, swap));
        v128.store(q, v128.bitselect(a, b, swap));
      }
    }
    for (let w = 0; w < turned; w += 4) {
      const from = work + ((<usize>w) << 4);
      const a = elementsOf<T, K>(v128.load(from), folds, turn, last);
      const b = elementsOf<T, K>(v128.load(from, 16), folds, turn, last);
      const c = elementsOf<T, K>(v128.load(from, 32), folds, turn, last);
      const d = elementsOf<T, K>(v128.load(from, 48), folds, turn, last);
      storeTurned(a, b, c, d, at<T>(out, row * n + w), pitch);
    }
    for (let lane = 0; lane < held; lane++) {
      const to = at<T>(out, (row + lane) * n);
      const from = work + (<usize>lane) * sizeof<K>();
      for (let w = turned; w < n; w++) decode<T, K>(at<T>(to, w), load<K>(from + ((<usize>w) << 4)) ^ top, flip);
    }
  }
}

/** out [batch, n] = rows of x after every comparator. `work`: n vectors. */
export function snetwork(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  network<f32, u32>(out, x, pairs, batch, n, count, descending, work);
}
/** out [batch, n] = rows of x after every comparator. `work`: n vectors. */
export function dnetwork(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  network<f64, u64>(out, x, pairs, batch, n, count, descending, work);
}
/** out [batch, n] = rows of x after every comparator. `work`: n vectors. */
export function inetwork(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  network<i32, u32>(out, x, pairs, batch, n, count, descending, work);
}
/** out [batch, n] = rows of x after every comparator. `work`: n vectors. */
export function unetwork(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  network<u32, u32>(out, x, pairs, batch, n, count, descending, work);
}

// Twins: compare and exchange, one row at a time.
function networkRef<T, K>(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, keys: usize): void {
  const flip = flipOf<K>(descending);
  for (let row = 0; row < batch; row++) {
    for (let w = 0; w < n; w++) store<K>(at<K>(keys, w), encode<T, K>(at<T>(x, row * n + w), flip));
    for (let c = 0; c < count; c++) {
      const p = at<K>(keys, load<i32>(at<i32>(pairs, 2 * c)));
      const q = at<K>(keys, load<i32>(at<i32>(pairs, 2 * c + 1)));
      const a = load<K>(p);
      const b = load<K>(q);
      store<K>(p, min(a, b));
      store<K>(q, max(a, b));
    }
    for (let w = 0; w < n; w++) decode<T, K>(at<T>(out, row * n + w), load<K>(at<K>(keys, w)), flip);
  }
}

/** Rows of x after every comparator, one at a time. */
export function snetworkRef(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  networkRef<f32, u32>(out, x, pairs, batch, n, count, descending, work);
}
/** Rows of x after every comparator, one at a time. */
export function dnetworkRef(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  networkRef<f64, u64>(out, x, pairs, batch, n, count, descending, work);
}
/** Rows of x after every comparator, one at a time. */
export function inetworkRef(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  networkRef<i32, u32>(out, x, pairs, batch, n, count, descending, work);
}
/** Rows of x after every comparator, one at a time. */
export function unetworkRef(out: usize, x: usize, pairs: usize, batch: i32, n: i32, count: i32, descending: i32, work: usize): void {
  networkRef<u32, u32>(out, x, pairs, batch, n, count, descending, work);
}
