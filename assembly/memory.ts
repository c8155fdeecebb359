/** First address free for the host's arena: everything below belongs to the module's static data. */
export function heapBase(): usize {
  return __heap_base;
}

/** 1 when the `bytes` bytes at a are those at b, else 0; see sameBytes. */
export function sameBytesRef(bytes: i32, a: usize, b: usize): i32 {
  for (let i: usize = 0; i < <usize>bytes; i++) if (load<u8>(a + i) != load<u8>(b + i)) return 0;
  return 1;
}

/** 1 when the `bytes` bytes at a are those at b, else 0. Any alignment; reads nothing beyond them. */
export function sameBytes(bytes: i32, a: usize, b: usize): i32 {
  const end = a + bytes;
  for (; a + 64 <= end; a += 64, b += 64) {
    const first = v128.or(v128.xor(v128.load(a), v128.load(b)), v128.xor(v128.load(a, 16), v128.load(b, 16)));
    const second = v128.or(v128.xor(v128.load(a, 32), v128.load(b, 32)), v128.xor(v128.load(a, 48), v128.load(b, 48)));
    if (v128.any_true(v128.or(first, second))) return 0;
  }
  for (; a < end; a++, b++) if (load<u8>(a) != load<u8>(b)) return 0;
  return 1;
}

/** 48 bytes that kernels may write to in passing. */
export let spare: usize = memory.data(48, 16);

/** Puts them elsewhere: instances on one memory, which run at the same time, must not share them. */
export function moveSpare(to: usize): void {
  spare = to;
}
