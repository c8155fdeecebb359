// e^x over arrays (assembly/lib/exp.ts has the vector form and its bounds).
import { exp1, vexp } from './lib/exp';
import { at, lanes } from './lib/lanes';

/** y = e^x. */
export function sexpRef(n: i32, x: usize, y: usize): void {
  for (let i = 0; i < n; i++) {
    const v = load<f32>(at<f32>(x, i));
    store<f32>(at<f32>(y, i), v < -86.99 ? 0 : <f32>NativeMath.exp(v));
  }
}
/** y = e^x. */
export function dexpRef(n: i32, x: usize, y: usize): void {
  for (let i = 0; i < n; i++) {
    const v = load<f64>(at<f64>(x, i));
    store<f64>(at<f64>(y, i), v < -708.04 ? 0 : NativeMath.exp(v));
  }
}

/** y = e^x, ≤ 2 ulp from the twin; x and y may be the same array. */
export function sexp(n: i32, x: usize, y: usize): void {
  map<f32>(n, x, y);
}
/** y = e^x, ≤ 2 ulp from the twin; x and y may be the same array. */
export function dexp(n: i32, x: usize, y: usize): void {
  map<f64>(n, x, y);
}
// @ts-ignore: decorator
@inline
function map<T>(n: i32, x: usize, y: usize): void {
  const step = lanes<T>();
  const whole = n - (n % step);
  let i = 0;
  for (; i < whole; i += step) v128.store(at<T>(y, i), vexp<T>(v128.load(at<T>(x, i))));
  for (; i < n; i++) store<T>(at<T>(y, i), exp1<T>(load<T>(at<T>(x, i))));
}
