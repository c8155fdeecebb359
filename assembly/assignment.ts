// Linear assignment by shortest augmenting paths (Jonker & Volgenant 1987), rows ≤ columns, f64 costs.
import { at } from './lib/lanes';

// @ts-ignore: decorator
@inline
function f(p: usize, i: i32): f64 {
  return load<f64>(at<f64>(p, i));
}
// @ts-ignore: decorator
@inline
function put(p: usize, i: i32, value: f64): void {
  store<f64>(at<f64>(p, i), value);
}
// @ts-ignore: decorator
@inline
function int(p: usize, i: i32): i32 {
  return load<i32>(at<i32>(p, i));
}
// @ts-ignore: decorator
@inline
function putInt(p: usize, i: i32, value: i32): void {
  store<i32>(at<i32>(p, i), value);
}

/**
 * columns [rows] = the column of each row, distinct, with the least Σ C[i, columns[i]]; v [cols] = the columns' dual prices.
 * The specification: one Dijkstra search a row, no shortcuts. work: 3·cols f64 and cols i32.
 */
export function dassignRef(columns: usize, v: usize, C: usize, rows: i32, cols: i32, work: usize): void {
  const d = work;
  const pred = at<f64>(work, cols);
  const open = at<f64>(work, 2 * cols);
  const owner = at<f64>(work, 3 * cols);
  for (let j = 0; j < cols; j++) {
    put(v, j, 0);
    putInt(owner, j, -1);
  }
  for (let i = 0; i < rows; i++) augmentRef(i, columns, v, C, cols, d, pred, open, owner);
}

function augmentRef(start: i32, columns: usize, v: usize, C: usize, cols: i32, d: usize, pred: usize, open: usize, owner: usize): void {
  for (let j = 0; j < cols; j++) {
    put(d, j, Infinity);
    put(open, j, 0);
  }
  let i = start;
  let level: f64 = 0;
  let sink = -1;
  let last = -1;
  while (sink < 0) {
    const base = last < 0 ? 0 : f(C, i * cols + last) - f(v, last) - level;
    let next = -1;
    for (let j = 0; j < cols; j++) {
      if (f(open, j) > 0) continue;
      const r = f(C, i * cols + j) - f(v, j) - base;
      if (r < f(d, j)) {
        put(d, j, r);
        put(pred, j, i);
      }
      if (next < 0 || f(d, j) < f(d, next)) next = j;
    }
    level = f(d, next);
    put(open, next, 1);
    if (int(owner, next) < 0) sink = next;
    else {
      i = int(owner, next);
      last = next;
    }
  }
  for (let j = 0; j < cols; j++) if (f(open, j) > 0 && j != sink) put(v, j, f(v, j) + f(d, j) - level);
  flip(sink, start, columns, pred, owner);
}

/** Moves every row on the path to `sink` one column on. */
function flip(sink: i32, start: i32, columns: usize, pred: usize, owner: usize): void {
  let j = sink;
  for (;;) {
    const i = <i32>f(pred, j);
    putInt(owner, j, i);
    const before = int(columns, i);
    putInt(columns, i, j);
    if (i == start) break;
    j = before;
  }
}

/**
 * The same with column reduction (square problems), augmenting row reduction, and a vector pass for each relaxation.
 * work: 3·cols f64, cols i32 and rows i32.
 */
export function dassign(columns: usize, v: usize, C: usize, rows: i32, cols: i32, work: usize): void {
  const d = work;
  const pred = at<f64>(work, cols);
  const open = at<f64>(work, 2 * cols);
  const owner = at<f64>(work, 3 * cols);
  const free = at<i32>(owner, cols);
  for (let j = 0; j < cols; j++) {
    put(v, j, 0);
    putInt(owner, j, -1);
  }
  for (let i = 0; i < rows; i++) putInt(columns, i, -1);
  if (rows == cols) reduceColumns(columns, v, C, cols, pred, owner);
  let left = 0;
  for (let i = 0; i < rows; i++) if (int(columns, i) < 0) putInt(free, left++, i);
  if (cols > 1) {
    left = reduceRows(left, rows, columns, v, C, cols, owner, free);
    left = reduceRows(left, rows, columns, v, C, cols, owner, free);
  }
  for (let k = 0; k < left; k++) augment(int(free, k), columns, v, C, cols, d, pred, open, owner);
}

/** v[j] = the least cost of column j; its row takes it if it has none. */
function reduceColumns(columns: usize, v: usize, C: usize, n: i32, who: usize, owner: usize): void {
  for (let j = 0; j < n; j++) {
    put(v, j, f(C, j));
    put(who, j, 0);
  }
  const whole = n & ~1;
  for (let i = 1; i < n; i++) {
    const row = at<f64>(C, i * n);
    const me = f64x2.splat(<f64>i);
    let j = 0;
    for (; j < whole; j += 2) {
      const c = v128.load(at<f64>(row, j));
      const old = v128.load(at<f64>(v, j));
      const better = f64x2.lt(c, old);
      v128.store(at<f64>(v, j), v128.bitselect(c, old, better));
      v128.store(at<f64>(who, j), v128.bitselect(me, v128.load(at<f64>(who, j)), better));
    }
    for (; j < n; j++) {
      if (f(row, j) < f(v, j)) {
        put(v, j, f(row, j));
        put(who, j, <f64>i);
      }
    }
  }
  for (let j = n - 1; j >= 0; j--) {
    const i = <i32>f(who, j);
    if (int(columns, i) >= 0) continue;
    putInt(columns, i, j);
    putInt(owner, j, i);
  }
}

/**
 * Every free row takes its cheapest column and lowers that column's price to its second choice; the row it displaces is next.
 * Prices fall only on columns that are taken, so those left over keep price 0, as rectangular problems need. Returns the rows still free.
 */
function reduceRows(count: i32, rows: i32, columns: usize, v: usize, C: usize, cols: i32, owner: usize, free: usize): i32 {
  const whole = cols & ~1;
  let left = 0;
  let k = 0;
  let steps = 0;
  while (k < count) {
    const i = int(free, k++);
    const row = at<f64>(C, i * cols);
    let low = f64x2.splat(Infinity);
    let second = f64x2.splat(Infinity);
    let where = f64x2.splat(0);
    let index = f64x2(0, 1);
    const two = f64x2.splat(2);
    let j = 0;
    for (; j < whole; j += 2) {
      const r = f64x2.sub(v128.load(at<f64>(row, j)), v128.load(at<f64>(v, j)));
      const better = f64x2.lt(r, low);
      second = f64x2.pmin(second, v128.bitselect(low, r, better));
      low = v128.bitselect(r, low, better);
      where = v128.bitselect(index, where, better);
      index = f64x2.add(index, two);
    }
    let u1 = f64x2.extract_lane(low, 0);
    let j1 = <i32>f64x2.extract_lane(where, 0);
    let u2 = f64x2.extract_lane(second, 0);
    let other = f64x2.extract_lane(low, 1);
    if (other < u1) {
      u2 = min(u1, f64x2.extract_lane(second, 1));
      u1 = other;
      j1 = <i32>f64x2.extract_lane(where, 1);
    } else u2 = min(u2, other);
    for (; j < cols; j++) {
      const r = f(row, j) - f(v, j);
      if (r < u1) {
        u2 = u1;
        u1 = r;
        j1 = j;
      } else if (r < u2) u2 = r;
    }
    const displaced = int(owner, j1);
    const price = f(v, j1) - (u2 - u1);
    const lower = price < f(v, j1);
    // Without a price cut two rows could displace each other for ever: the later one waits for the search instead.
    if (displaced >= 0 && (!lower || ++steps > 4 * rows)) {
      putInt(free, left++, i);
      continue;
    }
    put(v, j1, price);
    putInt(columns, i, j1);
    putInt(owner, j1, i);
    if (displaced >= 0) {
      putInt(columns, displaced, -1);
      putInt(free, --k, displaced);
    }
  }
  return left;
}

/** Dijkstra from a free row to the nearest free column; scanned columns carry ∞ in `open`, so no pass needs a branch. */
function augment(start: i32, columns: usize, v: usize, C: usize, cols: i32, d: usize, pred: usize, open: usize, owner: usize): void {
  const whole = cols & ~1;
  for (let j = 0; j < cols; j++) {
    put(d, j, Infinity);
    put(open, j, 0);
  }
  let i = start;
  let level: f64 = 0;
  let base: f64 = 0;
  let next = 0;
  for (;;) {
    const row = at<f64>(C, i * cols);
    const shift = f64x2.splat(base);
    const me = f64x2.splat(<f64>i);
    let low = f64x2.splat(Infinity);
    let where = f64x2.splat(0);
    let index = f64x2(0, 1);
    const two = f64x2.splat(2);
    let j = 0;
    for (; j < whole; j += 2) {
      const closed = v128.load(at<f64>(open, j));
      const r = f64x2.add(f64x2.sub(f64x2.sub(v128.load(at<f64>(row, j)), v128.load(at<f64>(v, j))), shift), closed);
      const old = v128.load(at<f64>(d, j));
      const better = f64x2.lt(r, old);
      const now = v128.bitselect(r, old, better);
      v128.store(at<f64>(d, j), now);
      v128.store(at<f64>(pred, j), v128.bitselect(me, v128.load(at<f64>(pred, j)), better));
      const key = f64x2.add(now, closed);
      const least = f64x2.lt(key, low);
      low = v128.bitselect(key, low, least);
      where = v128.bitselect(index, where, least);
      index = f64x2.add(index, two);
    }
    level = f64x2.extract_lane(low, 0);
    next = <i32>f64x2.extract_lane(where, 0);
    if (f64x2.extract_lane(low, 1) < level) {
      level = f64x2.extract_lane(low, 1);
      next = <i32>f64x2.extract_lane(where, 1);
    }
    for (; j < cols; j++) {
      if (f(open, j) > 0) continue;
      const r = f(row, j) - f(v, j) - base;
      if (r < f(d, j)) {
        put(d, j, r);
        put(pred, j, <f64>i);
      }
      if (f(d, j) < level) {
        level = f(d, j);
        next = j;
      }
    }
    put(open, next, Infinity);
    i = int(owner, next);
    if (i < 0) break;
    base = f(C, i * cols + next) - f(v, next) - level;
  }
  for (let j = 0; j < cols; j++) if (f(open, j) > 0) put(v, j, f(v, j) + min(0, f(d, j) - level));
  flip(next, start, columns, pred, owner);
}
