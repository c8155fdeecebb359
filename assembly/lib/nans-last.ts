// NaNs sort to both ends by their signs; here they go behind the numbers.
import { at } from './lanes';

/** Moves the NaNs in front of the numbers behind those at their end, as quiet NaNs. */
export function nansLast<T>(x: usize, n: i32): void {
  let front = 0;
  while (front < n && isNaN<T>(load<T>(at<T>(x, front)))) front++;
  let back = n;
  while (back > front && isNaN<T>(load<T>(at<T>(x, back - 1)))) back--;
  if (front) memory.copy(x, at<T>(x, front), at<T>(0, back - front));
  for (let i = back - front; i < n; i++) store<T>(at<T>(x, i), <T>NaN);
}

/** The same for an order: NaNs of x behind the numbers, by index. */
export function nanIndicesLast<T>(order: usize, x: usize, n: i32): void {
  let front = 0;
  while (front < n && isNaN<T>(load<T>(at<T>(x, load<i32>(at<i32>(order, front)))))) front++;
  let back = n;
  while (back > front && isNaN<T>(load<T>(at<T>(x, load<i32>(at<i32>(order, back - 1)))))) back--;
  let place = back - front;
  if (place == n) return;
  memory.copy(order, at<i32>(order, front), at<i32>(0, place));
  for (let i = 0; i < n; i++) if (isNaN<T>(load<T>(at<T>(x, i)))) store<i32>(at<i32>(order, place++), i);
}
