// The k best of each row by threshold scan, and the k-th smallest by radix selection; order as in lib/sort-key.ts.
import { counters } from './lib/digits';
import { at, lanes } from './lib/lanes';
import { indexOf, record, sortRecords, storeRecord } from './lib/records';
import { decode, encode, flipOf, foldOf, signOf, vscramble } from './lib/sort-key';

/** Records a row of n keeps before it forgets all but the k best; `work` holds `counters` bytes and twice as many. */
// @ts-ignore: decorator
@inline
function capacity(n: i32, k: i32): i32 {
  return min(n, 2 * k);
}

/** Sorts the records of the buffer in place. */
function sortHeld<K>(buffer: usize, spare: usize, held: i32, work: usize): void {
  const sorted = sortRecords<K>(buffer, spare, held, <i32>(sizeof<K>() << 3), work);
  if (sorted != buffer) memory.copy(buffer, sorted, record<K>(0, held));
}

// A row is read once. Elements better than the k-th best so far go to a buffer; when it is full it is sorted and cut to k,
// which raises the threshold. Arrivals have a higher index than all that is kept: an equal key loses, so ties go to the lower index.
// @ts-ignore: decorator
@inline
function topk<T, K>(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  const flip = flipOf<K>(largest);
  const room = capacity(n, k);
  const buffer = work + counters;
  const spare = record<K>(buffer, room);
  const step = lanes<T>() * 4;
  for (let row = 0; row < rows; row++) {
    const from = at<T>(x, row * n);
    let held = 0;
    let threshold: K = ~(<K>0);
    let bound = v128.splat<T>(<T>0);
    let scanning = false; // whether `bound` may rule out whole blocks: not before the buffer was cut, nor while the k-th best is a NaN
    let i = 0;
    while (i < n) {
      if (scanning && i + step <= n) {
        const p = at<T>(from, i);
        let hit: bool;
        if (largest) {
          hit = v128.any_true(
            v128.or(
              v128.or(v128.gt<T>(v128.load(p), bound), v128.gt<T>(v128.load(p, 16), bound)),
              v128.or(v128.gt<T>(v128.load(p, 32), bound), v128.gt<T>(v128.load(p, 48), bound)),
            ),
          );
        } else {
          hit = v128.any_true(
            v128.or(
              v128.or(v128.lt<T>(v128.load(p), bound), v128.lt<T>(v128.load(p, 16), bound)),
              v128.or(v128.lt<T>(v128.load(p, 32), bound), v128.lt<T>(v128.load(p, 48), bound)),
            ),
          );
        }
        if (!hit) {
          i += step;
          continue;
        }
      }
      const end = min(n, i + step);
      for (; i < end; i++) {
        const key = encode<T, K>(at<T>(from, i), flip);
        if (key >= threshold && held >= k) continue;
        storeRecord<K>(record<K>(buffer, held++), key, i);
        if (held < room || i == n - 1) continue;
        sortHeld<K>(buffer, spare, held, work);
        held = k;
        threshold = load<K>(record<K>(buffer, k - 1));
        decode<T, K>(work, threshold, flip);
        const value = load<T>(work);
        scanning = value == value;
        // The other zero beats this one although it compares equal: no block with zeros may be ruled out.
        if (isFloat<T>() && value == <T>0 && (largest ? <T>1 / value < <T>0 : <T>1 / value > <T>0)) scanning = false;
        bound = v128.splat<T>(value);
      }
    }
    sortHeld<K>(buffer, spare, held, work);
    for (let j = 0; j < k; j++) {
      const p = record<K>(buffer, j);
      decode<T, K>(at<T>(values, row * k + j), load<K>(p), flip);
      store<i32>(at<i32>(order, row * k + j), indexOf<K>(p));
    }
  }
}

/** values, order [rows, k] = the k largest (or smallest) of each row of x [rows, n], best first, ties by lower index. */
export function stopk(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  topk<f32, u32>(values, order, x, rows, n, k, largest, work);
}
/** values, order [rows, k] = the k largest (or smallest) of each row of x [rows, n], best first, ties by lower index. */
export function dtopk(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  topk<f64, u64>(values, order, x, rows, n, k, largest, work);
}
/** values, order [rows, k] = the k largest (or smallest) of each row of x [rows, n], best first, ties by lower index. */
export function itopk(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  topk<i32, u32>(values, order, x, rows, n, k, largest, work);
}
/** values, order [rows, k] = the k largest (or smallest) of each row of x [rows, n], best first, ties by lower index. */
export function utopk(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  topk<u32, u32>(values, order, x, rows, n, k, largest, work);
}

// Radix selection: count the highest digit, keep the keys of the digit that holds place k, go on with the next digit.
/** keys = the keys of n elements. */
// @ts-ignore: decorator
@inline
function keysOf<T, K>(keys: usize, from: usize, n: i32, flip: K): void {
  const whole = n - (n % lanes<T>());
  const folds = v128.splat<K>(foldOf<T, K>());
  const turn = v128.splat<K>(flip ^ signOf<T, K>());
  let i = 0;
  for (; i < whole; i += lanes<T>()) {
    const bits = v128.load(at<T>(from, i));
    let key = v128.xor(vscramble<K>(bits, folds), turn);
    if (isFloat<T>()) key = v128.or(key, v128.ne<T>(bits, bits));
    v128.store(at<K>(keys, i), key);
  }
  for (; i < n; i++) store<K>(at<K>(keys, i), encode<T, K>(at<T>(from, i), flip));
}

// @ts-ignore: decorator
@inline
function selects<T, K>(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  const flip = flipOf<K>(largest);
  const keys = work + counters;
  const width = <i32>(sizeof<K>() << 3);
  for (let row = 0; row < rows; row++) {
    const from = at<T>(x, row * n);
    let left = n;
    let rank = k;
    let known: K = 0; // the digits found so far, in place
    keysOf<T, K>(keys, from, n, flip);
    for (let top = width; top > 0; ) {
      const bits = min(11, top);
      const shift = <K>(top - bits);
      const mask = (((<K>1) << <K>bits) - 1);
      memory.fill(work, 0, (<usize>4) << bits);
      for (let i = 0; i < left; i++) {
        const key = load<K>(at<K>(keys, i));
        const p = work + ((<usize>((key >> shift) & mask)) << 2);
        store<u32>(p, load<u32>(p) + 1);
      }
      let digit = 0;
      for (; ; digit++) {
        const c = load<i32>(work + ((<usize>digit) << 2));
        if (rank < c) break;
        rank -= c;
      }
      known |= (<K>digit) << shift;
      let kept = 0;
      for (let i = 0; i < left; i++) {
        const key = load<K>(at<K>(keys, i));
        store<K>(at<K>(keys, kept), key);
        kept += <i32>(((key >> shift) & mask) == <K>digit);
      }
      left = kept;
      top -= bits;
    }
    decode<T, K>(at<T>(out, row), known, flip);
  }
}

/** out [rows] = the element of each row of x [rows, n] at place k (from 0) of its order. `work`: counters, n + 1 keys. */
export function sselect(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  selects<f32, u32>(out, x, rows, n, k, largest, work);
}
/** out [rows] = the element of each row of x [rows, n] at place k (from 0) of its order. `work`: counters, n + 1 keys. */
export function dselect(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  selects<f64, u64>(out, x, rows, n, k, largest, work);
}
/** out [rows] = the element of each row of x [rows, n] at place k (from 0) of its order. `work`: counters, n + 1 keys. */
export function iselect(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  selects<i32, u32>(out, x, rows, n, k, largest, work);
}
/** out [rows] = the element of each row of x [rows, n] at place k (from 0) of its order. `work`: counters, n + 1 keys. */
export function uselect(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, work: usize): void {
  selects<u32, u32>(out, x, rows, n, k, largest, work);
}

// Twins: count, for each place, the elements before it.
function topkRef<T, K>(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32): void {
  const flip = flipOf<K>(largest);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < n; i++) {
      const key = encode<T, K>(at<T>(x, row * n + i), flip);
      let before = 0;
      for (let j = 0; j < n; j++) {
        const other = encode<T, K>(at<T>(x, row * n + j), flip);
        if (other < key || (other == key && j < i)) before++;
      }
      if (before >= k) continue;
      decode<T, K>(at<T>(values, row * k + before), key, flip);
      store<i32>(at<i32>(order, row * k + before), i);
    }
  }
}
function selectRef<T, K>(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32): void {
  const flip = flipOf<K>(largest);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < n; i++) {
      const key = encode<T, K>(at<T>(x, row * n + i), flip);
      let before = 0;
      for (let j = 0; j < n; j++) {
        const other = encode<T, K>(at<T>(x, row * n + j), flip);
        if (other < key || (other == key && j < i)) before++;
      }
      if (before == k) decode<T, K>(at<T>(out, row), key, flip);
    }
  }
}

/** The k best of each row, by counting. */
export function stopkRef(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  topkRef<f32, u32>(values, order, x, rows, n, k, largest);
}
/** The k best of each row, by counting. */
export function dtopkRef(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  topkRef<f64, u64>(values, order, x, rows, n, k, largest);
}
/** The k best of each row, by counting. */
export function itopkRef(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  topkRef<i32, u32>(values, order, x, rows, n, k, largest);
}
/** The k best of each row, by counting. */
export function utopkRef(values: usize, order: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  topkRef<u32, u32>(values, order, x, rows, n, k, largest);
}
/** The element at place k of each row, by counting. */
export function sselectRef(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  selectRef<f32, u32>(out, x, rows, n, k, largest);
}
/** The element at place k of each row, by counting. */
export function dselectRef(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  selectRef<f64, u64>(out, x, rows, n, k, largest);
}
/** The element at place k of each row, by counting. */
export function iselectRef(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  selectRef<i32, u32>(out, x, rows, n, k, largest);
}
/** The element at place k of each row, by counting. */
export function uselectRef(out: usize, x: usize, rows: i32, n: i32, k: i32, largest: i32, _work: usize): void {
  selectRef<u32, u32>(out, x, rows, n, k, largest);
}
