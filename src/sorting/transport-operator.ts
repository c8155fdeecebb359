// Sorting as entropic optimal transport from the values of a row to an ordered grid (Cuturi, Teboul & Vert 2019, arXiv:1905.11885).
// With u = (x − min)/(max − min) and targets y_j = j/(m − 1): cost (u_i − y_j)², weights 1/n and b. The plan P is close to the
// monotone one; soft values are b⁻¹ Pᵀ x, soft ranks n·P·(places). Gradients are implicit, from the optimality of P alone.
import { checkInteger, checkPositive } from '../core/check.js';
import { square } from '../core/square.js';
import type { FloatArray } from '../core/tensor.js';
import { sinkhorn } from '../transport/index.js';

export interface TransportOptions {
  /** Entropic strength in units of the squared range of a row (0.01); small is hard and slower. */
  epsilon?: number;
  /** Bound on the L1 error of the plan's marginals (1e-9). */
  tolerance?: number;
  /** Iterations of Sinkhorn (10 000). */
  maxIterations?: number;
  /** Called after every iteration of every row; false stops that row. */
  onIteration?: (info: { readonly iteration: number; readonly error: number }) => unknown;
}

/** The plan of one row, and its gradient. */
export interface RowPlan {
  /** [n, m] row-major. */
  readonly plan: FloatArray;
  readonly converged: boolean;
  readonly iterations: number;
  /** Adds to gx the gradient of Σ P·inflow through P; inflow [n, m] row-major. */
  pull(gx: Float64Array, inflow: Float64Array): void;
}

/** The transport plan from a row of n finite numbers to targets of weights b [m]. */
export function rowPlan(x: Float64Array, b: Float64Array, options: TransportOptions): RowPlan {
  const { epsilon = 0.01, tolerance = 1e-9, maxIterations = 10_000, onIteration } = options;
  checkPositive('epsilon', epsilon);
  checkPositive('tolerance', tolerance);
  checkInteger('maxIterations', maxIterations, 1);
  const [n, m] = [x.length, b.length];
  let [low, high] = [0, 0];
  for (let i = 1; i < n; i++) {
    if ((x[i] as number) < (x[low] as number)) low = i;
    if ((x[i] as number) > (x[high] as number)) high = i;
  }
  const range = (x[high] as number) - (x[low] as number);
  const u = x.map((value) => (range > 0 ? (value - (x[low] as number)) / range : 0.5));
  const y = Float64Array.from({ length: m }, (_, j) => (m > 1 ? j / (m - 1) : 0.5));
  const cost = Float64Array.from({ length: n * m }, (_, at) => square((u[Math.floor(at / m)] as number) - (y[at % m] as number)));
  const a = new Float64Array(n).fill(1 / n);
  const solved = sinkhorn(
    { cost: { data: cost, shape: [n, m] }, a, b },
    { epsilon, tolerance, maxIterations, ...(onIteration && { onIteration }) },
  );
  const plan = solved.plan();
  const pull = (gx: Float64Array, inflow: Float64Array): void => {
    if (!(range > 0)) return; // all values are equal: the scaled row is constant, its derivative 0 by convention
    const { rows, columns } = multipliers(plan, inflow, n, m);
    let toLow = 0;
    let toHigh = 0;
    for (let i = 0; i < n; i++) {
      let gu = 0;
      for (let j = 0; j < m; j++) {
        const at = i * m + j;
        const toCost = ((plan[at] as number) * ((rows[i] as number) + (columns[j] as number) - (inflow[at] as number))) / epsilon;
        gu += toCost * 2 * ((u[i] as number) - (y[j] as number));
      }
      gx[i] = (gx[i] as number) + gu / range;
      toLow -= (gu * (1 - (u[i] as number))) / range;
      toHigh -= (gu * (u[i] as number)) / range;
    }
    gx[low] = (gx[low] as number) + toLow;
    gx[high] = (gx[high] as number) + toHigh;
  };
  return { plan, converged: solved.converged, iterations: solved.iterations, pull };
}

/**
 * Solves [diag(a) P; Pᵀ diag(b)] (λ, μ) = (row sums, column sums) of P∘inflow, singular along (1, −1), by conjugate gradients on
 * the Schur complement diag(b) − Pᵀ diag(1/a) P. Its a and b are the plan's own marginals: then it is singular along the ones to
 * rounding, and the mean that rounding puts into a residual is taken out again before it can grow.
 */
function multipliers(plan: FloatArray, inflow: Float64Array, n: number, m: number): { rows: Float64Array; columns: Float64Array } {
  const [a, b] = [new Float64Array(n), new Float64Array(m)];
  for (let at = 0; at < plan.length; at++) {
    const [i, j, mass] = [Math.floor(at / m), at % m, plan[at] as number];
    a[i] = (a[i] as number) + mass;
    b[j] = (b[j] as number) + mass;
  }
  const centered = (v: Float64Array): Float64Array => {
    const mean = v.reduce((sum, value) => sum + value, 0) / m;
    return v.map((value) => value - mean);
  };
  const toColumns = (v: Float64Array): Float64Array => {
    const out = new Float64Array(m);
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) out[j] = (out[j] as number) + (plan[i * m + j] as number) * (v[i] as number);
    return out;
  };
  const toRows = (v: Float64Array): Float64Array =>
    a.map((_, i) => {
      let sum = 0;
      for (let j = 0; j < m; j++) sum += (plan[i * m + j] as number) * (v[j] as number);
      return sum;
    });
  const rowSums = new Float64Array(n);
  const columnSums = new Float64Array(m);
  for (let at = 0; at < inflow.length; at++) {
    const h = (plan[at] as number) * (inflow[at] as number);
    const [i, j] = [Math.floor(at / m), at % m];
    rowSums[i] = (rowSums[i] as number) + h;
    columnSums[j] = (columnSums[j] as number) + h;
  }
  const reduced = toColumns(rowSums.map((value, i) => value / (a[i] as number)));
  const columns = new Float64Array(m);
  let residual = centered(columnSums.map((value, j) => value - (reduced[j] as number)));
  const direction = residual.slice();
  const dot = (p: Float64Array, q: Float64Array) => p.reduce((sum, value, j) => sum + value * (q[j] as number), 0);
  let square = dot(residual, residual);
  const goal = square * 1e-26;
  for (let step = 0; step < 4 * m + 20 && square > goal; step++) {
    const back = toColumns(toRows(direction).map((value, i) => value / (a[i] as number)));
    const image = direction.map((value, j) => (b[j] as number) * value - (back[j] as number));
    const curvature = dot(direction, image);
    if (!(curvature > 0)) break; // what is left lies along the null vector
    const move = square / curvature;
    for (let j = 0; j < m; j++) {
      columns[j] = (columns[j] as number) + move * (direction[j] as number);
      residual[j] = (residual[j] as number) - move * (image[j] as number);
    }
    residual = centered(residual);
    const next = dot(residual, residual);
    for (let j = 0; j < m; j++) direction[j] = (residual[j] as number) + (next / square) * (direction[j] as number);
    square = next;
  }
  const rest = toRows(columns);
  const rows = rowSums.map((value, i) => (value - (rest[i] as number)) / (a[i] as number));
  return { rows, columns };
}
