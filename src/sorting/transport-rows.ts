// What the three transport operators share: rows in, linear images of their plans out.
import { type FloatArray, floats } from '../core/tensor.js';
import { giveBack, type Rows, readLike, readRows, type Shaped } from './rows.js';
import type { SoftResult } from './soft-rank.js';
import { type RowPlan, rowPlan, type TransportOptions } from './transport-operator.js';

export interface TransportResult<X> extends SoftResult<X> {
  /** Whether the plan of every row met the tolerance. */
  readonly converged: boolean;
  /** Most iterations that a row took. */
  readonly iterations: number;
}

/** A linear image of a plan: its values, and what a gradient of them is for plan and row. */
export interface Image {
  readonly size: number;
  values(plan: FloatArray, x: Float64Array): Float64Array;
  pull(grad: FloatArray, plan: FloatArray, x: Float64Array, inflow: Float64Array, gx: Float64Array): void;
}

/** Applies `image` to the plan of every row. */
export function transportRows<X extends Rows>(
  x: X,
  options: TransportOptions,
  weights: (n: number) => Float64Array,
  image: (n: number, b: Float64Array) => Image,
): TransportResult<X> {
  const input = readRows('x', x);
  const { data, rows, n, precision } = input;
  const b = weights(n);
  const { size, values, pull } = image(n, b);
  const row = (index: number) => Float64Array.from(data.subarray(index * n, (index + 1) * n));
  const plans: RowPlan[] = [];
  const out = floats(precision, rows * size);
  for (let index = 0; index < rows; index++) {
    const solved = rowPlan(row(index), b, options);
    plans.push(solved);
    out.set(values(solved.plan, row(index)), index * size);
  }
  const backward = (grad: Parameters<SoftResult<X>['backward']>[0]): Shaped<X> => {
    const inflows = readLike('grad', grad, rows * size, precision);
    const total = floats(precision, rows * n);
    plans.forEach((solved, index) => {
      const gx = new Float64Array(n);
      const inflow = new Float64Array(n * b.length);
      pull(inflows.subarray(index * size, (index + 1) * size), solved.plan, row(index), inflow, gx);
      solved.pull(gx, inflow);
      total.set(gx, index * n);
    });
    return giveBack<X, FloatArray>(input, total);
  };
  return {
    values: giveBack<X, FloatArray>(input, out, [size]),
    converged: plans.every(({ converged }) => converged),
    iterations: plans.reduce((most, { iterations }) => Math.max(most, iterations), 0),
    backward,
  };
}

/** Soft values at the targets: b⁻¹ Pᵀ x, for the targets from `first` on. */
export function barycentres(b: Float64Array, first: number, size: number): Image {
  const m = b.length;
  return {
    size,
    values: (plan, x) =>
      Float64Array.from({ length: size }, (_, k) => {
        let sum = 0;
        for (let i = 0; i < x.length; i++) sum += (plan[i * m + first + k] as number) * (x[i] as number);
        return sum / (b[first + k] as number);
      }),
    pull: (grad, plan, x, inflow, gx) => {
      for (let i = 0; i < x.length; i++) {
        for (let k = 0; k < size; k++) {
          const g = (grad[k] as number) / (b[first + k] as number);
          inflow[i * m + first + k] = g * (x[i] as number);
          gx[i] = (gx[i] as number) + g * (plan[i * m + first + k] as number);
        }
      }
    },
  };
}
