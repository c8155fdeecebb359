import { assign } from '../kernels/assignment.js';
import { withArena } from '../runtime/instance.js';
import { type CostProblem, checkProblem, isPointProblem, type Matrix, type PointProblem, type Problem, readMatrix } from './problem.js';
import { readProblem } from './setting.js';
import { transpose } from './source.js';

export interface AssignmentResult {
  /** [n] the column of each row; −1 where there are more rows than columns and the row stays alone. */
  readonly columns: Int32Array;
  /** Σ cost[i, columns[i]] over the matched rows. */
  readonly value: number;
  /** [n], [m] dual prices: f_i + g_j ≤ cost[i, j], equal on matched pairs; Σf + Σg = value. */
  readonly f: Float64Array;
  readonly g: Float64Array;
}

/**
 * The cheapest matching of rows to distinct columns (linear sum assignment), exact, by shortest augmenting paths.
 * Rectangular problems match all of the shorter side. Costs may be negative.
 *
 * @param problem a matrix [n, m], { cost }, or { x, y, costFunction } for point sets
 * @returns `columns` [n], `value`, and dual prices `f` [n], `g` [m] that certify it
 * @throws {ShapeError} on an empty or ragged matrix; {DomainError} on NaN or infinity
 * @see Jonker & Volgenant 1987, A shortest augmenting path algorithm for dense and sparse linear assignment problems
 */
export function assignment(problem: Matrix | Pick<CostProblem, 'cost'> | Omit<PointProblem, 'a' | 'b'>): AssignmentResult {
  return withArena((arena) => {
    const { cost, rows, cols } = readCosts(problem);
    const wide = rows <= cols;
    const columns = arena.alloc('i32', wide ? rows : cols);
    const prices = arena.alloc('f64', wide ? cols : rows);
    assign(arena, columns, prices, arena.put(wide ? cost : transpose(cost, rows, cols)));
    const [found, long] = [arena.take(columns), arena.take(prices)];
    // The short side's price is what is left of a matched cost.
    const short = Float64Array.from(found, (j, i) => (wide ? cost[i * cols + j]! : cost[j * cols + i]!) - long[j]!);
    let value = 0;
    found.forEach((j, i) => {
      value += wide ? cost[i * cols + j]! : cost[j * cols + i]!;
    });
    return { columns: wide ? found : invert(found, rows), value, f: wide ? short : long, g: wide ? long : short };
  });
}

/** Costs as f64, whatever form the problem has. */
function readCosts(problem: Matrix | object): { cost: Float64Array; rows: number; cols: number } {
  checkProblem('problem', problem, 'a matrix, { cost } or { x, y, costFunction? }');
  const named = problem as Problem;
  if (isPointProblem(named)) {
    const { make } = readProblem(named, false);
    return withArena((arena) => {
      const source = make(arena);
      return { cost: Float64Array.from(arena.view(source.dense!)), rows: source.rows, cols: source.cols };
    });
  }
  const { data, rows, cols } = readMatrix('cost', (named as CostProblem).cost ?? problem);
  return { cost: Float64Array.from(data), rows, cols };
}

/** The column of each of `rows` rows from the row of each column; −1 where none. */
function invert(rowOf: Int32Array, rows: number): Int32Array {
  const columns = new Int32Array(rows).fill(-1);
  rowOf.forEach((i, j) => {
    columns[i] = j;
  });
  return columns;
}
