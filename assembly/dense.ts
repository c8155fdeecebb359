// Dense networks: what forward, backward and R-passes need between the matrix products. Row-major [rows, cols]; any size ≥ 0.
import { exp1, vexp } from './lib/exp';
import { at, hmax, hsum, lanes, madd } from './lib/lanes';

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

/**
 * Softmax cross-entropy of logits z [rows, k] with labels y [rows] and sample weights: p = softmax(z), delta = weight·(p − e_y),
 * losses[i] = −log p_y (f64, unweighted). Returns Σ weight·loss. k ≥ 1.
 */
export function ssoftmaxLossRef(rows: i32, k: i32, z: usize, y: usize, weights: usize, p: usize, delta: usize, losses: usize): f64 {
  return softmaxLossRef<f32>(rows, k, z, y, weights, p, delta, losses);
}
/** Softmax cross-entropy: p, delta and losses; returns Σ weight·loss. */
export function dsoftmaxLossRef(rows: i32, k: i32, z: usize, y: usize, weights: usize, p: usize, delta: usize, losses: usize): f64 {
  return softmaxLossRef<f64>(rows, k, z, y, weights, p, delta, losses);
}
function softmaxLossRef<T>(rows: i32, k: i32, z: usize, y: usize, weights: usize, p: usize, delta: usize, losses: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < rows; i++) {
    let top: f64 = -Infinity;
    for (let j = 0; j < k; j++) top = max(top, <f64>load<T>(at<T>(z, i * k + j)));
    let sum: f64 = 0;
    for (let j = 0; j < k; j++) sum += NativeMath.exp(<f64>load<T>(at<T>(z, i * k + j)) - top);
    const label = load<i32>(at<i32>(y, i));
    const weight = <f64>load<T>(at<T>(weights, i));
    for (let j = 0; j < k; j++) {
      const share = NativeMath.exp(<f64>load<T>(at<T>(z, i * k + j)) - top) / sum;
      store<T>(at<T>(p, i * k + j), <T>share);
      store<T>(at<T>(delta, i * k + j), <T>(weight * (share - (j == label ? 1 : 0))));
    }
    const loss = top - <f64>load<T>(at<T>(z, i * k + label)) + NativeMath.log(sum);
    store<f64>(at<f64>(losses, i), loss);
    total += weight * loss;
  }
  return total;
}

/** Softmax cross-entropy: p, delta and losses; returns Σ weight·loss. No overlap. Absolute error ≤ 4·2⁻²⁴ against the twin. */
export function ssoftmaxLoss(rows: i32, k: i32, z: usize, y: usize, weights: usize, p: usize, delta: usize, losses: usize): f64 {
  return softmaxLoss<f32>(rows, k, z, y, weights, p, delta, losses);
}
/** Softmax cross-entropy: p, delta and losses; returns Σ weight·loss. No overlap. */
export function dsoftmaxLoss(rows: i32, k: i32, z: usize, y: usize, weights: usize, p: usize, delta: usize, losses: usize): f64 {
  return softmaxLoss<f64>(rows, k, z, y, weights, p, delta, losses);
}
// @ts-ignore: decorator
@inline
function softmaxLoss<T>(rows: i32, k: i32, z: usize, y: usize, weights: usize, p: usize, delta: usize, losses: usize): f64 {
  const whole = k - (k % lanes<T>());
  let total: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const row = at<T>(z, i * k);
    const shares = at<T>(p, i * k);
    const seeds = at<T>(delta, i * k);
    let tops = v128.splat<T>(<T>-Infinity);
    let j = 0;
    for (; j < whole; j += lanes<T>()) tops = v128.pmax<T>(tops, v128.load(at<T>(row, j)));
    let top = hmax<T>(tops);
    for (; j < k; j++) top = max<T>(top, load<T>(at<T>(row, j)));

    // Exponents are ≤ 0: the sum holds at least one 1.
    const shift = v128.splat<T>(top);
    let sums = v128.splat<T>(<T>0);
    for (j = 0; j < whole; j += lanes<T>()) {
      const e = vexp<T>(v128.sub<T>(v128.load(at<T>(row, j)), shift));
      v128.store(at<T>(shares, j), e);
      sums = v128.add<T>(sums, e);
    }
    let sum = hsum<T>(sums);
    for (; j < k; j++) {
      const e = exp1<T>(load<T>(at<T>(row, j)) - top);
      store<T>(at<T>(shares, j), e);
      sum += e;
    }
    const label = load<i32>(at<i32>(y, i));
    const weight = load<T>(at<T>(weights, i));
    const inverse = <T>1 / sum;
    const scale = v128.splat<T>(inverse);
    const factor = v128.splat<T>(weight);
    for (j = 0; j < whole; j += lanes<T>()) {
      const share = v128.mul<T>(v128.load(at<T>(shares, j)), scale);
      v128.store(at<T>(shares, j), share);
      v128.store(at<T>(seeds, j), v128.mul<T>(share, factor));
    }
    for (; j < k; j++) {
      const share = load<T>(at<T>(shares, j)) * inverse;
      store<T>(at<T>(shares, j), share);
      store<T>(at<T>(seeds, j), share * weight);
    }
    store<T>(at<T>(seeds, label), weight * (load<T>(at<T>(shares, label)) - <T>1));
    const loss = <f64>top - <f64>load<T>(at<T>(row, label)) + NativeMath.log(<f64>sum);
    store<f64>(at<f64>(losses, i), loss);
    total += <f64>weight * loss;
  }
  return total;
}

/** out[i, :] = weight·(p∘x − p(pᵀx)): the logits Hessian diag(p) − ppᵀ of cross-entropy times x. */
export function ssoftmaxCurvatureRef(rows: i32, k: i32, p: usize, weights: usize, x: usize, out: usize): void {
  softmaxCurvatureRef<f32>(rows, k, p, weights, x, out);
}
/** out[i, :] = weight·(p∘x − p(pᵀx)). */
export function dsoftmaxCurvatureRef(rows: i32, k: i32, p: usize, weights: usize, x: usize, out: usize): void {
  softmaxCurvatureRef<f64>(rows, k, p, weights, x, out);
}
function softmaxCurvatureRef<T>(rows: i32, k: i32, p: usize, weights: usize, x: usize, out: usize): void {
  for (let i = 0; i < rows; i++) {
    let mean: f64 = 0;
    for (let j = 0; j < k; j++) mean += <f64>load<T>(at<T>(p, i * k + j)) * <f64>load<T>(at<T>(x, i * k + j));
    const weight = <f64>load<T>(at<T>(weights, i));
    for (let j = 0; j < k; j++) {
      const share = <f64>load<T>(at<T>(p, i * k + j));
      store<T>(at<T>(out, i * k + j), <T>(weight * share * (<f64>load<T>(at<T>(x, i * k + j)) - mean)));
    }
  }
}

/** out[i, :] = weight·p∘(x − pᵀx); out may be x. */
export function ssoftmaxCurvature(rows: i32, k: i32, p: usize, weights: usize, x: usize, out: usize): void {
  softmaxCurvature<f32>(rows, k, p, weights, x, out);
}
/** out[i, :] = weight·p∘(x − pᵀx); out may be x. */
export function dsoftmaxCurvature(rows: i32, k: i32, p: usize, weights: usize, x: usize, out: usize): void {
  softmaxCurvature<f64>(rows, k, p, weights, x, out);
}
// @ts-ignore: decorator
@inline
function softmaxCurvature<T>(rows: i32, k: i32, p: usize, weights: usize, x: usize, out: usize): void {
  const whole = k - (k % lanes<T>());
  for (let i = 0; i < rows; i++) {
    const shares = at<T>(p, i * k);
    const given = at<T>(x, i * k);
    const made = at<T>(out, i * k);
    let sums = v128.splat<T>(<T>0);
    let j = 0;
    for (; j < whole; j += lanes<T>()) sums = madd<T>(v128.load(at<T>(shares, j)), v128.load(at<T>(given, j)), sums);
    let mean = hsum<T>(sums);
    for (; j < k; j++) mean += load<T>(at<T>(shares, j)) * load<T>(at<T>(given, j));
    const weight = load<T>(at<T>(weights, i));
    const shift = v128.splat<T>(mean);
    const factor = v128.splat<T>(weight);
    for (j = 0; j < whole; j += lanes<T>()) {
      const share = v128.mul<T>(factor, v128.load(at<T>(shares, j)));
      v128.store(at<T>(made, j), v128.mul<T>(share, v128.sub<T>(v128.load(at<T>(given, j)), shift)));
    }
    for (; j < k; j++) store<T>(at<T>(made, j), weight * load<T>(at<T>(shares, j)) * (load<T>(at<T>(given, j)) - mean));
  }
}

/**
 * Mean squared error of z [rows, k] with targets t: delta = weight·(2/k)(z − t), losses[i] = (1/k) Σ (z − t)² (f64, unweighted).
 * Returns Σ weight·loss. One plain loop in both builds: it is never where the time goes.
 */
export function ssquaredLoss(rows: i32, k: i32, z: usize, t: usize, weights: usize, delta: usize, losses: usize): f64 {
  return squaredLoss<f32>(rows, k, z, t, weights, delta, losses);
}
/** Mean squared error: delta and losses; returns Σ weight·loss. */
export function dsquaredLoss(rows: i32, k: i32, z: usize, t: usize, weights: usize, delta: usize, losses: usize): f64 {
  return squaredLoss<f64>(rows, k, z, t, weights, delta, losses);
}
function squaredLoss<T>(rows: i32, k: i32, z: usize, t: usize, weights: usize, delta: usize, losses: usize): f64 {
  let total: f64 = 0;
  for (let i = 0; i < rows; i++) {
    const weight = <f64>load<T>(at<T>(weights, i));
    let squares: f64 = 0;
    for (let j = 0; j < k; j++) {
      const gap = <f64>load<T>(at<T>(z, i * k + j)) - <f64>load<T>(at<T>(t, i * k + j));
      squares += gap * gap;
      store<T>(at<T>(delta, i * k + j), <T>((weight * 2 * gap) / <f64>k));
    }
    store<f64>(at<f64>(losses, i), squares / <f64>k);
    total += (weight * squares) / <f64>k;
  }
  return total;
}

/** out[i, :] = factor·weights[i]·x[i, :]; out may be x. */
export function sscaleRows(rows: i32, cols: i32, factor: f64, weights: usize, x: usize, out: usize): void {
  scaleRows<f32>(rows, cols, factor, weights, x, out);
}
/** out[i, :] = factor·weights[i]·x[i, :]; out may be x. */
export function dscaleRows(rows: i32, cols: i32, factor: f64, weights: usize, x: usize, out: usize): void {
  scaleRows<f64>(rows, cols, factor, weights, x, out);
}
function scaleRows<T>(rows: i32, cols: i32, factor: f64, weights: usize, x: usize, out: usize): void {
  for (let i = 0; i < rows; i++) {
    const scale = <T>(factor * <f64>load<T>(at<T>(weights, i)));
    for (let j = 0; j < cols; j++) store<T>(at<T>(out, i * cols + j), scale * load<T>(at<T>(x, i * cols + j)));
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
