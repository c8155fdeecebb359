// Sinkhorn on scalings u, v of a kernel matrix K (Cuturi 2013, arXiv:1306.0895), one read of K per full iteration: while the rows
// of block r add themselves to the column sums out of the first-level cache, the dot products of block r + 1 stream in.
import { at, hmax, hsum, lanes, madd } from './lib/lanes';
import { COLUMN_ERROR, ROW_ERROR, smallest, UNUSABLE, WIDEST } from './lib/marginal';

// What becomes of a row sum s: a hard marginal, a relaxed or penalised one, the product for KᵀWK, or a marginal with a bound.
const HARD = 0;
const SOFT = 1;
const GRAM = 2;
const CAPPED = 3;

/**
 * `count` iterations u = a/(K v), v = b/(Kᵀ u); stops early once row plus column error ≤ tolerance, a scaling leaves
 * [1/limit, limit], or a sum is unusable. Returns the iterations done. stats as in lib/marginal, of the last one.
 * u [rows], v [cols], acc [cols] scratch, K [rows, cols] row-major, a [rows], b [cols]; no overlap; rows, cols ≥ 1.
 */
export function sscalingRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f32>(HARD, count, tolerance, limit, u, v, acc, K, a, b, 0, 0, 0, 0, 1, 1, 1, stats, rows, cols);
}
/** As sscalingRef, in f64. */
export function dscalingRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f64>(HARD, count, tolerance, limit, u, v, acc, K, a, b, 0, 0, 0, 0, 1, 1, 1, stats, rows, cols);
}
/** As sscalingRef with over-relaxation omega and exponents kappa; lu, lv (f64) are the logarithms of u, v; shifts (f64) as in relaxedLog. */
export function sscalingSoftRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f32>(SOFT, count, tolerance, limit, u, v, acc, K, a, b, lu, lv, shiftU, shiftV, kappaU, kappaV, omega, stats, rows, cols);
}
/** As sscalingSoftRef, in f64. */
export function dscalingSoftRef(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  return iterateRef<f64>(SOFT, count, tolerance, limit, u, v, acc, K, a, b, lu, lv, shiftU, shiftV, kappaU, kappaV, omega, stats, rows, cols);
}
/** y = Kᵀ diag(w) K p: y [cols] out; K [rows, cols], p [cols], w [rows], product [rows] scratch; no overlap. */
export function sgramvRef(y: usize, K: usize, p: usize, w: usize, _product: usize, rows: i32, cols: i32): void {
  gramvRef<f32>(y, K, p, w, rows, cols);
}
/** As sgramvRef, in f64. */
export function dgramvRef(y: usize, K: usize, p: usize, w: usize, _product: usize, rows: i32, cols: i32): void {
  gramvRef<f64>(y, K, p, w, rows, cols);
}

/**
 * Half an iteration with bounds: u = min(cap, a/(K v)) (cap f64 [rows], may be ∞), acc = Kᵀu; ROW_ERROR is Σ |u_old − u|·(K v). A row
 * without support takes its cap, or keeps its scaling where that is infinite.
 */
export function scappedRef(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  cappedRef<f32>(u, v, acc, K, a, cap, stats, rows, cols);
}
/** As scappedRef, in f64. */
export function dcappedRef(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  cappedRef<f64>(u, v, acc, K, a, cap, stats, rows, cols);
}
function cappedRef<T>(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  begin(stats);
  for (let i = 0; i < rows; i++) {
    let sum: f64 = 0;
    for (let j = 0; j < cols; j++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(v, j));
    scaleRow<T>(CAPPED, i, <T>sum, u, a, 0, cap, 1, 1, stats, ROW_ERROR);
  }
  for (let j = 0; j < cols; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < rows; i++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(u, i));
    store<T>(at<T>(acc, j), <T>sum);
  }
}

function gramvRef<T>(y: usize, K: usize, p: usize, w: usize, rows: i32, cols: i32): void {
  for (let j = 0; j < cols; j++) {
    let sum: f64 = 0;
    for (let i = 0; i < rows; i++) {
      let s: f64 = 0;
      for (let k = 0; k < cols; k++) s += <f64>load<T>(at<T>(K, i * cols + k)) * <f64>load<T>(at<T>(p, k));
      sum += <f64>load<T>(at<T>(w, i)) * s * <f64>load<T>(at<T>(K, i * cols + j));
    }
    store<T>(at<T>(y, j), <T>sum);
  }
}

function iterateRef<T>(
  rule: i32, count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    for (let i = 0; i < rows; i++) {
      let sum: f64 = 0;
      for (let j = 0; j < cols; j++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(v, j));
      scaleRow<T>(rule, i, <T>sum, u, a, lu, shiftU, kappaU, omega, stats, ROW_ERROR);
    }
    for (let j = 0; j < cols; j++) {
      let sum: f64 = 0;
      for (let i = 0; i < rows; i++) sum += <f64>load<T>(at<T>(K, i * cols + j)) * <f64>load<T>(at<T>(u, i));
      scaleRow<T>(rule, j, <T>sum, v, b, lv, shiftV, kappaV, omega, stats, COLUMN_ERROR);
    }
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}

// @ts-ignore: decorator
@inline
function begin(stats: usize): void {
  store<f64>(stats, 0, ROW_ERROR);
  store<f64>(stats, 0, COLUMN_ERROR);
  store<f64>(stats, 0, WIDEST);
  store<f64>(stats, 0, UNUSABLE);
}

function finished(stats: usize, tolerance: f64, limit: f64): bool {
  const error = load<f64>(stats, ROW_ERROR) + load<f64>(stats, COLUMN_ERROR);
  return error <= tolerance || load<f64>(stats, WIDEST) > limit || load<f64>(stats, UNUSABLE) > 0;
}

/**
 * Turns the sum of one row (or column) into its new scaling, and books errors in `place` (ROW_ERROR or COLUMN_ERROR). SOFT: log u ←
 * (1 − ω)·log u + ω·(κ·log(mass/sum) + shift); κ = 1, shift = 0 is a hard marginal; κ = ρ/(ρ + ε), shift = −(1 − κ)·f/ε with the
 * absorbed potential f is a KL penalty ρ.
 */
// @ts-ignore: decorator
@inline
function scaleRow<T>(
  rule: i32, i: i32, sum: T, u: usize, a: usize, lu: usize, shift: usize, kappa: f64, omega: f64, stats: usize, place: usize,
): void {
  const mass = load<T>(at<T>(a, i));
  if (rule == GRAM) {
    store<T>(at<T>(u, i), mass * sum);
    return;
  }
  if (rule == CAPPED) {
    const before = load<T>(at<T>(u, i));
    const next = <T>min<f64>(load<f64>(at<f64>(shift, i)), <f64>mass / <f64>sum);
    if (!(next < <T>Infinity)) return;
    store<T>(at<T>(u, i), next);
    store<f64>(stats + place, load<f64>(stats + place) + <f64>abs<T>(before - next) * <f64>sum);
    const wide = max<T>(next, <T>1 / next);
    if (<f64>wide > load<f64>(stats, WIDEST)) store<f64>(stats, <f64>wide, WIDEST);
    return;
  }
  if (!(sum > smallest<T>())) {
    store<f64>(stats, load<f64>(stats, UNUSABLE) + 1, UNUSABLE);
    return;
  }
  const old = load<T>(at<T>(u, i));
  let scaling: T;
  if (rule == HARD) {
    scaling = mass / sum;
    store<f64>(stats + place, load<f64>(stats + place) + <f64>abs<T>(old * sum - mass));
  } else {
    const before = load<f64>(at<f64>(lu, i));
    const gap = kappa * NativeMath.log(<f64>mass / <f64>sum) + load<f64>(at<f64>(shift, i)) - before;
    const next = before + omega * gap;
    store<f64>(at<f64>(lu, i), next);
    scaling = <T>NativeMath.exp(next);
    // The distance to a plain iteration in mass: zero exactly at the fixed point, the marginal error to first order where κ = 1.
    store<f64>(stats + place, load<f64>(stats + place) + abs<f64>(gap) * <f64>max<T>(old, scaling) * <f64>sum);
  }
  store<T>(at<T>(u, i), scaling);
  const wide = max<T>(scaling, <T>1 / scaling);
  if (<f64>wide > load<f64>(stats, WIDEST)) store<f64>(stats, <f64>wide, WIDEST);
}

/** As the twin; relative error of every sum ≤ (cols/4 + rows)·2⁻²⁴ in f32. */
export function sscaling(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f32>(HARD, u, v, acc, K, a, 0, 0, 1, 1, stats, rows, cols);
    scaleColumns<f32>(v, acc, b, stats, cols);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As sscaling, in f64. */
export function dscaling(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f64>(HARD, u, v, acc, K, a, 0, 0, 1, 1, stats, rows, cols);
    scaleColumns<f64>(v, acc, b, stats, cols);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As the twin; the logarithms are taken one row at a time, hidden behind the stream of K. */
export function sscalingSoft(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f32>(SOFT, u, v, acc, K, a, lu, shiftU, kappaU, omega, stats, rows, cols);
    for (let j = 0; j < cols; j++) scaleRow<f32>(SOFT, j, load<f32>(at<f32>(acc, j)), v, b, lv, shiftV, kappaV, omega, stats, COLUMN_ERROR);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As sscalingSoft, in f64. */
export function dscalingSoft(
  count: i32, tolerance: f64, limit: f64, u: usize, v: usize, acc: usize, K: usize, a: usize, b: usize, lu: usize, lv: usize,
  shiftU: usize, shiftV: usize, kappaU: f64, kappaV: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): i32 {
  for (let done = 1; done <= count; done++) {
    begin(stats);
    sweep<f64>(SOFT, u, v, acc, K, a, lu, shiftU, kappaU, omega, stats, rows, cols);
    for (let j = 0; j < cols; j++) scaleRow<f64>(SOFT, j, load<f64>(at<f64>(acc, j)), v, b, lv, shiftV, kappaV, omega, stats, COLUMN_ERROR);
    if (finished(stats, tolerance, limit)) return done;
  }
  return count;
}
/** As the twin, in one read of K. */
export function scapped(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  begin(stats);
  sweep<f32>(CAPPED, u, v, acc, K, a, 0, cap, 1, 1, stats, rows, cols);
}
/** As scapped, in f64. */
export function dcapped(u: usize, v: usize, acc: usize, K: usize, a: usize, cap: usize, stats: usize, rows: i32, cols: i32): void {
  begin(stats);
  sweep<f64>(CAPPED, u, v, acc, K, a, 0, cap, 1, 1, stats, rows, cols);
}
/** y = Kᵀ diag(w) K p in one read of K; `product` [rows] is scratch. */
export function sgramv(y: usize, K: usize, p: usize, w: usize, product: usize, rows: i32, cols: i32): void {
  sweep<f32>(GRAM, product, p, y, K, w, 0, 0, 1, 1, 0, rows, cols);
}
/** As sgramv, in f64. */
export function dgramv(y: usize, K: usize, p: usize, w: usize, product: usize, rows: i32, cols: i32): void {
  sweep<f64>(GRAM, product, p, y, K, w, 0, 0, 1, 1, 0, rows, cols);
}

/** Row sums against v, their scalings into u, and acc = Kᵀu, in one read of K. */
// @ts-ignore: decorator
@inline
function sweep<T>(
  rule: i32, u: usize, v: usize, acc: usize, K: usize, a: usize, lu: usize, shift: usize, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  const whole = cols - (cols % (2 * lanes<T>())); // two vectors a step: half the address arithmetic
  const pitch = (<usize>cols) << alignof<T>();
  const end = at<T>(0, whole); // byte length of the whole vectors
  const blocks = rows & ~3;
  memory.fill(acc, 0, pitch);
  let i = 0;
  for (; i < blocks; i += 4) {
    const row = K + (<usize>i) * pitch;
    const row2 = row + 2 * pitch;
    let s0 = v128.splat<T>(0);
    let s1 = v128.splat<T>(0);
    let s2 = v128.splat<T>(0);
    let s3 = v128.splat<T>(0);
    if (i == 0) {
      for (let j: usize = 0; j < end; j += 32) {
        const p0 = row + j;
        const p1 = p0 + pitch;
        const p2 = row2 + j;
        const p3 = p2 + pitch;
        const x = v128.load(v + j);
        s0 = madd<T>(v128.load(p0), x, s0);
        s1 = madd<T>(v128.load(p1), x, s1);
        s2 = madd<T>(v128.load(p2), x, s2);
        s3 = madd<T>(v128.load(p3), x, s3);
        const y = v128.load(v + j, 16);
        s0 = madd<T>(v128.load(p0, 16), y, s0);
        s1 = madd<T>(v128.load(p1, 16), y, s1);
        s2 = madd<T>(v128.load(p2, 16), y, s2);
        s3 = madd<T>(v128.load(p3, 16), y, s3);
      }
    } else {
      const back = row - 4 * pitch;
      const back2 = row - 2 * pitch;
      const q0 = v128.splat<T>(load<T>(at<T>(u, i - 4)));
      const q1 = v128.splat<T>(load<T>(at<T>(u, i - 3)));
      const q2 = v128.splat<T>(load<T>(at<T>(u, i - 2)));
      const q3 = v128.splat<T>(load<T>(at<T>(u, i - 1)));
      for (let j: usize = 0; j < end; j += 32) {
        const p0 = row + j;
        const p1 = p0 + pitch;
        const p2 = row2 + j;
        const p3 = p2 + pitch;
        const o0 = back + j;
        const o1 = o0 + pitch;
        const o2 = back2 + j;
        const o3 = o2 + pitch;
        const sums = acc + j;
        const x = v128.load(v + j);
        s0 = madd<T>(v128.load(p0), x, s0);
        s1 = madd<T>(v128.load(p1), x, s1);
        s2 = madd<T>(v128.load(p2), x, s2);
        s3 = madd<T>(v128.load(p3), x, s3);
        const left = madd<T>(q1, v128.load(o1), madd<T>(q0, v128.load(o0), v128.load(sums)));
        v128.store(sums, v128.add<T>(left, madd<T>(q3, v128.load(o3), v128.mul<T>(q2, v128.load(o2)))));
        const y = v128.load(v + j, 16);
        s0 = madd<T>(v128.load(p0, 16), y, s0);
        s1 = madd<T>(v128.load(p1, 16), y, s1);
        s2 = madd<T>(v128.load(p2, 16), y, s2);
        s3 = madd<T>(v128.load(p3, 16), y, s3);
        const next = madd<T>(q1, v128.load(o1, 16), madd<T>(q0, v128.load(o0, 16), v128.load(sums, 16)));
        v128.store(sums, v128.add<T>(next, madd<T>(q3, v128.load(o3, 16), v128.mul<T>(q2, v128.load(o2, 16)))), 16);
      }
      for (let j = whole; j < cols; j++) addRows<T>(back, pitch, u, i - 4, acc, j);
    }
    let t0 = hsum<T>(s0);
    let t1 = hsum<T>(s1);
    let t2 = hsum<T>(s2);
    let t3 = hsum<T>(s3);
    for (let j = whole; j < cols; j++) {
      const x = load<T>(at<T>(v, j));
      const p = at<T>(row, j);
      t0 += load<T>(p) * x;
      t1 += load<T>(p + pitch) * x;
      t2 += load<T>(p + 2 * pitch) * x;
      t3 += load<T>(p + 3 * pitch) * x;
    }
    scaleRow<T>(rule, i, t0, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
    scaleRow<T>(rule, i + 1, t1, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
    scaleRow<T>(rule, i + 2, t2, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
    scaleRow<T>(rule, i + 3, t3, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
  }
  if (blocks > 0) {
    const back = K + (<usize>(blocks - 4)) * pitch;
    const q0 = v128.splat<T>(load<T>(at<T>(u, blocks - 4)));
    const q1 = v128.splat<T>(load<T>(at<T>(u, blocks - 3)));
    const q2 = v128.splat<T>(load<T>(at<T>(u, blocks - 2)));
    const q3 = v128.splat<T>(load<T>(at<T>(u, blocks - 1)));
    for (let j: usize = 0; j < end; j += 16) {
      const left = madd<T>(q0, v128.load(back + j), v128.load(acc + j));
      const right = madd<T>(q3, v128.load(back + 3 * pitch + j), v128.mul<T>(q2, v128.load(back + 2 * pitch + j)));
      v128.store(acc + j, v128.add<T>(madd<T>(q1, v128.load(back + pitch + j), left), right));
    }
    for (let j = whole; j < cols; j++) addRows<T>(back, pitch, u, blocks - 4, acc, j);
  }
  for (; i < rows; i++) {
    const row = K + (<usize>i) * pitch;
    let s = v128.splat<T>(0);
    for (let j: usize = 0; j < end; j += 16) s = madd<T>(v128.load(row + j), v128.load(v + j), s);
    let sum = hsum<T>(s);
    for (let j = whole; j < cols; j++) sum += load<T>(at<T>(row, j)) * load<T>(at<T>(v, j));
    scaleRow<T>(rule, i, sum, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
    const factor = load<T>(at<T>(u, i));
    const q = v128.splat<T>(factor);
    for (let j: usize = 0; j < end; j += 16) v128.store(acc + j, madd<T>(q, v128.load(row + j), v128.load(acc + j)));
    for (let j = whole; j < cols; j++) store<T>(at<T>(acc, j), load<T>(at<T>(acc, j)) + factor * load<T>(at<T>(row, j)));
  }
}

/** acc[j] += Σ of four rows times their scalings: the tail of a block. */
// @ts-ignore: decorator
@inline
function addRows<T>(row: usize, pitch: usize, u: usize, i: i32, acc: usize, j: i32): void {
  let sum = load<T>(at<T>(acc, j));
  for (let k = 0; k < 4; k++) sum += load<T>(at<T>(u, i + k)) * load<T>(at<T>(row + (<usize>k) * pitch, j));
  store<T>(at<T>(acc, j), sum);
}

/** v = b/acc with its error and range: the hard column update, in vectors. */
// @ts-ignore: decorator
@inline
function scaleColumns<T>(v: usize, acc: usize, b: usize, stats: usize, cols: i32): void {
  const whole = cols - (cols % lanes<T>());
  const end = at<T>(0, whole);
  const one = v128.splat<T>(<T>1);
  const floor = v128.splat<T>(smallest<T>());
  let errors = v128.splat<T>(<T>0);
  let widest = v128.splat<T>(<T>0);
  let usable = v128.splat<i32>(-1);
  for (let j: usize = 0; j < end; j += 16) {
    const sum = v128.load(acc + j);
    const mass = v128.load(b + j);
    const scaling = v128.div<T>(mass, sum);
    const fits = v128.gt<T>(sum, floor);
    usable = v128.and(usable, fits);
    errors = v128.add<T>(errors, v128.abs<T>(v128.sub<T>(v128.mul<T>(v128.load(v + j), sum), mass)));
    widest = v128.max<T>(widest, v128.max<T>(scaling, v128.div<T>(one, scaling)));
    v128.store(v + j, v128.bitselect(scaling, v128.load(v + j), fits));
  }
  store<f64>(stats, load<f64>(stats, COLUMN_ERROR) + <f64>hsum<T>(errors), COLUMN_ERROR);
  const wide = <f64>hmax<T>(widest);
  if (!(wide <= load<f64>(stats, WIDEST))) store<f64>(stats, wide, WIDEST);
  if (!v128.all_true<i32>(usable)) store<f64>(stats, load<f64>(stats, UNUSABLE) + 1, UNUSABLE);
  for (let j = whole; j < cols; j++) scaleRow<T>(HARD, j, load<T>(at<T>(acc, j)), v, b, 0, 0, 1, 1, stats, COLUMN_ERROR);
}
