// Total order on numbers by unsigned keys: key(a) < key(b) exactly when a sorts before b. −0 sorts before 0, and NaN (any bits)
// last in both directions. T is the element (f32, f64, i32, u32), K the key of the same width (u32 or u64).

/** XOR mask that reverses the order of keys: 0 ascending, all ones descending. */
// @ts-ignore: decorator
@inline
export function flipOf<K>(descending: i32): K {
  return descending ? ~(<K>0) : <K>0;
}

/** Key of the element at `p`, but for NaN: its key is beyond the infinity of its sign, at either end. */
// @ts-ignore: decorator
@inline
export function encodeNumber<T, K>(p: usize, flip: K): K {
  if (isFloat<T>()) {
    // Negative numbers: all bits inverted; others: the sign bit set.
    if (sizeof<T>() == 4) {
      const bits = load<u32>(p);
      return <K>(bits ^ ((<u32>((<i32>bits) >> 31)) | 0x80000000) ^ <u32>flip);
    }
    const bits = load<u64>(p);
    return <K>(bits ^ ((<u64>((<i64>bits) >> 63)) | 0x8000000000000000) ^ <u64>flip);
  }
  if (isSigned<T>()) return (load<K>(p) ^ ((<K>1) << ((sizeof<K>() << 3) - 1))) ^ flip;
  return load<K>(p) ^ flip;
}

/** Stores at `p` the element with this key of `encodeNumber`. */
// @ts-ignore: decorator
@inline
export function decodeNumber<T, K>(p: usize, key: K, flip: K): void {
  const bits = key ^ flip;
  if (isFloat<T>()) {
    if (sizeof<T>() == 4) store<u32>(p, <u32>bits ^ ((<u32>(~(<i32>bits) >> 31)) | 0x80000000));
    else store<u64>(p, <u64>bits ^ ((<u64>(~(<i64>bits) >> 63)) | 0x8000000000000000));
  } else if (isSigned<T>()) store<K>(p, bits ^ ((<K>1) << ((sizeof<K>() << 3) - 1)));
  else store<K>(p, bits);
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
