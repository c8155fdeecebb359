// Digits of sort keys: how wide, how often each occurs, and where its keys go.

/** Bytes of counters at the start of `work`: up to six tables of 2048. */
export const counters: i32 = 65536;
/** Longest segment sorted by insertion; measured, radix passes over 8-bit digits win above. */
export const short: i32 = 48;
/** Shortest segment with 11-bit digits: below, clearing and summing 2048 counters costs more than the extra passes. */
const long: i32 = 6000;

// @ts-ignore: decorator
@inline
export function digitBits(n: i32): i32 {
  return n < long ? 8 : 11;
}

/** Adds one to the counter of every digit of `key`. */
// @ts-ignore: decorator
@inline
export function count<K>(key: K, table: usize, bits: i32, passes: i32): void {
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
export function countThree(key: u32, table: usize): void {
  const a = table + ((<usize>(key & 2047)) << 2);
  const b = table + 8192 + ((<usize>((key >> 11) & 2047)) << 2);
  const c = table + 16384 + ((<usize>(key >> 22)) << 2);
  store<u32>(a, load<u32>(a) + 1);
  store<u32>(b, load<u32>(b) + 1);
  store<u32>(c, load<u32>(c) + 1);
}

/** Counts become first places; returns whether one digit holds all n. */
export function places(table: usize, bits: i32, n: i32): bool {
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
export function next<K>(key: K, table: usize, shift: i32, mask: K): usize {
  const p = table + ((<usize>((key >> <K>shift) & mask)) << 2);
  const place = load<u32>(p);
  store<u32>(p, place + 1);
  return <usize>place;
}
