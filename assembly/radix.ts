// Radix sort of sort keys (lib/sort-key.ts): stable, no comparison, the same work for every order of the input. Long segments are
// dealt out by their highest digit first, so that what follows happens in caches: the keys with one highest digit are sorted on
// the bits below by digits from the lowest one on (lib/records.ts).
// NaNs come out at both ends, by their sign, and are moved behind the numbers afterwards.
// Segments are [offsets[s], offsets[s+1]) of x. `work`: `counters` bytes, then room for the longest segment: its keys (sort), or
// twice its records of a key and an index (argsort).
import { count, counters, next, places } from './lib/digits';
import { at, lanes } from './lib/lanes';
import { argsortRef, sortRef } from './lib/merge-sort';
import { nanIndicesLast, nansLast } from './lib/nans-last';
import { elementShift, indexOf, record, sortKeys, sortRecords, storeRecord } from './lib/records';
import { flipOf, foldOf, scramble, signOf, vscramble } from './lib/sort-key';

/** Bits of the highest digit. */
const high: i32 = 12;
/** Bytes of its counters. */
const highBytes: usize = 4 << high;
/** Where in `work` the counts of whole segments are: behind a table for each quarter, and behind the six of lib/records.ts. */
const totals: usize = 5 * highBytes;
/** Shortest segment dealt out by it: shorter ones fit into caches as they are. */
const long: i32 = 30000;

/** Sorts each segment of x into out. */
export function ssort(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortSegments<f32, u32>(out, x, offsets, segments, descending, work);
}
/** Sorts each segment of x into out. */
export function dsort(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortSegments<f64, u64>(out, x, offsets, segments, descending, work);
}
/** Sorts each segment of x into out. */
export function isort(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortSegments<i32, u32>(out, x, offsets, segments, descending, work);
}
/** Sorts each segment of x into out. */
export function usort(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortSegments<u32, u32>(out, x, offsets, segments, descending, work);
}

/** order = the stable order of each segment, counted from its start. */
export function sargsort(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortSegments<f32, u32>(order, x, offsets, segments, descending, work);
}
/** order = the stable order of each segment, counted from its start. */
export function dargsort(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortSegments<f64, u64>(order, x, offsets, segments, descending, work);
}
/** order = the stable order of each segment, counted from its start. */
export function iargsort(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortSegments<i32, u32>(order, x, offsets, segments, descending, work);
}
/** order = the stable order of each segment, counted from its start. */
export function uargsort(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortSegments<u32, u32>(order, x, offsets, segments, descending, work);
}

// @ts-ignore: decorator
@inline
function sortSegments<T, K>(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  const cross = signOf<T, K>() ^ flipOf<K>(descending);
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(at<i32>(offsets, s));
    const n = load<i32>(at<i32>(offsets, s + 1)) - start;
    sortOne<K>(at<T>(out, start), at<T>(x, start), n, foldOf<T, K>(), cross, work);
    if (isFloat<T>()) nansLast<T>(at<T>(out, start), n);
  }
}

function sortOne<K>(to: usize, x: usize, n: i32, fold: K, cross: K, work: usize): void {
  const width = <i32>(sizeof<K>() << 3);
  const spare = work + counters;
  if (n < long || countHigh<K>(x, n, fold, cross, work)) {
    encodeAll<K>(to, x, n, fold, cross);
    decodeAll<K>(to, sortKeys<K>(to, spare, n, n < long ? width : width - high, work), n, fold, cross);
    return;
  }
  deal<K>(to, x, n, fold, cross, work, false);
  const shift = elementShift<K>(false);
  for (let p: usize = 0, keys = to; p < highBytes; p += 4) {
    const m = load<i32>(work + totals + p);
    if (m == 0) continue;
    decodeAll<K>(keys, sortKeys<K>(keys, spare, m, width - high, work), m, fold, cross);
    keys += (<usize>m) << shift;
  }
}

// @ts-ignore: decorator
@inline
function argsortSegments<T, K>(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  const cross = signOf<T, K>() ^ flipOf<K>(descending);
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(at<i32>(offsets, s));
    const n = load<i32>(at<i32>(offsets, s + 1)) - start;
    argsortOne<K>(at<i32>(order, start), at<T>(x, start), n, foldOf<T, K>(), cross, work);
    if (isFloat<T>()) nanIndicesLast<T>(at<i32>(order, start), at<T>(x, start), n);
  }
}

function argsortOne<K>(to: usize, x: usize, n: i32, fold: K, cross: K, work: usize): void {
  const width = <i32>(sizeof<K>() << 3);
  const records = work + counters;
  const spare = record<K>(records, n);
  if (n < long || countHigh<K>(x, n, fold, cross, work)) {
    for (let i = 0; i < n; i++) storeRecord<K>(record<K>(records, i), scramble<K>(load<K>(at<K>(x, i)), fold) ^ cross, i);
    indices<K>(to, sortRecords<K>(records, spare, n, n < long ? width : width - high, work), n);
    return;
  }
  deal<K>(records, x, n, fold, cross, work, true);
  for (let p: usize = 0, done = 0; p < highBytes; p += 4) {
    const m = load<i32>(work + totals + p);
    if (m == 0) continue;
    indices<K>(at<i32>(to, done), sortRecords<K>(record<K>(records, done), spare, m, width - high, work), m);
    done += m;
  }
}

/** Sort keys of x. */
function encodeAll<K>(to: usize, x: usize, n: i32, fold: K, cross: K): void {
  const folds = v128.splat<K>(fold);
  const crosses = v128.splat<K>(cross);
  let i = 0;
  for (; i + lanes<K>() <= n; i += lanes<K>()) v128.store(at<K>(to, i), v128.xor(vscramble<K>(v128.load(at<K>(x, i)), folds), crosses));
  for (; i < n; i++) store<K>(at<K>(to, i), scramble<K>(load<K>(at<K>(x, i)), fold) ^ cross);
}

/** Elements of sort keys; may be in place. */
function decodeAll<K>(to: usize, keys: usize, n: i32, fold: K, cross: K): void {
  const folds = v128.splat<K>(fold);
  const crosses = v128.splat<K>(cross);
  let i = 0;
  for (; i + lanes<K>() <= n; i += lanes<K>()) v128.store(at<K>(to, i), vscramble<K>(v128.xor(v128.load(at<K>(keys, i)), crosses), folds));
  for (; i < n; i++) store<K>(at<K>(to, i), scramble<K>(load<K>(at<K>(keys, i)) ^ cross, fold));
}

/** The indices of records. */
function indices<K>(to: usize, records: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<i32>(at<i32>(to, i), indexOf<K>(record<K>(records, i)));
}

/** Elements in each of the first three quarters of a segment, a multiple of whole vectors; the last one has the rest. */
// @ts-ignore: decorator
@inline
function quarterOf(n: i32): i32 {
  return (n >> 4) << 2;
}

/** Sort keys of a vector of elements. */
// @ts-ignore: decorator
@inline
function keysAt<K>(x: usize, i: i32, folds: v128, crosses: v128): v128 {
  return v128.xor(vscramble<K>(v128.load(at<K>(x, i)), folds), crosses);
}

/**
 * Counts the highest digits of the keys of x, in the first four tables of `work` those of each quarter, at `totals` all of them. Returns whether
 * one digit holds all. Quarters go side by side: the same counter again would wait for its last store, and four streams come in faster than one.
 */
function countHigh<K>(x: usize, n: i32, fold: K, cross: K, work: usize): bool {
  const shift = <i32>((sizeof<K>() << 3) - high);
  const folds = v128.splat<K>(fold);
  const crosses = v128.splat<K>(cross);
  const quarter = quarterOf(n);
  memory.fill(work, 0, 4 * highBytes);
  for (let i = 0; i < quarter; i += lanes<K>()) {
    const a = v128.shr<K>(keysAt<K>(x, i, folds, crosses), shift);
    const b = v128.shr<K>(keysAt<K>(x, i + quarter, folds, crosses), shift);
    const c = v128.shr<K>(keysAt<K>(x, i + 2 * quarter, folds, crosses), shift);
    const d = v128.shr<K>(keysAt<K>(x, i + 3 * quarter, folds, crosses), shift);
    countFour<K>(work, v128.extract_lane<K>(a, 0), v128.extract_lane<K>(b, 0), v128.extract_lane<K>(c, 0), v128.extract_lane<K>(d, 0));
    countFour<K>(work, v128.extract_lane<K>(a, 1), v128.extract_lane<K>(b, 1), v128.extract_lane<K>(c, 1), v128.extract_lane<K>(d, 1));
    if (sizeof<K>() == 4) {
      countFour<K>(work, v128.extract_lane<K>(a, 2), v128.extract_lane<K>(b, 2), v128.extract_lane<K>(c, 2), v128.extract_lane<K>(d, 2));
      countFour<K>(work, v128.extract_lane<K>(a, 3), v128.extract_lane<K>(b, 3), v128.extract_lane<K>(c, 3), v128.extract_lane<K>(d, 3));
    }
  }
  for (let i = 4 * quarter; i < n; i++) {
    count(work + 3 * highBytes, <usize>((scramble<K>(load<K>(at<K>(x, i)), fold) ^ cross) >> (<K>shift)));
  }
  let single = false;
  for (let p = work; p < work + highBytes; p += 4) {
    const c = load<i32>(p) + load<i32>(p, highBytes) + load<i32>(p, 2 * highBytes) + load<i32>(p, 3 * highBytes);
    store<i32>(p + totals, c);
    if (c == n) single = true;
  }
  return single;
}

/** One digit of each quarter. */
// @ts-ignore: decorator
@inline
function countFour<K>(work: usize, a: K, b: K, c: K, d: K): void {
  count(work, <usize>a);
  count(work + highBytes, <usize>b);
  count(work + 2 * highBytes, <usize>c);
  count(work + 3 * highBytes, <usize>d);
}

/** Deals the keys of x, or records of them, out to `to` by their highest digit, in the order they come. */
// @ts-ignore: decorator
@inline
function deal<K>(to: usize, x: usize, n: i32, fold: K, cross: K, work: usize, paired: bool): void {
  const shift = <K>((sizeof<K>() << 3) - high);
  const folds = v128.splat<K>(fold);
  const crosses = v128.splat<K>(cross);
  memory.copy(work, work + totals, highBytes);
  places(work, high, n, to, <i32>elementShift<K>(paired));
  const size = (<usize>1) << elementShift<K>(paired);
  let i = 0;
  for (; i + lanes<K>() <= n; i += lanes<K>()) {
    // All places before the first store: a load after a store whose address is late would wait for it.
    const keys = keysAt<K>(x, i, folds, crosses);
    const a = v128.extract_lane<K>(keys, 0);
    const b = v128.extract_lane<K>(keys, 1);
    const p = next(work, <usize>(a >> shift), size);
    const q = next(work, <usize>(b >> shift), size);
    if (sizeof<K>() == 4) {
      const c = v128.extract_lane<K>(keys, 2);
      const d = v128.extract_lane<K>(keys, 3);
      const r = next(work, <usize>(c >> shift), size);
      const s = next(work, <usize>(d >> shift), size);
      deliver<K>(p, a, i, paired);
      deliver<K>(q, b, i + 1, paired);
      deliver<K>(r, c, i + 2, paired);
      deliver<K>(s, d, i + 3, paired);
    } else {
      deliver<K>(p, a, i, paired);
      deliver<K>(q, b, i + 1, paired);
    }
  }
  for (; i < n; i++) {
    const key = scramble<K>(load<K>(at<K>(x, i)), fold) ^ cross;
    deliver<K>(next(work, <usize>(key >> shift), size), key, i, paired);
  }
}

// @ts-ignore: decorator
@inline
function deliver<K>(p: usize, key: K, index: i32, paired: bool): void {
  if (paired) storeRecord<K>(p, key, index);
  else store<K>(p, key);
}

/** Sorts each segment of x into out, by merging. */
export function ssortRef(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortRef<f32, u32>(out, x, offsets, segments, descending, work);
}
/** Sorts each segment of x into out, by merging. */
export function dsortRef(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortRef<f64, u64>(out, x, offsets, segments, descending, work);
}
/** Sorts each segment of x into out, by merging. */
export function isortRef(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortRef<i32, u32>(out, x, offsets, segments, descending, work);
}
/** Sorts each segment of x into out, by merging. */
export function usortRef(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  sortRef<u32, u32>(out, x, offsets, segments, descending, work);
}
/** order = the stable order of each segment, by merging. */
export function sargsortRef(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortRef<f32, u32>(order, x, offsets, segments, descending, work);
}
/** order = the stable order of each segment, by merging. */
export function dargsortRef(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortRef<f64, u64>(order, x, offsets, segments, descending, work);
}
/** order = the stable order of each segment, by merging. */
export function iargsortRef(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortRef<i32, u32>(order, x, offsets, segments, descending, work);
}
/** order = the stable order of each segment, by merging. */
export function uargsortRef(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  argsortRef<u32, u32>(order, x, offsets, segments, descending, work);
}
