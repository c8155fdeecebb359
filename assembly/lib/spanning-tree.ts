// The spanning tree of assembly/network-simplex.ts. Nodes: rows 0 … n − 1, columns n … n + m − 1, a root n + m. The arc between a node and its
// parent leaves a row and enters a column, so that a node's kind tells its direction. In `work`, each of n + m + 1 elements: flow (f64) on the
// arc to the parent, then parent, first child, next and previous sibling, depth (i32).
import { at } from './lanes';

/** The array of parents (0), first children (1), next (2) and previous (3) siblings, or depths (4). */
// @ts-ignore: decorator
@inline
export function links(work: usize, nodes: i32, which: i32): usize {
  return work + ((<usize>nodes) << 3) + (((<usize>nodes) << 2) * <usize>which);
}

/** Hangs node x under `above` with a flow. */
// @ts-ignore: decorator
@inline
export function hang(x: i32, above: i32, flow: f64, work: usize, nodes: i32): void {
  const first = links(work, nodes, 1);
  const next = links(work, nodes, 2);
  const previous = links(work, nodes, 3);
  store<i32>(at<i32>(links(work, nodes, 0), x), above);
  store<f64>(at<f64>(work, x), flow);
  const sibling = load<i32>(at<i32>(first, above));
  store<i32>(at<i32>(next, x), sibling);
  store<i32>(at<i32>(previous, x), -1);
  if (sibling >= 0) store<i32>(at<i32>(previous, sibling), x);
  store<i32>(at<i32>(first, above), x);
}

/** Takes node x from its parent's list. */
// @ts-ignore: decorator
@inline
function unhang(x: i32, work: usize, nodes: i32): void {
  const next = links(work, nodes, 2);
  const previous = links(work, nodes, 3);
  const after = load<i32>(at<i32>(next, x));
  const before = load<i32>(at<i32>(previous, x));
  if (before >= 0) store<i32>(at<i32>(next, before), after);
  else store<i32>(at<i32>(links(work, nodes, 1), load<i32>(at<i32>(links(work, nodes, 0), x))), after);
  if (after >= 0) store<i32>(at<i32>(previous, after), before);
}

/** Depths and potentials of the subtree under `top` (whose own are right; the root counts as right), from the costs of its arcs. */
export function settle(C: usize, u: usize, v: usize, work: usize, n: i32, m: i32, top: i32, artificial: f64): void {
  const nodes = n + m + 1;
  const root = n + m;
  const parent = links(work, nodes, 0);
  const first = links(work, nodes, 1);
  const next = links(work, nodes, 2);
  const depth = links(work, nodes, 4);
  store<i32>(at<i32>(depth, root), 0);
  let x = top;
  while (true) {
    let step = load<i32>(at<i32>(first, x));
    while (step < 0) {
      if (x == top) return;
      step = load<i32>(at<i32>(next, x));
      if (step < 0) x = load<i32>(at<i32>(parent, x));
    }
    x = step;
    const above = load<i32>(at<i32>(parent, x));
    store<i32>(at<i32>(depth, x), load<i32>(at<i32>(depth, above)) + 1);
    if (x < n) {
      const cost = above == root ? artificial : load<f64>(at<f64>(C, x * m + above - n)) - load<f64>(at<f64>(v, above - n));
      store<f64>(at<f64>(u, x), cost);
    } else {
      const cost = above == root ? artificial : load<f64>(at<f64>(C, above * m + x - n)) - load<f64>(at<f64>(u, above));
      store<f64>(at<f64>(v, x - n), cost);
    }
  }
}

/** Brings the arc i → j of reduced cost `gain` < 0 into the tree. */
export function pivot(i: i32, j: i32, gain: f64, u: usize, v: usize, work: usize, n: i32, m: i32): void {
  const nodes = n + m + 1;
  const parent = links(work, nodes, 0);
  const first = links(work, nodes, 1);
  const next = links(work, nodes, 2);
  const depth = links(work, nodes, 4);

  // Walk both ends up to where they meet; flow falls on arcs row → parent on i's side and parent → column on j's side.
  let a = i;
  let b = j;
  let room: f64 = Infinity;
  let leaving = -1;
  let roomB: f64 = Infinity;
  let leavingB = -1;
  while (a != b) {
    if (load<i32>(at<i32>(depth, a)) >= load<i32>(at<i32>(depth, b))) {
      if (a < n) {
        const flow = load<f64>(at<f64>(work, a));
        if (flow < room) {
          room = flow;
          leaving = a;
        }
      }
      a = load<i32>(at<i32>(parent, a));
    } else {
      if (b >= n) {
        const flow = load<f64>(at<f64>(work, b));
        if (flow <= roomB) {
          roomB = flow;
          leavingB = b;
        }
      }
      b = load<i32>(at<i32>(parent, b));
    }
  }
  const join = a;
  const sideB = roomB <= room; // among equals the last one met from the join in the direction of the arc
  const delta = sideB ? roomB : room;
  if (delta > 0) {
    for (let x = i; x != join; x = load<i32>(at<i32>(parent, x))) {
      const flow = load<f64>(at<f64>(work, x));
      store<f64>(at<f64>(work, x), x < n ? flow - delta : flow + delta);
    }
    for (let x = j; x != join; x = load<i32>(at<i32>(parent, x))) {
      const flow = load<f64>(at<f64>(work, x));
      store<f64>(at<f64>(work, x), x < n ? flow + delta : flow - delta);
    }
  }

  // Turn the path from the arc's end to the leaving arc upside down.
  const end = sideB ? j : i;
  const last = sideB ? leavingB : leaving;
  let x = end;
  let above = sideB ? i : j;
  let flow = delta;
  while (true) {
    const was = load<i32>(at<i32>(parent, x));
    const had = load<f64>(at<f64>(work, x));
    unhang(x, work, nodes);
    hang(x, above, flow, work, nodes);
    if (x == last) break;
    above = x;
    flow = had;
    x = was;
  }

  // Everything that moved: new depths, and potentials shifted so that the entering arc is tight.
  const rows = sideB ? -gain : gain;
  x = end;
  store<i32>(at<i32>(depth, x), load<i32>(at<i32>(depth, sideB ? i : j)) + 1);
  while (true) {
    const place = x < n ? at<f64>(u, x) : at<f64>(v, x - n);
    store<f64>(place, load<f64>(place) + (x < n ? rows : -rows));
    let step = load<i32>(at<i32>(first, x));
    while (step < 0) {
      if (x == end) return;
      step = load<i32>(at<i32>(next, x));
      if (step < 0) x = load<i32>(at<i32>(parent, x));
    }
    x = step;
    store<i32>(at<i32>(depth, x), load<i32>(at<i32>(depth, load<i32>(at<i32>(parent, x)))) + 1);
  }
}
