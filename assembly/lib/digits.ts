// Digits of sort keys: how wide, how often each occurs, and where the elements with it go.

/** Bytes of counters at the start of `work`: tables of the highest digit (radix.ts), behind them up to six of 2048. */
export const counters: i32 = 98304;

/**
 * Width of the digits by which n keys are sorted on their lowest `rest` bits: moving an element costs about three times what
 * clearing and summing a counter does.
 */
export function digitBits(n: i32, rest: i32): i32 {
  let best = 0;
  let least = Infinity;
  for (let bits = 6; bits <= 11; bits++) {
    const cost = <f64>passesOf(rest, bits) * (3 * <f64>n + <f64>(1 << bits));
    if (cost < least) {
      least = cost;
      best = bits;
    }
  }
  return best;
}

/** How many digits of `bits` bits cover `rest` bits. */
// @ts-ignore: decorator
@inline
export function passesOf(rest: i32, bits: i32): i32 {
  return (rest + bits - 1) / bits;
}

/** Adds one to the counter of `digit`. */
// @ts-ignore: decorator
@inline
export function count(table: usize, digit: usize): void {
  const p = table + (digit << 2);
  store<u32>(p, load<u32>(p) + 1);
}

/** The address for an element with `digit`; the next one with it comes `size` bytes later. */
// @ts-ignore: decorator
@inline
export function next(table: usize, digit: usize, size: usize): usize {
  const p = table + (digit << 2);
  const place = load<u32>(p);
  store<u32>(p, place + <u32>size);
  return <usize>place;
}

/** Counts become addresses of first places from `base` on, elements of 2^shift bytes; returns whether one digit holds all n. */
export function places(table: usize, bits: i32, n: i32, base: usize, shift: i32): bool {
  let total = <u32>base;
  let single = false;
  for (let p = table, end = table + ((<usize>4) << bits); p < end; p += 4) {
    const c = load<u32>(p);
    if (<i32>c == n) single = true;
    store<u32>(p, total);
    total += c << shift;
  }
  return single;
}
