// Dense networks: what forward, backward and R-passes need between the matrix products. Row-major [rows, cols]; any size ≥ 0.
import { at, lanes, madd } from './lib/lanes';

/** out[i, :] = row for every i: the bias, before a product is added to it. */
export function sfillRows(rows: i32, cols: i32, row: usize, out: usize): void {
  fillRows<f32>(rows, cols, row, out);
}
/** out[i, :] = row. */
export function dfillRows(rows: i32, cols: i32, row: usize, out: usize): void {
  fillRows<f64>(rows, cols, row, out);
}
// @ts-ignore: decorator
@inline
function fillRows<T>(rows: i32, cols: i32, row: usize, out: usize): void {
  const bytes = <usize>cols * sizeof<T>();
  for (let i = 0; i < rows; i++) memory.copy(out + <usize>i * bytes, row, bytes);
}

/** out[j] += Σ_i x[i, j]. */
export function saddColumnSumsRef(rows: i32, cols: i32, x: usize, out: usize): void {
  columnSumsRef<f32>(rows, cols, x, out);
}
/** out[j] += Σ_i x[i, j]. */
export function daddColumnSumsRef(rows: i32, cols: i32, x: usize, out: usize): void {
  columnSumsRef<f64>(rows, cols, x, out);
}
function columnSumsRef<T>(rows: i32, cols: i32, x: usize, out: usize): void {
  for (let j = 0; j < cols; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < rows; i++) sum += <f64>load<T>(at<T>(x, i * cols + j));
    store<T>(at<T>(out, j), <T>(<f64>load<T>(at<T>(out, j)) + sum));
  }
}

/** out[j] += Σ_i x[i, j]; partial sums of 64 rows, so that the error of f32 grows with rows/64. */
export function saddColumnSums(rows: i32, cols: i32, x: usize, out: usize): void {
  columnSums<f32>(rows, cols, x, out);
}
/** out[j] += Σ_i x[i, j]. */
export function daddColumnSums(rows: i32, cols: i32, x: usize, out: usize): void {
  columnSums<f64>(rows, cols, x, out);
}
// @ts-ignore: decorator
@inline
function columnSums<T>(rows: i32, cols: i32, x: usize, out: usize): void {
  const whole = cols - (cols % lanes<T>());
  for (let first = 0; first < rows; first += 64) {
    const last = min(first + 64, rows);
    let j = 0;
    for (; j < whole; j += lanes<T>()) {
      let sum = v128.splat<T>(<T>0);
      for (let i = first; i < last; i++) sum = v128.add<T>(sum, v128.load(at<T>(x, i * cols + j)));
      v128.store(at<T>(out, j), v128.add<T>(v128.load(at<T>(out, j)), sum));
    }
    for (; j < cols; j++) {
      let sum: T = 0;
      for (let i = first; i < last; i++) sum += load<T>(at<T>(x, i * cols + j));
      store<T>(at<T>(out, j), load<T>(at<T>(out, j)) + sum);
    }
  }
}

/** out = x·y, element by element. */
export function smultiplyRef(n: i32, x: usize, y: usize, out: usize): void {
  multiplyRef<f32>(n, x, y, out);
}
/** out = x·y, element by element. */
export function dmultiplyRef(n: i32, x: usize, y: usize, out: usize): void {
  multiplyRef<f64>(n, x, y, out);
}
function multiplyRef<T>(n: i32, x: usize, y: usize, out: usize): void {
  for (let i = 0; i < n; i++) store<T>(at<T>(out, i), load<T>(at<T>(x, i)) * load<T>(at<T>(y, i)));
}

/** out = x·y, element by element; out may be x or y. */
export function smultiply(n: i32, x: usize, y: usize, out: usize): void {
  multiply<f32>(n, x, y, out);
}
/** out = x·y, element by element; out may be x or y. */
export function dmultiply(n: i32, x: usize, y: usize, out: usize): void {
  multiply<f64>(n, x, y, out);
}
// @ts-ignore: decorator
@inline
function multiply<T>(n: i32, x: usize, y: usize, out: usize): void {
  const whole = n - (n % lanes<T>());
  let i = 0;
  for (; i < whole; i += lanes<T>()) v128.store(at<T>(out, i), v128.mul<T>(v128.load(at<T>(x, i)), v128.load(at<T>(y, i))));
  for (; i < n; i++) store<T>(at<T>(out, i), load<T>(at<T>(x, i)) * load<T>(at<T>(y, i)));
}

/** R-pass through an activation: out = back·d1 + delta·d2·rz (Pearlmutter 1994, eq. 13). */
export function sactivationTurnRef(n: i32, back: usize, d1: usize, delta: usize, d2: usize, rz: usize, out: usize): void {
  turnRef<f32>(n, back, d1, delta, d2, rz, out);
}
/** out = back·d1 + delta·d2·rz. */
export function dactivationTurnRef(n: i32, back: usize, d1: usize, delta: usize, d2: usize, rz: usize, out: usize): void {
  turnRef<f64>(n, back, d1, delta, d2, rz, out);
}
function turnRef<T>(n: i32, back: usize, d1: usize, delta: usize, d2: usize, rz: usize, out: usize): void {
  for (let i = 0; i < n; i++) {
    const direct = <f64>load<T>(at<T>(back, i)) * <f64>load<T>(at<T>(d1, i));
    const bent = <f64>load<T>(at<T>(delta, i)) * <f64>load<T>(at<T>(d2, i)) * <f64>load<T>(at<T>(rz, i));
    store<T>(at<T>(out, i), <T>(direct + bent));
  }
}

/** out = back·d1 + delta·d2·rz; out may be any of the inputs. */
export function sactivationTurn(n: i32, back: usize, d1: usize, delta: usize, d2: usize, rz: usize, out: usize): void {
  turn<f32>(n, back, d1, delta, d2, rz, out);
}
/** out = back·d1 + delta·d2·rz; out may be any of the inputs. */
export function dactivationTurn(n: i32, back: usize, d1: usize, delta: usize, d2: usize, rz: usize, out: usize): void {
  turn<f64>(n, back, d1, delta, d2, rz, out);
}
// @ts-ignore: decorator
@inline
function turn<T>(n: i32, back: usize, d1: usize, delta: usize, d2: usize, rz: usize, out: usize): void {
  const whole = n - (n % lanes<T>());
  let i = 0;
  for (; i < whole; i += lanes<T>()) {
    const bent = v128.mul<T>(v128.mul<T>(v128.load(at<T>(delta, i)), v128.load(at<T>(d2, i))), v128.load(at<T>(rz, i)));
    v128.store(at<T>(out, i), madd<T>(v128.load(at<T>(back, i)), v128.load(at<T>(d1, i)), bent));
  }
  for (; i < n; i++) {
    const bent = load<T>(at<T>(delta, i)) * load<T>(at<T>(d2, i)) * load<T>(at<T>(rz, i));
    store<T>(at<T>(out, i), load<T>(at<T>(back, i)) * load<T>(at<T>(d1, i)) + bent);
  }
}

/** Per-sample weight gradients: out[i·stride + o·inputs + j] = delta[i, o]·a[i, j]. */
export function souterRowsRef(rows: i32, outputs: i32, inputs: i32, delta: usize, a: usize, out: usize, stride: i32): void {
  outerRowsRef<f32>(rows, outputs, inputs, delta, a, out, stride);
}
/** out[i·stride + o·inputs + j] = delta[i, o]·a[i, j]. */
export function douterRowsRef(rows: i32, outputs: i32, inputs: i32, delta: usize, a: usize, out: usize, stride: i32): void {
  outerRowsRef<f64>(rows, outputs, inputs, delta, a, out, stride);
}
function outerRowsRef<T>(rows: i32, outputs: i32, inputs: i32, delta: usize, a: usize, out: usize, stride: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let o = 0; o < outputs; o++) {
      const factor = load<T>(at<T>(delta, i * outputs + o));
      for (let j = 0; j < inputs; j++) store<T>(at<T>(out, i * stride + o * inputs + j), factor * load<T>(at<T>(a, i * inputs + j)));
    }
  }
}

/** out[i·stride + o·inputs + j] = delta[i, o]·a[i, j]: rank-one rows, written once. */
export function souterRows(rows: i32, outputs: i32, inputs: i32, delta: usize, a: usize, out: usize, stride: i32): void {
  outerRows<f32>(rows, outputs, inputs, delta, a, out, stride);
}
/** out[i·stride + o·inputs + j] = delta[i, o]·a[i, j]. */
export function douterRows(rows: i32, outputs: i32, inputs: i32, delta: usize, a: usize, out: usize, stride: i32): void {
  outerRows<f64>(rows, outputs, inputs, delta, a, out, stride);
}
// @ts-ignore: decorator
@inline
function outerRows<T>(rows: i32, outputs: i32, inputs: i32, delta: usize, a: usize, out: usize, stride: i32): void {
  const whole = inputs - (inputs % lanes<T>());
  for (let i = 0; i < rows; i++) {
    const given = at<T>(a, i * inputs);
    for (let o = 0; o < outputs; o++) {
      const made = at<T>(out, i * stride) + ((<usize>(o * inputs)) << alignof<T>());
      const factor = load<T>(at<T>(delta, i * outputs + o));
      const scale = v128.splat<T>(factor);
      let j = 0;
      for (; j < whole; j += lanes<T>()) v128.store(at<T>(made, j), v128.mul<T>(scale, v128.load(at<T>(given, j))));
      for (; j < inputs; j++) store<T>(at<T>(made, j), factor * load<T>(at<T>(given, j)));
    }
  }
}
