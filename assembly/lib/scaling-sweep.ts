// One read of K for a full scaling iteration: while the rows of block r add themselves to the column sums out of the first-level cache,
// the dot products of block r + 1 stream in.
import { at, hmax, hsum, lanes, madd } from './lanes';
import { COLUMN_ERROR, ROW_ERROR, smallest, UNUSABLE, WIDEST } from './marginal';
import { HARD, scaleRow } from './scaling-row';

/** Row sums against v, their scalings into u, and acc = Kᵀu, in one read of K. */
// @ts-ignore: decorator
@inline
export function sweep<T>(
  rule: i32, u: usize, v: usize, acc: usize, K: usize, a: usize, lu: usize, shift: usize, kappa: f64, omega: f64, stats: usize, rows: i32, cols: i32,
): void {
  const whole = cols - (cols % (2 * lanes<T>())); // two vectors a step: half the address arithmetic
  const pitch = (<usize>cols) << alignof<T>();
  const end = at<T>(0, whole); // byte length of the whole vectors
  const blocks = rows - (rows % 3); // three rows: four before and four behind do not fit into L1 beside v and acc at 2048 columns
  memory.fill(acc, 0, pitch);
  let i = 0;
  for (; i < blocks; i += 3) {
    const row = K + (<usize>i) * pitch;
    let s0 = v128.splat<T>(0);
    let s1 = s0;
    let s2 = s0;
    if (i == 0) {
      for (let j: usize = 0; j < end; j += 16) {
        const p0 = row + j;
        const p1 = p0 + pitch;
        const x = v128.load(v + j);
        s0 = madd<T>(v128.load(p0), x, s0);
        s1 = madd<T>(v128.load(p1), x, s1);
        s2 = madd<T>(v128.load(p1 + pitch), x, s2);
      }
    } else {
      const back = row - 3 * pitch;
      const q0 = v128.splat<T>(load<T>(at<T>(u, i - 3)));
      const q1 = v128.splat<T>(load<T>(at<T>(u, i - 2)));
      const q2 = v128.splat<T>(load<T>(at<T>(u, i - 1)));
      for (let j: usize = 0; j < end; j += 32) {
        const p0 = row + j;
        const p1 = p0 + pitch;
        const p2 = p1 + pitch;
        const o0 = back + j;
        const o1 = o0 + pitch;
        const o2 = o1 + pitch;
        const sums = acc + j;
        const x = v128.load(v + j);
        s0 = madd<T>(v128.load(p0), x, s0);
        s1 = madd<T>(v128.load(p1), x, s1);
        s2 = madd<T>(v128.load(p2), x, s2);
        v128.store(sums, madd<T>(q2, v128.load(o2), madd<T>(q1, v128.load(o1), madd<T>(q0, v128.load(o0), v128.load(sums)))));
        const y = v128.load(v + j, 16);
        s0 = madd<T>(v128.load(p0, 16), y, s0);
        s1 = madd<T>(v128.load(p1, 16), y, s1);
        s2 = madd<T>(v128.load(p2, 16), y, s2);
        const left = madd<T>(q1, v128.load(o1, 16), madd<T>(q0, v128.load(o0, 16), v128.load(sums, 16)));
        v128.store(sums, madd<T>(q2, v128.load(o2, 16), left), 16);
      }
      for (let j = whole; j < cols; j++) addRows<T>(back, pitch, u, i - 3, acc, j);
    }
    let t0 = hsum<T>(s0);
    let t1 = hsum<T>(s1);
    let t2 = hsum<T>(s2);
    for (let j = whole; j < cols; j++) {
      const x = load<T>(at<T>(v, j));
      const p = at<T>(row, j);
      t0 += load<T>(p) * x;
      t1 += load<T>(p + pitch) * x;
      t2 += load<T>(p + 2 * pitch) * x;
    }
    scaleRow<T>(rule, i, t0, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
    scaleRow<T>(rule, i + 1, t1, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
    scaleRow<T>(rule, i + 2, t2, u, a, lu, shift, kappa, omega, stats, ROW_ERROR);
  }
  if (blocks > 0) {
    const back = K + (<usize>(blocks - 3)) * pitch;
    const q0 = v128.splat<T>(load<T>(at<T>(u, blocks - 3)));
    const q1 = v128.splat<T>(load<T>(at<T>(u, blocks - 2)));
    const q2 = v128.splat<T>(load<T>(at<T>(u, blocks - 1)));
    for (let j: usize = 0; j < end; j += 16) {
      const left = madd<T>(q1, v128.load(back + pitch + j), madd<T>(q0, v128.load(back + j), v128.load(acc + j)));
      v128.store(acc + j, madd<T>(q2, v128.load(back + 2 * pitch + j), left));
    }
    for (let j = whole; j < cols; j++) addRows<T>(back, pitch, u, blocks - 3, acc, j);
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

/** acc[j] += Σ of three rows times their scalings: the tail of a block. */
// @ts-ignore: decorator
@inline
function addRows<T>(row: usize, pitch: usize, u: usize, i: i32, acc: usize, j: i32): void {
  let sum = load<T>(at<T>(acc, j));
  for (let k = 0; k < 3; k++) sum += load<T>(at<T>(u, i + k)) * load<T>(at<T>(row + (<usize>k) * pitch, j));
  store<T>(at<T>(acc, j), sum);
}

/** v = b/acc with its error and range: the hard column update, in vectors. */
// @ts-ignore: decorator
@inline
export function scaleColumns<T>(v: usize, acc: usize, b: usize, stats: usize, cols: i32): void {
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
