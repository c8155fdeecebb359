// The transportation problem by the network simplex method: min Σ C_ij x_ij, row sums = supply, column sums = demand, x ≥ 0.
// Only the spanning tree is stored (lib/spanning-tree.ts), with artificial arcs row → root → column. Masses are integers held in f64 (the
// caller scales them): flows are exact and ties are ties. Entering arcs by block search (the best of a few rows of costs, rows in turn),
// leaving arcs by Cunningham's rule (1976), which keeps the tree strongly feasible: no cycling.
import { at } from './lib/lanes';
import { hang, links, pivot, settle } from './lib/spanning-tree';

// Behind the tree in `work`, at a multiple of 8, where the search for an entering arc stands: the cost of artificial arcs, the gain of the arc
// that would have come next (f64), the row to price next, rows in turn without an improving arc, whether potentials come straight from the
// tree (i32).
// @ts-ignore: decorator
@inline
function searchState(work: usize, n: i32, m: i32): usize {
  return work + ((((<usize>n + m + 1) * 28) + 7) & ~7);
}

/** Bytes of `work` for n rows and m columns. */
export function networkSimplexWork(n: i32, m: i32): i32 {
  return <i32>searchState(0, n, m) + 48;
}

/** By how much one unit of mass would gain on the next entering arc of a search that ran out of pivots; 0 at the optimum. */
export function networkSimplexGap(work: usize, n: i32, m: i32): f64 {
  return load<f64>(searchState(work, n, m), 8);
}

/**
 * Solves from the greedy tree under C − g, or with `resume` goes on from what an earlier call left in u, v and `work`, with the same pivots as
 * in one call. Returns the pivots done, or −1 when maxPivots did not suffice. C [n, m], supply [n], demand [m] (f64, integers > 0, equal
 * totals), u [n] out, v [m] in (the start g) and out: C_ij ≥ u_i + v_j up to tolerance, equal where flow runs. In `work`: flow[x] on the
 * arc between node x and parent[x].
 */
export function networkSimplexRef(
  C: usize, supply: usize, demand: usize, u: usize, v: usize, work: usize, n: i32, m: i32, tolerance: f64, blockRows: i32, maxPivots: i32,
  resume: i32,
): i32 {
  return solve<i32>(C, supply, demand, u, v, work, n, m, tolerance, blockRows, maxPivots, resume);
}
/** As the twin, pricing in vectors; the same pivots. */
export function networkSimplex(
  C: usize, supply: usize, demand: usize, u: usize, v: usize, work: usize, n: i32, m: i32, tolerance: f64, blockRows: i32, maxPivots: i32,
  resume: i32,
): i32 {
  return solve<v128>(C, supply, demand, u, v, work, n, m, tolerance, blockRows, maxPivots, resume);
}

/** min_j C[row, j] − v[j]; `V` = v128 works in vectors. */
// @ts-ignore: decorator
@inline
function cheapest<V>(row: usize, v: usize, m: i32): f64 {
  let least: f64 = Infinity;
  let j = 0;
  if (!isInteger<V>()) {
    let a = f64x2.splat(Infinity);
    let b = f64x2.splat(Infinity);
    for (; j + 4 <= m; j += 4) {
      const p = at<f64>(row, j);
      const q = at<f64>(v, j);
      a = f64x2.pmin(a, f64x2.sub(v128.load(p), v128.load(q)));
      b = f64x2.pmin(b, f64x2.sub(v128.load(p, 16), v128.load(q, 16)));
    }
    a = f64x2.pmin(a, b);
    least = min<f64>(f64x2.extract_lane(a, 0), f64x2.extract_lane(a, 1));
  }
  for (; j < m; j++) {
    const value = load<f64>(at<f64>(row, j)) - load<f64>(at<f64>(v, j));
    if (value < least) least = value;
  }
  return least;
}

/** The first j with C[row, j] − v[j] = least. */
// @ts-ignore: decorator
@inline
function placeOf(row: usize, v: usize, m: i32, least: f64): i32 {
  for (let j = 0; j < m; j++) if (load<f64>(at<f64>(row, j)) - load<f64>(at<f64>(v, j)) == least) return j;
  return 0;
}

/** The search; `V` = v128 prices in vectors. See networkSimplexRef. */
function solve<V>(
  C: usize, supply: usize, demand: usize, u: usize, v: usize, work: usize, n: i32, m: i32, tolerance: f64, blockRows: i32, maxPivots: i32,
  resume: i32,
): i32 {
  const pitch = (<usize>m) << 3;
  const state = searchState(work, n, m);
  let artificial: f64 = 0;
  let row = 0;
  let idle = 0; // rows in turn without an improving arc
  let fresh = true; // potentials come straight from the tree
  if (resume) {
    artificial = load<f64>(state);
    row = load<i32>(state, 16);
    idle = load<i32>(state, 20);
    fresh = load<i32>(state, 24) != 0;
  } else {
    for (let k = 0; k < n * m; k++) artificial = max<f64>(artificial, abs<f64>(load<f64>(at<f64>(C, k))));
    artificial = artificial > 0 ? 3 * artificial : 1;
    plant<V>(C, supply, demand, v, work, n, m);
    settle(C, u, v, work, n, m, n + m, artificial);
  }

  let pivots = 0;
  while (true) {
    let best = -tolerance;
    let from = -1;
    const firstRow = row;
    const idleBefore = idle;
    for (let k = 0; k < blockRows && idle < n; k++) {
      const least = cheapest<V>(C + <usize>row * pitch, v, m) - load<f64>(at<f64>(u, row));
      if (least < best) {
        best = least;
        from = row;
      }
      idle++;
      row++;
      if (row == n) row = 0;
    }
    if (from < 0) {
      if (idle < n) continue;
      if (fresh) {
        store<f64>(state, 0, 8);
        return pivots;
      }
      // No arc improves: once more with potentials free of accumulated rounding.
      settle(C, u, v, work, n, m, n + m, artificial);
      fresh = true;
      idle = 0;
      continue;
    }
    if (pivots == maxPivots) {
      // The next call prices this block again.
      store<f64>(state, artificial);
      store<f64>(state, -best, 8);
      store<i32>(state, firstRow, 16);
      store<i32>(state, idleBefore, 20);
      store<i32>(state, i32(fresh), 24);
      return -1;
    }
    const line = C + <usize>from * pitch;
    const to = placeOf(line, v, m, cheapest<V>(line, v, m));
    pivot(from, n + to, best, u, v, work, n, m);
    pivots++;
    idle = 0;
    fresh = false;
  }
}

/**
 * A first tree: rows in turn fill their cheapest open columns under C − v. Whichever side of an arc is used up hangs under the other, a row
 * used up together with its column stays at the root (arc row → root, flow 0: strongly feasible), what is left hangs at the root too.
 */
function plant<V>(C: usize, supply: usize, demand: usize, v: usize, work: usize, n: i32, m: i32): void {
  const nodes = n + m + 1;
  const root = n + m;
  for (let x = 0; x < nodes; x++) {
    store<i32>(at<i32>(links(work, nodes, 1), x), -1);
    store<i32>(at<i32>(links(work, nodes, 0), x), root);
    store<f64>(at<f64>(work, x), x < n ? load<f64>(at<f64>(supply, x)) : x < root ? load<f64>(at<f64>(demand, x - n)) : 0);
  }
  store<i32>(at<i32>(links(work, nodes, 0), root), -1);
  for (let i = 0; i < n; i++) {
    let left = load<f64>(at<f64>(work, i));
    const line = C + ((<usize>i * <usize>m) << 3);
    while (left > 0) {
      const least = cheapest<V>(line, v, m);
      if (least == Infinity) break;
      const j = placeOf(line, v, m, least);
      const open = load<f64>(at<f64>(work, n + j));
      if (open <= left) {
        // The column is used up: it hangs under the row, and closes.
        hang(n + j, i, open, work, nodes);
        store<f64>(at<f64>(v, j), -Infinity);
        left -= open;
        store<f64>(at<f64>(work, i), left);
        if (left == 0) break;
      } else {
        hang(i, n + j, left, work, nodes);
        store<f64>(at<f64>(work, n + j), open - left);
        left = -1; // hung
      }
    }
    if (left >= 0) hang(i, root, left, work, nodes);
  }
  for (let j = 0; j < m; j++) {
    if (load<i32>(at<i32>(links(work, nodes, 0), n + j)) == root) hang(n + j, root, load<f64>(at<f64>(work, n + j)), work, nodes);
  }
}
