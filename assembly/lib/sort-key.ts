// Total order on numbers by unsigned keys: key(a) < key(b) exactly when a sorts before b. −0 sorts before 0, and NaN (any bits)
// last in both directions. T is the element (f32, f64, i32, u32), K the key of the same width (u32 or u64).

/** XOR mask that reverses the order of keys: 0 ascending, all ones descending. */
// @ts-ignore: decorator
@inline
export function flipOf<K>(descending: i32): K {
  return descending ? ~(<K>0) : <K>0;
}

/** Bits of a negative number that its key has inverted, besides the sign. */
// @ts-ignore: decorator
@inline
export function foldOf<T, K>(): K {
  return isFloat<T>() ? ~(<K>0) >> 1 : <K>0;
}

/** The sign bit of a signed type. */
// @ts-ignore: decorator
@inline
export function signOf<T, K>(): K {
  return isFloat<T>() || isSigned<T>() ? ((<K>1) << ((sizeof<K>() << 3) - 1)) : <K>0;
}

/** Inverts the bits `fold` where the sign bit is set: its own inverse. A key is scramble(bits) ^ sign ^ flip. */
// @ts-ignore: decorator
@inline
export function scramble<K>(bits: K, fold: K): K {
  if (sizeof<K>() == 4) return bits ^ (<K>((<i32>bits) >> 31) & fold);
  return bits ^ (<K>((<i64>bits) >> 63) & fold);
}
/** The same for the lanes of a vector. */
// @ts-ignore: decorator
@inline
export function vscramble<K>(bits: v128, folds: v128): v128 {
  if (sizeof<K>() == 4) return v128.xor(bits, v128.and(i32x4.shr_s(bits, 31), folds));
  return v128.xor(bits, v128.and(i64x2.shr_s(bits, 63), folds));
}

/** Key of the element at `p`, but for NaN: its key is beyond the infinity of its sign, at either end. */
// @ts-ignore: decorator
@inline
export function encodeNumber<T, K>(p: usize, flip: K): K {
  return scramble<K>(load<K>(p), foldOf<T, K>()) ^ signOf<T, K>() ^ flip;
}

/** Stores at `p` the element with this key of `encodeNumber`. */
// @ts-ignore: decorator
@inline
export function decodeNumber<T, K>(p: usize, key: K, flip: K): void {
  store<K>(p, scramble<K>(key ^ flip ^ signOf<T, K>(), foldOf<T, K>()));
}

/** Key of the element at `p`; all ones for every NaN. */
// @ts-ignore: decorator
@inline
export function encode<T, K>(p: usize, flip: K): K {
  if (isFloat<T>()) return isNaN<T>(load<T>(p)) ? ~(<K>0) : encodeNumber<T, K>(p, flip);
  return encodeNumber<T, K>(p, flip);
}

/** Stores at `p` the element whose key is `key`; a NaN comes back as the quiet NaN of the type. */
// @ts-ignore: decorator
@inline
export function decode<T, K>(p: usize, key: K, flip: K): void {
  if (isFloat<T>()) {
    if (key == ~(<K>0)) {
      if (sizeof<T>() == 4) store<u32>(p, 0x7fc00000);
      else store<u64>(p, 0x7ff8000000000000);
      return;
    }
  }
  decodeNumber<T, K>(p, key, flip);
}
