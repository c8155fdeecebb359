// Radix sort from the lowest digit of sort keys (lib/sort-key.ts): stable, no comparison, the same work for every order of the
// input. One read counts the digits of all passes; a pass whose digit is the same everywhere is skipped; the first pass encodes
// and the last one decodes on the way. Short segments are sorted by insertion.
// NaNs come out at both ends, by their sign, and are moved behind the numbers afterwards.
// Segments are [offsets[s], offsets[s+1]) of x. `work`: 64 KiB of counters, then two buffers of keys or records.
import { at } from './lib/lanes';
import { decode, decodeNumber, encode, encodeNumber, flipOf } from './lib/sort-key';

/** Bytes of counters at the start of `work`: up to six tables of 2048. */
export const counters: i32 = 65536;
/** Longest segment sorted by insertion; measured, radix passes over 8-bit digits win above. */
const short: i32 = 48;
/** Shortest segment with 11-bit digits: below, clearing and summing 2048 counters costs more than the extra passes. */
const long: i32 = 6000;

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
function digitBits(n: i32): i32 {
  return n < long ? 8 : 11;
}

/** Adds one to the counter of every digit of `key`. */
// @ts-ignore: decorator
@inline
function count<K>(key: K, table: usize, bits: i32, passes: i32): void {
  const mask = <K>((1 << bits) - 1);
  let shift = 0;
  for (let pass = 0; pass < passes; pass++, shift += bits) {
    const p = table + ((<usize>((pass << bits) + <i32>((key >> <K>shift) & mask))) << 2);
    store<u32>(p, load<u32>(p) + 1);
  }
}

/** The three counters of a 32-bit key with 11-bit digits. */
// @ts-ignore: decorator
@inline
function countThree(key: u32, table: usize): void {
  const a = table + ((<usize>(key & 2047)) << 2);
  const b = table + 8192 + ((<usize>((key >> 11) & 2047)) << 2);
  const c = table + 16384 + ((<usize>(key >> 22)) << 2);
  store<u32>(a, load<u32>(a) + 1);
  store<u32>(b, load<u32>(b) + 1);
  store<u32>(c, load<u32>(c) + 1);
}

/** Counts become first places; returns whether one digit holds all n. */
function places(table: usize, bits: i32, n: i32): bool {
  let total: u32 = 0;
  let single = false;
  for (let p = table, end = table + ((<usize>4) << bits); p < end; p += 4) {
    const c = load<u32>(p);
    if (<i32>c == n) single = true;
    store<u32>(p, total);
    total += c;
  }
  return single;
}

/** The place of `key` in this pass; the next key with its digit comes after it. */
// @ts-ignore: decorator
@inline
function next<K>(key: K, table: usize, shift: i32, mask: K): usize {
  const p = table + ((<usize>((key >> <K>shift) & mask)) << 2);
  const place = load<u32>(p);
  store<u32>(p, place + 1);
  return <usize>place;
}

// @ts-ignore: decorator
@inline
function sortSegments<T, K>(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  const flip = flipOf<K>(descending);
  const keys = work + counters;
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(at<i32>(offsets, s));
    const n = load<i32>(at<i32>(offsets, s + 1)) - start;
    const from = at<T>(x, start);
    const to = at<T>(out, start);
    if (n <= short) {
      for (let i = 0; i < n; i++) {
        const key = encodeNumber<T, K>(at<T>(from, i), flip);
        let j = i;
        for (; j > 0 && load<K>(at<K>(keys, j - 1)) > key; j--) store<K>(at<K>(keys, j), load<K>(at<K>(keys, j - 1)));
        store<K>(at<K>(keys, j), key);
      }
      for (let i = 0; i < n; i++) decodeNumber<T, K>(at<T>(to, i), load<K>(at<K>(keys, i)), flip);
      if (isFloat<T>()) nansLast<T>(to, n);
      continue;
    }
    const bits = digitBits(n);
    const mask = <K>((1 << bits) - 1);
    const passes = (<i32>(sizeof<K>() << 3) + bits - 1) / bits;
    memory.fill(work, 0, (<usize>passes) << (bits + 2));
    if (sizeof<K>() == 4 && bits == 11) for (let i = 0; i < n; i++) countThree(<u32>encodeNumber<T, K>(at<T>(from, i), flip), work);
    else for (let i = 0; i < n; i++) count<K>(encodeNumber<T, K>(at<T>(from, i), flip), work, bits, passes);

    let a = keys;
    let b = at<K>(keys, n);
    places(work, bits, n);
    for (let i = 0; i < n; i++) {
      const key = encodeNumber<T, K>(at<T>(from, i), flip);
      store<K>(at<K>(a, <i32>next<K>(key, work, 0, mask)), key);
    }
    let pass = 1;
    for (; pass < passes - 1; pass++) {
      const table = work + ((<usize>pass) << (bits + 2));
      if (places(table, bits, n)) continue;
      for (let i = 0; i < n; i++) {
        const key = load<K>(at<K>(a, i));
        store<K>(at<K>(b, <i32>next<K>(key, table, pass * bits, mask)), key);
      }
      const c = a;
      a = b;
      b = c;
    }
    const table = work + ((<usize>pass) << (bits + 2));
    places(table, bits, n);
    for (let i = 0; i < n; i++) {
      const key = load<K>(at<K>(a, i));
      decodeNumber<T, K>(at<T>(to, <i32>next<K>(key, table, pass * bits, mask)), key, flip);
    }
    if (isFloat<T>()) nansLast<T>(to, n);
  }
}

/** Moves the NaNs in front of the numbers behind those at their end, as quiet NaNs. */
function nansLast<T>(x: usize, n: i32): void {
  let front = 0;
  while (front < n && isNaN<T>(load<T>(at<T>(x, front)))) front++;
  let back = n;
  while (back > front && isNaN<T>(load<T>(at<T>(x, back - 1)))) back--;
  if (front) memory.copy(x, at<T>(x, front), at<T>(0, back - front));
  for (let i = back - front; i < n; i++) store<T>(at<T>(x, i), <T>NaN);
}

/** The same for an order: NaNs of x behind the numbers, by index. */
function nanIndicesLast<T>(order: usize, x: usize, n: i32): void {
  let front = 0;
  while (front < n && isNaN<T>(load<T>(at<T>(x, load<i32>(at<i32>(order, front)))))) front++;
  let back = n;
  while (back > front && isNaN<T>(load<T>(at<T>(x, load<i32>(at<i32>(order, back - 1)))))) back--;
  let place = back - front;
  if (place == n) return;
  memory.copy(order, at<i32>(order, front), at<i32>(0, place));
  for (let i = 0; i < n; i++) if (isNaN<T>(load<T>(at<T>(x, i)))) store<i32>(at<i32>(order, place++), i);
}

// A record is a key and, in the other half, its index: 8 or 16 bytes that move together.
/** Bytes of a record, as a shift. */
// @ts-ignore: decorator
@inline
function recordShift<K>(): usize {
  return sizeof<K>() == 4 ? 3 : 4;
}
/** Address of record i. */
// @ts-ignore: decorator
@inline
export function record<K>(base: usize, i: i32): usize {
  return base + ((<usize>i) << recordShift<K>());
}
// @ts-ignore: decorator
@inline
export function storeRecord<K>(p: usize, key: K, index: i32): void {
  store<K>(p, key);
  store<i32>(p + sizeof<K>(), index);
}
/** Index of the record at p. */
// @ts-ignore: decorator
@inline
export function indexOf<K>(p: usize): i32 {
  return load<i32>(p + sizeof<K>());
}
// @ts-ignore: decorator
@inline
function move<K>(to: usize, from: usize): void {
  if (sizeof<K>() == 4) store<u64>(to, load<u64>(from));
  else v128.store(to, v128.load(from));
}

/** Inserts (key, index) behind every record whose key is not greater. */
// @ts-ignore: decorator
@inline
function insert<K>(records: usize, i: i32, key: K, index: i32): void {
  let j = i;
  for (; j > 0 && load<K>(record<K>(records, j - 1)) > key; j--) move<K>(record<K>(records, j), record<K>(records, j - 1));
  storeRecord<K>(record<K>(records, j), key, index);
}

// @ts-ignore: decorator
@inline
function argsortSegments<T, K>(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  const flip = flipOf<K>(descending);
  const records = work + counters;
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(at<i32>(offsets, s));
    const n = load<i32>(at<i32>(offsets, s + 1)) - start;
    const from = at<T>(x, start);
    const to = at<i32>(order, start);
    if (n <= short) {
      for (let i = 0; i < n; i++) insert<K>(records, i, encodeNumber<T, K>(at<T>(from, i), flip), i);
      for (let i = 0; i < n; i++) store<i32>(at<i32>(to, i), indexOf<K>(record<K>(records, i)));
      if (isFloat<T>()) nanIndicesLast<T>(to, from, n);
      continue;
    }
    const bits = digitBits(n);
    const mask = <K>((1 << bits) - 1);
    const passes = (<i32>(sizeof<K>() << 3) + bits - 1) / bits;
    memory.fill(work, 0, (<usize>passes) << (bits + 2));
    if (sizeof<K>() == 4 && bits == 11) for (let i = 0; i < n; i++) countThree(<u32>encodeNumber<T, K>(at<T>(from, i), flip), work);
    else for (let i = 0; i < n; i++) count<K>(encodeNumber<T, K>(at<T>(from, i), flip), work, bits, passes);

    let a = records;
    let b = record<K>(records, n);
    places(work, bits, n);
    for (let i = 0; i < n; i++) {
      const key = encodeNumber<T, K>(at<T>(from, i), flip);
      storeRecord<K>(record<K>(a, <i32>next<K>(key, work, 0, mask)), key, i);
    }
    let pass = 1;
    for (; pass < passes - 1; pass++) {
      const table = work + ((<usize>pass) << (bits + 2));
      if (places(table, bits, n)) continue;
      scatter<K>(b, a, n, table, pass * bits, mask);
      const c = a;
      a = b;
      b = c;
    }
    const table = work + ((<usize>pass) << (bits + 2));
    places(table, bits, n);
    for (let i = 0; i < n; i++) {
      const p = record<K>(a, i);
      store<i32>(at<i32>(to, <i32>next<K>(load<K>(p), table, pass * bits, mask)), indexOf<K>(p));
    }
    if (isFloat<T>()) nanIndicesLast<T>(to, from, n);
  }
}

// @ts-ignore: decorator
@inline
function scatter<K>(to: usize, from: usize, n: i32, table: usize, shift: i32, mask: K): void {
  for (let i = 0; i < n; i++) {
    const p = record<K>(from, i);
    move<K>(record<K>(to, <i32>next<K>(load<K>(p), table, shift, mask)), p);
  }
}

/** Sorts n records in place by key, stably; `spare` has room for n more; `table` is `counters` bytes. */
export function sortRecords<K>(records: usize, spare: usize, n: i32, table: usize): void {
  if (n <= short) {
    for (let i = 1; i < n; i++) {
      const p = record<K>(records, i);
      insert<K>(records, i, load<K>(p), indexOf<K>(p));
    }
    return;
  }
  const bits = digitBits(n);
  const mask = <K>((1 << bits) - 1);
  const passes = (<i32>(sizeof<K>() << 3) + bits - 1) / bits;
  memory.fill(table, 0, (<usize>passes) << (bits + 2));
  for (let i = 0; i < n; i++) count<K>(load<K>(record<K>(records, i)), table, bits, passes);
  let a = records;
  let b = spare;
  for (let pass = 0; pass < passes; pass++) {
    const tables = table + ((<usize>pass) << (bits + 2));
    if (places(tables, bits, n)) continue;
    scatter<K>(b, a, n, tables, pass * bits, mask);
    const c = a;
    a = b;
    b = c;
  }
  if (a != records) memory.copy(records, a, (<usize>n) << recordShift<K>());
}

// Twins: bottom-up merging of indices by comparison of keys.
function mergeOrderRef<T, K>(order: usize, x: usize, n: i32, flip: K, spare: usize): void {
  for (let i = 0; i < n; i++) store<i32>(at<i32>(order, i), i);
  for (let width = 1; width < n; width *= 2) {
    memory.copy(spare, order, (<usize>n) << 2);
    for (let low = 0; low < n; low += 2 * width) {
      const middle = min(low + width, n);
      const high = min(low + 2 * width, n);
      let i = low;
      let j = middle;
      for (let k = low; k < high; k++) {
        let left = i < middle;
        if (left && j < high) {
          const a = encode<T, K>(at<T>(x, load<i32>(at<i32>(spare, i))), flip);
          const b = encode<T, K>(at<T>(x, load<i32>(at<i32>(spare, j))), flip);
          left = a <= b;
        }
        store<i32>(at<i32>(order, k), load<i32>(at<i32>(spare, left ? i++ : j++)));
      }
    }
  }
}

function argsortRef<T, K>(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(at<i32>(offsets, s));
    const n = load<i32>(at<i32>(offsets, s + 1)) - start;
    mergeOrderRef<T, K>(at<i32>(order, start), at<T>(x, start), n, flipOf<K>(descending), work);
  }
}

function sortRef<T, K>(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  const flip = flipOf<K>(descending);
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(at<i32>(offsets, s));
    const n = load<i32>(at<i32>(offsets, s + 1)) - start;
    const from = at<T>(x, start);
    mergeOrderRef<T, K>(work, from, n, flip, at<i32>(work, n));
    for (let i = 0; i < n; i++) {
      decode<T, K>(at<T>(out, start + i), encode<T, K>(at<T>(from, load<i32>(at<i32>(work, i))), flip), flip);
    }
  }
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
