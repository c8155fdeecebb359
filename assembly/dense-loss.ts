// Losses of dense networks at the outputs: value, gradient, second derivative as a product. Row-major [rows, k]; any size ≥ 0.
import { exp1, vexp } from './lib/exp';
import { at, hmax, hsum, lanes, madd } from './lib/lanes';

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
