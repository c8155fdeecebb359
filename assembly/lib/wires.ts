// Blocks of a batch for sorting networks: one vector per wire, lane = row of the batch; and the sweep of a network's comparators over
// rows of such vectors, `width` columns of a matrix at a time (assembly/diff-sort.ts says what the columns are).
import { at, lanes } from './lanes';

/** Columns swept together; 16 vectors of a wire are four cache lines. */
export const chunk: i32 = 16;

/** Address of vector i. */
// @ts-ignore: decorator
@inline
export function vec(base: usize, i: i32): usize {
  return base + ((<usize>i) << 4);
}

/** Block of rows from `row` on, one vector per wire; rows past the end of the batch repeat its last one. */
// @ts-ignore: decorator
@inline
export function loadBlock<T>(block: usize, x: usize, row: i32, batch: i32, n: i32): void {
  for (let lane = 0; lane < lanes<T>(); lane++) {
    const from = at<T>(x, min(row + lane, batch - 1) * n);
    for (let w = 0; w < n; w++) store<T>(vec(block, w) + lane * sizeof<T>(), load<T>(at<T>(from, w)));
  }
}

/** x [batch, n], rows from `row` on, from a block that holds them side by side in its lanes. */
// @ts-ignore: decorator
@inline
export function storeBlock<T>(x: usize, block: usize, row: i32, batch: i32, n: i32): void {
  for (let lane = 0; lane < lanes<T>() && row + lane < batch; lane++) {
    const to = at<T>(x, (row + lane) * n);
    for (let w = 0; w < n; w++) store<T>(at<T>(to, w), load<T>(vec(block, w) + lane * sizeof<T>()));
  }
}

/** True when columns [from, from + width) are zero on both wires of comparator c. */
// @ts-ignore: decorator
@inline
function idle(spans: usize, c: i32, from: i32, width: i32): bool {
  return spans != 0 && (load<i32>(at<i32>(spans, 2 * c)) >= from + width || load<i32>(at<i32>(spans, 2 * c + 1)) <= from);
}

/** Start of a sweep over columns [from, from + width): unit vectors, or columns of U. */
// @ts-ignore: decorator
@inline
export function begin<T>(rows: usize, u: usize, n: i32, from: i32, width: i32): void {
  if (!u) {
    memory.fill(rows, 0, (<usize>(n * width)) << 4);
    for (let j = 0; j < width; j++) v128.store(vec(rows, (from + j) * width + j), v128.splat<T>(<T>1));
    return;
  }
  for (let w = 0; w < n; w++) {
    for (let j = 0; j < width; j++) v128.store(vec(rows, w * width + j), v128.splat<T>(load<T>(at<T>(u, (from + j) * n + w))));
  }
}

/** Mixes the rows of every comparator, in order or backwards; with `gaps` it keeps the differences for `unmix`. */
// @ts-ignore: decorator
@inline
export function mix<T>(rows: usize, gaps: usize, alpha: usize, pairs: usize, spans: usize, count: i32, from: i32, width: i32, backwards: bool): void {
  for (let k = 0; k < count; k++) {
    const c = backwards ? count - 1 - k : k;
    if (idle(spans, c, from, width)) continue;
    const a = v128.load(vec(alpha, c));
    let p = vec(rows, load<i32>(at<i32>(pairs, 2 * c)) * width);
    let q = vec(rows, load<i32>(at<i32>(pairs, 2 * c + 1)) * width);
    let g = vec(gaps, c * width);
    for (const end = p + ((<usize>width) << 4); p < end; p += 16) {
      const low = v128.load(p);
      const high = v128.load(q);
      const d = v128.sub<T>(high, low);
      const t = v128.mul<T>(a, d);
      if (gaps) v128.store(g, d);
      v128.store(p, v128.sub<T>(high, t));
      v128.store(q, v128.add<T>(low, t));
      g += 16;
      q += 16;
    }
  }
}

/** The same sweep for gradients, in the opposite order: mixes them and adds Σ gap·(g_q − g_p) to each comparator's d alpha. */
// @ts-ignore: decorator
@inline
export function unmix<T>(grads: usize, gaps: usize, alpha: usize, galpha: usize, pairs: usize, spans: usize, count: i32, from: i32, width: i32, backwards: bool): void {
  for (let k = 0; k < count; k++) {
    const c = backwards ? k : count - 1 - k;
    if (idle(spans, c, from, width)) continue;
    const a = v128.load(vec(alpha, c));
    let p = vec(grads, load<i32>(at<i32>(pairs, 2 * c)) * width);
    let q = vec(grads, load<i32>(at<i32>(pairs, 2 * c + 1)) * width);
    let g = vec(gaps, c * width);
    let sum = v128.load(vec(galpha, c));
    for (const end = p + ((<usize>width) << 4); p < end; p += 16) {
      const low = v128.load(p);
      const high = v128.load(q);
      const e = v128.sub<T>(high, low);
      sum = v128.add<T>(sum, v128.mul<T>(v128.load(g), e));
      const t = v128.mul<T>(a, e);
      v128.store(p, v128.sub<T>(high, t));
      v128.store(q, v128.add<T>(low, t));
      g += 16;
      q += 16;
    }
    v128.store(vec(galpha, c), sum);
  }
}

// Element (wire, column) of a block's rows is element wire·across + column·along of the row-major matrix of one batch row.
// @ts-ignore: decorator
@inline
export function storeRows<T>(z: usize, rows: usize, row: i32, batch: i32, n: i32, m: i32, from: i32, width: i32, prefix: bool): void {
  const across = prefix ? n : 1;
  const along = prefix ? 1 : n;
  for (let lane = 0; lane < lanes<T>() && row + lane < batch; lane++) {
    const to = at<T>(z, (row + lane) * m * n + from * along);
    for (let w = 0; w < n; w++) {
      const place = at<T>(to, w * across);
      const source = vec(rows, w * width) + lane * sizeof<T>();
      for (let j = 0; j < width; j++) store<T>(at<T>(place, j * along), load<T>(vec(source, j)));
    }
  }
}
/** Columns [from, from + width) of z [batch, n, m] (or [batch, m, n] without `prefix`) into the lanes of `rows`, wire by wire. */
// @ts-ignore: decorator
@inline
export function loadRows<T>(rows: usize, z: usize, row: i32, batch: i32, n: i32, m: i32, from: i32, width: i32, prefix: bool): void {
  const across = prefix ? n : 1;
  const along = prefix ? 1 : n;
  for (let lane = 0; lane < lanes<T>(); lane++) {
    const source = at<T>(z, min(row + lane, batch - 1) * m * n + from * along);
    for (let w = 0; w < n; w++) {
      const place = at<T>(source, w * across);
      const to = vec(rows, w * width) + lane * sizeof<T>();
      for (let j = 0; j < width; j++) store<T>(vec(to, j), load<T>(at<T>(place, j * along)));
    }
  }
}
