// Sinkhorn in the log domain with ONE exponential per entry and full iteration: e_ij = exp(F_i + G_j − C_ij·scale) serves the row sum,
// and, times the row's correction a_i/s_i, the column sums. F = f/ε + log a and G = g/ε + log b are f64; e is formed in the working
// precision. Rows come in tiles (any number of calls between a begin and a columns call), so that C need not exist as a whole.
import { LN2, LOG2E, one2, vexp2 } from './lib/exp2';
import { at, hmax, hsum, lanes, madd } from './lib/lanes';
import { COLUMN_ERROR, ROW_ERROR, smallest, UNUSABLE } from './lib/marginal';

/** Starts an iteration: G·log₂ e rounded to the working precision into line [cols], acc [cols] and stats cleared. */
export function slogBegin(line: usize, acc: usize, G: usize, stats: usize, cols: i32): void {
  logBegin<f32>(line, acc, G, stats, cols);
}
/** As slogBegin for f64 work. */
export function dlogBegin(line: usize, acc: usize, G: usize, stats: usize, cols: i32): void {
  logBegin<f64>(line, acc, G, stats, cols);
}
// @ts-ignore: decorator
@inline
function logBegin<W>(line: usize, acc: usize, G: usize, stats: usize, cols: i32): void {
  memory.fill(acc, 0, (<usize>cols) << alignof<W>());
  memory.fill(stats, 0, 32);
  for (let j = 0; j < cols; j++) store<W>(at<W>(line, j), <W>(load<f64>(at<f64>(G, j)) * LOG2E));
}

/**
 * Row updates of one tile, F ← F + ω·(la + κ·(F + log(a/s) − la) − F) with la = log a (f64) and s the row sum, and acc += the new rows of
 * P. C [rows, cols], line and acc as begun; `row` [2·cols] scratch; F, a (f64), la [rows]. A row whose sum under- or overflows is shifted by
 * its maximum first. κ = 1 is a hard marginal, ρ/(ρ + ε) a KL penalty ρ.
 */
export function slogRowsRef(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  logRowsRef<f32, f32>(F, acc, line, C, a, la, row, scale, kappa, omega, stats, rows, cols);
}
/** As slogRowsRef with C f32 and the work in f64, for costs of thousands of ε. */
export function sdlogRowsRef(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  logRowsRef<f32, f64>(F, acc, line, C, a, la, row, scale, kappa, omega, stats, rows, cols);
}
/** As slogRowsRef in f64. */
export function dlogRowsRef(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  logRowsRef<f64, f64>(F, acc, line, C, a, la, row, scale, kappa, omega, stats, rows, cols);
}
function logRowsRef<T, W>(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, _row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  for (let i = 0; i < rows; i++) {
    const before = load<f64>(at<f64>(F, i));
    let top = -Infinity;
    for (let j = 0; j < cols; j++) top = max<f64>(top, <f64>load<W>(at<W>(line, j)) * LN2 - <f64>load<T>(at<T>(C, i * cols + j)) * scale);
    let sum: f64 = 0;
    for (let j = 0; j < cols; j++) sum += NativeMath.exp(<f64>load<W>(at<W>(line, j)) * LN2 - <f64>load<T>(at<T>(C, i * cols + j)) * scale - top);
    const after = relax(i, before, NativeMath.log(sum) + top, a, la, kappa, omega, stats, ROW_ERROR);
    store<f64>(at<f64>(F, i), after);
    for (let j = 0; j < cols; j++) {
      const e = NativeMath.exp(after + <f64>load<W>(at<W>(line, j)) * LN2 - <f64>load<T>(at<T>(C, i * cols + j)) * scale);
      store<W>(at<W>(acc, j), <W>(<f64>load<W>(at<W>(acc, j)) + e));
    }
  }
}

/** The new potential of one row or column from the logarithm of its sum without that potential, and the error it had. */
// @ts-ignore: decorator
@inline
function relax(i: i32, before: f64, logSum: f64, a: usize, la: usize, kappa: f64, omega: f64, stats: usize, place: usize): f64 {
  const base = load<f64>(at<f64>(la, i));
  const gap = base + kappa * -logSum - before; // la + κ·((la − logSum) − la) − F
  const after = before + omega * gap;
  const mass = load<f64>(at<f64>(a, i));
  const sum = NativeMath.exp(before + logSum);
  const error = kappa == 1 ? abs<f64>(sum - mass) : abs<f64>(gap) * max<f64>(sum, NativeMath.exp(after + logSum));
  store<f64>(stats + place, load<f64>(stats + place) + error);
  return after;
}

/** Column updates that end an iteration: G from line and the column sums acc, as the rows with b, lb = log b. */
export function slogColumns(G: usize, line: usize, acc: usize, b: usize, lb: usize, kappa: f64, omega: f64, stats: usize, cols: i32): void {
  logColumns<f32>(G, line, acc, b, lb, kappa, omega, stats, cols);
}
/** As slogColumns for f64 work. */
export function dlogColumns(G: usize, line: usize, acc: usize, b: usize, lb: usize, kappa: f64, omega: f64, stats: usize, cols: i32): void {
  logColumns<f64>(G, line, acc, b, lb, kappa, omega, stats, cols);
}
// @ts-ignore: decorator
@inline
function logColumns<W>(G: usize, line: usize, acc: usize, b: usize, lb: usize, kappa: f64, omega: f64, stats: usize, cols: i32): void {
  for (let j = 0; j < cols; j++) {
    const sum = load<W>(at<W>(acc, j));
    const before = <f64>load<W>(at<W>(line, j)) * LN2;
    if (!(sum > smallest<W>() && sum < <W>Infinity)) {
      store<f64>(stats, load<f64>(stats, UNUSABLE) + 1, UNUSABLE);
      continue;
    }
    store<f64>(at<f64>(G, j), relax(j, before, NativeMath.log(<f64>sum) - before, b, lb, kappa, omega, stats, COLUMN_ERROR));
  }
}

/** As the twin; relative error of each exponential 2e-7 plus 6e-8·|C·scale|. */
export function slogRows(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  logRows<f32, f32>(F, acc, line, C, a, la, row, scale, kappa, omega, stats, rows, cols);
}
/** As slogRows with the work in f64. */
export function sdlogRows(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  logRows<f32, f64>(F, acc, line, C, a, la, row, scale, kappa, omega, stats, rows, cols);
}
/** As slogRows in f64. */
export function dlogRows(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  logRows<f64, f64>(F, acc, line, C, a, la, row, scale, kappa, omega, stats, rows, cols);
}

/** Two row buffers take turns: while row i is exponentiated, row i − 1 times its correction is added to the column sums. */
// @ts-ignore: decorator
@inline
function logRows<T, W>(
  F: usize, acc: usize, line: usize, C: usize, a: usize, la: usize, row: usize, scale: f64, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  let now = row;
  let last = at<W>(row, cols);
  let correction: W = 0;
  memory.fill(last, 0, (<usize>cols) << alignof<W>());
  const binary = <W>(scale * LOG2E);
  for (let i = 0; i < rows; i++) {
    const costs = at<T>(C, i * cols);
    const before = load<f64>(at<f64>(F, i));
    let used = <W>(before * LOG2E); // in units of ln 2, as line is
    let sum = gibbsRow<T, W>(now, line, costs, used, binary, last, correction, acc, cols);
    if (!(sum > smallest<W>() && sum < <W>Infinity)) {
      used = -peak<T, W>(line, costs, binary, cols);
      sum = gibbsRow<T, W>(now, line, costs, used, binary, last, 0, acc, cols);
    }
    const after = relax(i, before, NativeMath.log(<f64>sum) - <f64>used * LN2, a, la, kappa, omega, stats, ROW_ERROR);
    store<f64>(at<f64>(F, i), after);
    correction = <W>NativeMath.exp(after - <f64>used * LN2);
    const swap = now;
    now = last;
    last = swap;
  }
  const factor = v128.splat<W>(correction);
  const whole = cols - (cols % lanes<W>());
  for (let j: usize = 0; j < at<W>(0, whole); j += 16) v128.store(acc + j, madd<W>(factor, v128.load(last + j), v128.load(acc + j)));
  for (let j = whole; j < cols; j++) store<W>(at<W>(acc, j), load<W>(at<W>(acc, j)) + correction * load<W>(at<W>(last, j)));
}

/** now[j] = 2^(base + line[j] − C[j]·scale), its sum as result; acc += correction·last on the way. */
// @ts-ignore: decorator
@inline
function gibbsRow<T, W>(now: usize, line: usize, costs: usize, base: W, scale: W, last: usize, correction: W, acc: usize, cols: i32): W {
  const shift = v128.splat<W>(base);
  const factor = v128.splat<W>(scale);
  const weight = v128.splat<W>(correction);
  const lowest = v128.splat<W>(sizeof<W>() == 4 ? <W>-115 : <W>-1010); // products of e with corrections stay normal numbers
  const step = 2 * lanes<W>();
  const whole = cols - (cols % step);
  let sums = v128.splat<W>(0);
  let others = v128.splat<W>(0);
  for (let j = 0; j < whole; j += step) {
    const p = at<W>(line, j);
    const x = v128.sub<W>(v128.add<W>(shift, v128.load(p)), v128.mul<W>(vector<T, W>(at<T>(costs, j)), factor));
    const y = v128.sub<W>(v128.add<W>(shift, v128.load(p, 16)), v128.mul<W>(vector<T, W>(at<T>(costs, j + lanes<W>())), factor));
    const to = at<W>(acc, j);
    const old = at<W>(last, j);
    v128.store(to, madd<W>(weight, v128.load(old), v128.load(to)));
    v128.store(to, madd<W>(weight, v128.load(old, 16), v128.load(to, 16)), 16);
    const e = v128.and(vexp2<W>(x), v128.ge<W>(x, lowest));
    const d = v128.and(vexp2<W>(y), v128.ge<W>(y, lowest));
    const out = at<W>(now, j);
    v128.store(out, e);
    v128.store(out, d, 16);
    sums = v128.add<W>(sums, e);
    others = v128.add<W>(others, d);
  }
  let sum = hsum<W>(v128.add<W>(sums, others));
  for (let j = whole; j < cols; j++) {
    const e = one2<W>(base + load<W>(at<W>(line, j)) - <W>load<T>(at<T>(costs, j)) * scale);
    store<W>(at<W>(acc, j), load<W>(at<W>(acc, j)) + correction * load<W>(at<W>(last, j)));
    store<W>(at<W>(now, j), e);
    sum += e;
  }
  return sum;
}

/** A vector of costs in the working precision. */
// @ts-ignore: decorator
@inline
function vector<T, W>(p: usize): v128 {
  if (sizeof<T>() == sizeof<W>()) return v128.load(p);
  return f64x2.promote_low_f32x4(v128.load64_zero(p));
}

/** max_j (line[j] − C[j]·scale). */
function peak<T, W>(line: usize, costs: usize, scale: W, cols: i32): W {
  const whole = cols - (cols % lanes<W>());
  const factor = v128.splat<W>(scale);
  let tops = v128.splat<W>(<W>-Infinity);
  for (let j = 0; j < whole; j += lanes<W>()) {
    tops = v128.pmax<W>(tops, v128.sub<W>(v128.load(at<W>(line, j)), v128.mul<W>(vector<T, W>(at<T>(costs, j)), factor)));
  }
  let top = hmax<W>(tops);
  for (let j = whole; j < cols; j++) top = max<W>(top, load<W>(at<W>(line, j)) - <W>load<T>(at<T>(costs, j)) * scale);
  return top;
}
