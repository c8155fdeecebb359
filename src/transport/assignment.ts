import { assign } from '../kernels/assignment.js';
import { withArena } from '../runtime/instance.js';
import { type CostProblem, isPointProblem, type Matrix, type PointProblem, type Problem, readMatrix } from './problem.js';
import { readProblem } from './setting.js';
import { transpose } from './source.js';

export interface AssignmentResult {
  /** [n] the column of each row; −1 where there are more rows than columns and the row stays alone. */
  readonly columns: Int32Array;
  /** Σ cost[i, columns[i]] over the matched rows. */
  readonly value: number;
  /** [n], [m] dual prices: f_i + g_j ≤ cost[i, j], equal on matched pairs; Σf + Σg = value. */
// Exact one-to-one matching.

import { assign } from '../kernels/assignment.js';
import type { F64 } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import { type Matrix, readMatrix } from './problem.js';
import { transpose } from './source.js';

export interface AssignmentResult {
  /** [n] the column of every row; −1 for rows left over when there are more rows than columns. */
  readonly columns: Int32Array;
  /** Σ cost[i, columns[i]] */
  readonly value: number;
  /** [n], [m] dual certificate: f_i + g_j ≤ cost_ij, equal where matched; Σf + Σg = value. */
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
 * The assignment of rows to columns of least total cost, by shortest augmenting paths. The smaller side is matched whole; the other keeps
 * |n − m| free members.
 *
 * @param cost [n, m] (a tensor, nested arrays, or flat and square); pass `−cost` for the largest total
 * @returns `columns` [n], `value`, dual `f`, `g`
 * @throws {ShapeError} for an empty or misshapen matrix; {DomainError} for NaN or infinity
 * @see Jonker & Volgenant 1987, doi:10.1007/BF02278710; rectangular: Crouse 2016, doi:10.1109/TAES.2016.140952
 */
export function assignment(cost: Matrix | { readonly cost: Matrix }): AssignmentResult {
  const given = cost as { cost?: Matrix };
  const { data, rows, cols } = readMatrix('cost', given && !Array.isArray(cost) && given.cost !== undefined ? given.cost : cost);
  const turned = rows > cols;
  const matrix = Float64Array.from(turned ? transpose(data, rows, cols) : data);
  const [n, m] = turned ? [cols, rows] : [rows, cols];
  return withArena((arena) => {
    const [columns, owner] = [arena.zeros('i32', n), arena.zeros('i32', m)];
    const [u, v] = [arena.zeros('f64', n), arena.zeros('f64', m)];
    assign(columns, owner, u, v, arena.put(matrix) as F64);
    const [places, partners] = [arena.take(columns), arena.take(owner)];
    let value = 0;
    for (let i = 0; i < n; i++) value += matrix[i * m + places[i]!]!;
    const [f, g] = [arena.take(u), arena.take(v)];
    return turned ? { columns: partners, value, f: g, g: f } : { columns: places, value, f, g };
  });
}
