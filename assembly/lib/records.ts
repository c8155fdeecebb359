// Elements of a radix sort, a key K alone or a record of a key and an index of the same width, and their stable sort by digits
// from the lowest one on. Functions with `paired` are inlined or called with a constant: one form is compiled for each.
import { count, digitBits, next, passesOf, places } from './digits';
import { at } from './lanes';

/** Most elements sorted by insertion; measured, digits win above. */
const short: i32 = 48;

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
/** Writes a key and its index at p. */
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

/** Bytes of an element, as a shift. */
// @ts-ignore: decorator
@inline
export function elementShift<K>(paired: bool): usize {
  return paired ? recordShift<K>() : alignof<K>();
}
/** Copies an element whose key was loaded already. */
// @ts-ignore: decorator
@inline
function move<K>(to: usize, from: usize, key: K, paired: bool): void {
  if (!paired) store<K>(to, key);
  else if (sizeof<K>() == 4) store<u64>(to, load<u64>(from));
  else v128.store(to, v128.load(from));
}

/** Sorts n elements in place, each inserted behind every one whose key is not greater. `spare`: one element. */
// @ts-ignore: decorator
@inline
function insertion<K>(a: usize, spare: usize, n: i32, paired: bool): void {
  const size = (<usize>1) << elementShift<K>(paired);
  const end = a + ((<usize>n) << elementShift<K>(paired));
  for (let p = a + size; p < end; p += size) {
    const key = load<K>(p);
    if (load<K>(p - size) <= key) continue;
    move<K>(spare, p, key, paired);
    let q = p;
    do {
      move<K>(q, q - size, load<K>(q - size), paired);
      q -= size;
    } while (q > a && load<K>(q - size) > key);
    move<K>(q, spare, key, paired);
  }
}

// @ts-ignore: decorator
@inline
function sortElements<K>(a: usize, spare: usize, n: i32, rest: i32, tables: usize, paired: bool): usize {
  if (n <= short) {
    insertion<K>(a, spare, n, paired);
    return a;
  }
  const shift = elementShift<K>(paired);
  const size = (<usize>1) << shift;
  const bits = digitBits(n, rest);
  const passes = passesOf(rest, bits);
  const mask = <K>((1 << bits) - 1);
  const bytes = (<usize>4) << bits;
  memory.fill(tables, 0, (<usize>passes) << (bits + 2));
  let low: K = 0;
  let table = tables;
  const end = a + ((<usize>n) << shift);
  let pass = 0;
  for (; pass + 1 < passes; pass += 2) { // two digits in one reading
    const high = low + <K>bits;
    const other = table + bytes;
    for (let p = a; p < end; p += size) {
      const key = load<K>(p);
      count(table, <usize>((key >> low) & mask));
      count(other, <usize>((key >> high) & mask));
    }
    low = high + <K>bits;
    table = other + bytes;
  }
  if (pass < passes) for (let p = a; p < end; p += size) count(table, <usize>((load<K>(p) >> low) & mask));

  let from = a;
  let to = spare;
  table = tables;
  low = 0;
  for (pass = 0; pass < passes; pass++, table += bytes, low += <K>bits) {
    if (places(table, bits, n, to, <i32>shift)) continue; // the digit is the same everywhere
    const stop = from + ((<usize>n) << shift);
    let p = from;
    for (; p + 4 * size <= stop; p += 4 * size) {
      // Four places before the first store: a load after a store whose address is late would wait for it.
      const a = load<K>(p);
      const b = load<K>(p + size);
      const c = load<K>(p + 2 * size);
      const d = load<K>(p + 3 * size);
      const toA = next(table, <usize>((a >> low) & mask), size);
      const toB = next(table, <usize>((b >> low) & mask), size);
      const toC = next(table, <usize>((c >> low) & mask), size);
      const toD = next(table, <usize>((d >> low) & mask), size);
      move<K>(toA, p, a, paired);
      move<K>(toB, p + size, b, paired);
      move<K>(toC, p + 2 * size, c, paired);
      move<K>(toD, p + 3 * size, d, paired);
    }
    for (; p < stop; p += size) {
      const key = load<K>(p);
      move<K>(next(table, <usize>((key >> low) & mask), size), p, key, paired);
    }
    const former = from;
    from = to;
    to = former;
  }
  return from;
}

/** Sorts n keys that agree but in their lowest `rest` bits. Returns where they are: at `a` or at `spare`, which holds n more. */
export function sortKeys<K>(a: usize, spare: usize, n: i32, rest: i32, tables: usize): usize {
  return sortElements<K>(a, spare, n, rest, tables, false);
}

/** The same for records by their keys, stably. */
export function sortRecords<K>(a: usize, spare: usize, n: i32, rest: i32, tables: usize): usize {
  return sortElements<K>(a, spare, n, rest, tables, true);
}
