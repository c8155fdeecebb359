// The twins of the radix sorts: bottom-up merging of indices by comparison of keys.
import { at } from './lanes';
import { decode, encode, flipOf } from './sort-key';

/** Stable order of n keys; spare holds n indices. */
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

/** Orders of segments, each counted from its start. */
export function argsortRef<T, K>(order: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
  for (let s = 0; s < segments; s++) {
    const start = load<i32>(at<i32>(offsets, s));
    const n = load<i32>(at<i32>(offsets, s + 1)) - start;
    mergeOrderRef<T, K>(at<i32>(order, start), at<T>(x, start), n, flipOf<K>(descending), work);
  }
}

/** Segments in order. */
export function sortRef<T, K>(out: usize, x: usize, offsets: usize, segments: i32, descending: i32, work: usize): void {
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
