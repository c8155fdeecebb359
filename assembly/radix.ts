// Radix sort from the lowest digit of sort keys (lib/sort-key.ts): stable, no comparison, the same work for every order of the
// input. One read counts the digits of all passes; a pass whose digit is the same everywhere is skipped; the first pass encodes
// and the last one decodes on the way. Short segments are sorted by insertion.
// NaNs come out at both ends, by their sign, and are moved behind the numbers afterwards.
// Segments are [offsets[s], offsets[s+1]) of x. `work`: 64 KiB of counters, then two buffers of keys or records.
import { count, counters, countThree, digitBits, next, places, short } from './lib/digits';
import { at } from './lib/lanes';
import { indexOf, insert, record, scatter, storeRecord } from './lib/records';
import { decode, decodeNumber, encode, encodeNumber, flipOf } from './lib/sort-key';

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
