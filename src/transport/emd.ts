// Exact optimal transport.

import { checkInteger } from '../core/check.js';
import { ShapeError } from '../core/errors.js';
import { readIterative } from '../core/iterations.js';
import { floats } from '../core/tensor.js';
import { networkSimplex } from '../kernels/network-simplex.js';
import type { Arena, F64 } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import type { Gradients } from './outcome.js';
import { asPlan, type Plan } from './plan.js';
import { supportGradients } from './point-gradient.js';
import { balance, type Problem, total } from './problem.js';
import { readProblem, type Setting } from './setting.js';
import { checkMass } from './sinkhorn-partial.js';
import { pick, spread, supportOf } from './support.js';

export interface EmdOptions {
  /** Move only this much (partial transport); all of it by default. */
  readonly mass?: number;
  /** Column potentials [m] near the solution, of an earlier result or of `sinkhorn`: the first tree is greedy under C − g. */
  readonly warmStart?: { readonly g: ArrayLike<number> };
  /** Pivots (100·(n + m) + 10 000). */
  readonly maxIterations?: number;
  /**
   * Called every 256 pivots and at the end with the pivots so far and, as `error`, what a unit of mass would gain on the next arc (0 at the
   * optimum); false stops: `converged: false`, and what no arc carries yet is missing from the plan and from `mass`.
   */
  readonly onIteration?: (info: { readonly iteration: number; readonly error: number }) => unknown;
}

export interface EmdResult {
  /** ⟨P, C⟩, the least there is. */
  readonly value: number;
  /** [n], [m]: a dual certificate f_i + g_j ≤ C_ij, equal where mass moves; mean of g over b > 0 is 0; −∞ where a weight is 0. Subgradients in a and b. */
  readonly f: Float64Array;
  readonly g: Float64Array;
  /** The at most n + m − 1 entries of the plan that are not 0. */
  readonly support: { readonly rows: Int32Array; readonly cols: Int32Array; readonly mass: Float64Array };
  readonly mass: number;
  /** Pivots of the network simplex method. */
  readonly iterations: number;
  readonly converged: boolean;
  /** [n, m] in the precision of the cost, made on every call. */
  plan(): Plan;
  /**
   * Of `value`, made on every call: by the weights (up to a constant for the whole problem, at fixed `mass` for a partial one), the costs
   * and the points. One of several subgradients where the optimal plan or its certificate is not unique.
   */
  gradients(): Gradients;
}

/** Masses become integers of this total in f64, so that flows are exact: 2^-49 of the total is the largest error of a weight. */
const grain = 2 ** 50;

/**
 * Exact optimal transport (earth mover's distance) by the network simplex method: min ⟨P, C⟩ with P1 = a, Pᵀ1 = b, or with `mass`
 * the exact partial problem P1 ≤ a, Pᵀ1 ≤ b, ΣP = mass.
 *
 * @param problem as for `sinkhorn`
 * @param options `mass`, `warmStart` { g }, `maxIterations` (100·(n + m) + 10 000), `onIteration` (return false to stop)
 * @returns `value`, dual certificate `f`, `g`, sparse `support`, `plan()`, `gradients()`, `iterations` (pivots), `converged`
 * @throws {DomainError} for negative weights or unequal totals (without `mass`); {ShapeError} when lengths do not fit
 * @see Cunningham 1976, doi:10.1007/BF01580661; block search: Kiraly & Kovacs 2012, arXiv:1207.6381
 */
export function emd(problem: Problem, options: EmdOptions = {}): EmdResult {
  const setting = readProblem(problem, false);
  const { a, b, singleWeights } = setting;
  const { mass, maxIterations = 100 * (a.length + b.length) + 10_000, warmStart } = readIterative(options);
  checkInteger('maxIterations', maxIterations, 0);
  if (warmStart && warmStart.g?.length !== b.length)
    throw new ShapeError(`warmStart.g: expected ${b.length} elements, got ${warmStart.g?.length}`);
  if (mass === undefined) balance(a, b, singleWeights);
  else checkMass(mass, a, b);
  return solveExact(setting, { ...options, maxIterations });
}

function solveExact(setting: Setting, { mass, maxIterations, warmStart, onIteration }: EmdOptions & { maxIterations: number }): EmdResult {
  const { a, b, make, precision } = setting;
  const [rows, cols] = [supportOf(a), supportOf(b)];
  const [supply, demand] = [pick(a, rows), pick(b, cols)];
  const [n, m] = [supply.length, demand.length];
  const partial = mass !== undefined && mass < Math.max(total(a), total(b));
  const extra = partial ? 1 : 0; // a row and a column that take what stays
  return withArena((arena) => {
    const { cost, largest } = extendedCost(arena, setting, rows, cols, n, m, extra);
    const masses = partial
      ? [
          [...supply, total(b) - mass!],
          [...demand, total(a) - mass!],
        ]
      : [supply, demand];
    const [integers, unit] = toIntegers(masses[0]!, masses[1]!);
    const keptRows = partial && integers[0]![n] === 0 ? n : n + extra;
    const keptCols = partial && integers[1]![m] === 0 ? m : m + extra;
    const C = keptCols === m + extra ? cost : narrow(arena, cost, m + extra, keptCols);
    const u = arena.zeros('f64', keptRows);
    const v = arena.put(startFrom(warmStart?.g, cols, arena, C, keptRows, keptCols, m));
    const [s, d] = [arena.put(integers[0]!.subarray(0, keptRows)), arena.put(integers[1]!.subarray(0, keptCols))];
    const blockRows = Math.max(1, Math.round((1.5 * Math.sqrt(n * m)) / m));
    const tree = networkSimplex({ ...C, length: keptRows * keptCols }, s, d, u, v, {
      tolerance: 1e-13 * largest,
      blockRows,
      maxPivots: maxIterations,
      ...(onIteration && { onPivots: (iteration: number, error: number) => onIteration({ iteration, error }) }),
    });

    const entries: [number, number, number][] = [];
    let value = 0;
    const view = arena.view(C);
    for (let x = 0; x < keptRows + keptCols; x++) {
      const above = tree.parent[x]!;
      if (tree.flow[x]! <= 0 || above === keptRows + keptCols) continue;
      const [i, j] = x < keptRows ? [x, above - keptRows] : [above, x - keptRows];
      if (i >= n || j >= m) continue;
      const moved = tree.flow[x]! * unit;
      entries.push([rows ? rows[i]! : i, cols ? cols[j]! : j, moved]);
      value += moved * view[i * keptCols + j]!;
    }
    entries.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
    const [f, g] = [arena.take(u).subarray(0, n), arena.take(v).subarray(0, m)];
    const mean = total(g) / m;
    const support = {
      rows: Int32Array.from(entries, ([i]) => i),
      cols: Int32Array.from(entries, ([, j]) => j),
      mass: Float64Array.from(entries, ([, , moved]) => moved),
    };
    // At fixed mass one more unit at i lets as much stay elsewhere: at the price of the extra column, or of the dearest row.
    const rest = partial
      ? [
          keptCols > m ? arena.view(v)[m]! : -largestOf(arena.view(u).subarray(0, n)),
          keptRows > n ? arena.view(u)[n]! : -largestOf(arena.view(v).subarray(0, m)),
        ]
      : [mean, -mean];
    const plan = () => {
      const out = floats(precision, a.length * b.length);
      for (const [i, j, moved] of entries) out[i * b.length + j]! += moved;
      return asPlan(out, a.length, b.length);
    };
    const priced = (potential: Float64Array, extra: number, kept: Int32Array | undefined, size: number) =>
      spread(
        potential.map((x) => x + extra),
        kept,
        size,
        -Infinity,
      );
    return {
      value,
      f: priced(f, mean, rows, a.length),
      g: priced(g, -mean, cols, b.length),
      support,
      mass: total(support.mass),
      iterations: tree.pivots,
      converged: tree.finished,
      plan,
      gradients: () => ({
        a: priced(f, rest[0]!, rows, a.length),
        b: priced(g, rest[1]!, cols, b.length),
        cost: plan(),
        ...(setting.points ? supportGradients(setting, support) : {}),
      }),
    };
  });

  function extendedCost(
    area: Arena,
    from: Setting,
    r: Int32Array | undefined,
    c: Int32Array | undefined,
    height: number,
    width: number,
    more: number,
  ) {
    const source = make(area, r, c);
    const given = area.view(source.dense!);
    let largest = 0;
    for (let k = 0; k < given.length; k++) largest = Math.max(largest, Math.abs(given[k]!));
    if (more === 0 && from.precision === 'float64') return { cost: source.dense as F64, largest };
    const wide = area.zeros('f64', (height + more) * (width + more));
    const [to, back] = [area.view(wide), area.view(source.dense!)];
    for (let i = 0; i < height; i++) to.set(back.subarray(i * width, (i + 1) * width), i * (width + more));
    // What stays costs nothing, but never goes from the extra row to the extra column.
    const forbidden = 4 * largest || 1;
    if (more) to[to.length - 1] = forbidden;
    return { cost: wide, largest: more ? forbidden : largest };
  }
}

/** Drops the last columns of a row-major matrix. */
function narrow(arena: Arena, cost: F64, width: number, kept: number): F64 {
  const rows = cost.length / width;
  const out = arena.zeros('f64', rows * kept);
  const [to, from] = [arena.view(out), arena.view(cost)];
  for (let i = 0; i < rows; i++) to.set(from.subarray(i * width, i * width + kept), i * kept);
  return out;
}

/** Column potentials to start from: those given, else the least cost of every column. */
function startFrom(
  start: ArrayLike<number> | undefined,
  cols: Int32Array | undefined,
  arena: Arena,
  C: F64,
  rows: number,
  width: number,
  real: number,
): Float64Array {
  const g = new Float64Array(width);
  if (start) {
    const given = pick(
      Float64Array.from(start, (x) => (Number.isFinite(x) ? x : 0)),
      cols,
    );
    g.set(given.subarray(0, Math.min(real, width)));
    return g;
  }
  const view = arena.view(C);
  g.fill(Infinity);
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) if (view[i * width + j]! < g[j]!) g[j] = view[i * width + j]!;
  return g;
}

/** Both sides as integers of one total; equal weights become small equal integers. Returns them with the mass of one unit. */
function toIntegers(a: ArrayLike<number>, b: ArrayLike<number>): [[Float64Array, Float64Array], number] {
  const uniform = (w: ArrayLike<number>) => Array.prototype.every.call(w, (x: number) => x === w[0]);
  const mass = total(a);
  if (uniform(a) && uniform(b)) {
    const divisor = gcd(a.length, b.length);
    const whole = (w: ArrayLike<number>, other: number) => new Float64Array(w.length).fill(other / divisor);
    return [[whole(a, b.length), whole(b, a.length)], (mass * divisor) / (a.length * b.length)];
  }
  const round = (w: ArrayLike<number>) => {
    const scale = grain / total(w);
    const out = Float64Array.from(w, (x) => (x > 0 ? Math.max(1, Math.round(x * scale)) : 0));
    let largest = 0;
    for (let k = 1; k < out.length; k++) if (out[k]! > out[largest]!) largest = k;
    out[largest]! += grain - total(out);
    return out;
  };
  return [[round(a), round(b)], mass / grain];
}

function largestOf(values: Float64Array): number {
  return values.reduce((top, x) => Math.max(top, x), -Infinity);
}

function gcd(p: number, q: number): number {
  return q === 0 ? p : gcd(q, p % q);
}
