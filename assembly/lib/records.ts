// Records of a sort key and an index, and their stable sort by radix passes.
import { count, digitBits, next, places, short } from './digits';

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
export function move<K>(to: usize, from: usize): void {
  if (sizeof<K>() == 4) store<u64>(to, load<u64>(from));
  else v128.store(to, v128.load(from));
}

/** Inserts (key, index) behind every record whose key is not greater. */
// @ts-ignore: decorator
@inline
export function insert<K>(records: usize, i: i32, key: K, index: i32): void {
  let j = i;
  for (; j > 0 && load<K>(record<K>(records, j - 1)) > key; j--) move<K>(record<K>(records, j), record<K>(records, j - 1));
  storeRecord<K>(record<K>(records, j), key, index);
}

// @ts-ignore: decorator
@inline
export function scatter<K>(to: usize, from: usize, n: i32, table: usize, shift: i32, mask: K): void {
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
