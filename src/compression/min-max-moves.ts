// Local search of minMaxDiscreteSolve: swaps and single moves that lower the maximum, tested on few rows first.
import { largest, type MinMaxProblem, type MinMaxState, move } from './min-max-problem.js';

/** Rows of largest |D| that come first (DMMV: 100). */
const watched = 100;

/**
 * The rows a swap or a single move has to be tested on, the worst first. Row k is left out when it can never bind: |D_k| plus the most
 * any move can change it stays below `limit`, the maximum to beat. The margin is far above what rounding does to the sum.
 */
export function bindingRows(residual: Float64Array, reach: ArrayLike<number>, limit: number): Int32Array {
  const worst: number[] = [];
  const others: number[] = [];
  const size = (k: number): number => Math.abs(residual[k] as number);
  const bound = limit * (1 - 1e-9);
  for (let k = 0; k < residual.length; k++) {
    if (size(k) + (reach[k] as number) < bound) continue;
    if (worst.length === watched && size(k) <= size(worst[watched - 1] as number)) {
      others.push(k);
      continue;
    }
    let at = worst.length;
    for (; at > 0 && size(worst[at - 1] as number) < size(k); at--) worst[at] = worst[at - 1] as number;
    worst[at] = k;
    if (worst.length > watched) others.push(worst.pop() as number);
  }
  return Int32Array.from([...worst, ...others]);
}

/**
 * True when D + g·a (− h·c) stays below `limit` on all `rows`. On the worst row this is the paper's filter
 * sign(D_k)(a_ki − a_kj) < (t − |D_k|)/step: most candidates end there.
 */
export function staysBelow(
  residual: Float64Array,
  rows: Int32Array,
  limit: number,
  g: number,
  a: Float64Array,
  h: number,
  c: Float64Array,
): boolean {
  for (let q = 0; q < rows.length; q++) {
    const k = rows[q] as number;
    const v = (residual[k] as number) + (g * (a[k] as number) - h * (c[k] as number));
    if (v >= limit || v <= -limit) return false;
  }
  return true;
}

/** ‖D + g·a − h·c‖₂² − ‖D‖₂². */
export function squaresChange(residual: Float64Array, g: number, a: Float64Array, h: number, c: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < residual.length; k++) {
    const change = g * (a[k] as number) - h * (c[k] as number);
    sum += change * (2 * (residual[k] as number) + change);
  }
  return sum;
}

/** Local search in place, until no swap (one level up here, one down there) and no single move lowers the maximum. */
export function localSearch(problem: MinMaxProblem, state: MinMaxState): void {
  const { columns, levels, reach } = problem;
  const { x, residual } = state;
  const n = columns.length;
  const up = new Float64Array(n); // change of the value one level up, and one down (negative); 0 at the ends
  const down = new Float64Array(n);
  let limit = 0;
  let rows: Int32Array = new Int32Array(0);
  const measure = (j: number): void => {
    const level = x[j] as number;
    up[j] = level < levels.high ? levels.gap(level, level + 1) : 0;
    down[j] = level > levels.low ? levels.gap(level, level - 1) : 0;
  };
  const refresh = (): void => {
    limit = largest(residual) * (1 - 1e-12);
    rows = bindingRows(residual, reach, limit);
  };
  const step = (j: number, by: number): void => {
    move(problem, state, j, by);
    measure(j);
  };
  const swap = (i: number, j: number): void => {
    step(i, 1);
    step(j, -1);
    refresh();
  };

  /** One sweep over swaps. Those that lower ‖D‖₂ too are made at once; the first other one only if there was none of them. */
  const sweepSwaps = (): boolean => {
    let [made, keptUp, keptDown] = [false, -1, -1];
    for (let i = 0; i < n; i++) {
      const a = columns[i] as Float64Array;
      for (let j = 0; j < n && up[i] !== 0; j++) {
        if (i === j || down[j] === 0) continue;
        const [g, h, c] = [up[i] as number, -(down[j] as number), columns[j] as Float64Array];
        if (!staysBelow(residual, rows, limit, g, a, h, c)) continue;
        if (squaresChange(residual, g, a, h, c) < 0) {
          swap(i, j);
          made = true;
        } else if (keptUp < 0) [keptUp, keptDown] = [i, j];
      }
    }
    if (made || keptUp < 0) return made;
    swap(keptUp, keptDown);
    return true;
  };

  const sweepSingles = (): boolean => {
    let made = false;
    for (let i = 0; i < n; i++) {
      const a = columns[i] as Float64Array;
      for (const by of [1, -1]) {
        const g = (by > 0 ? up[i] : down[i]) as number;
        if (g === 0 || !staysBelow(residual, rows, limit, g, a, 0, a)) continue;
        step(i, by);
        refresh();
        made = true;
        break;
      }
    }
    return made;
  };

  for (let j = 0; j < n; j++) measure(j);
  refresh();
  while (sweepSwaps() || sweepSingles());
}
