// Losses of the sparse maps: Fenchel–Young losses ⟨p, x⟩ − ⟨q, x⟩ + Ω(p) − Ω(q), gradient p − q (Blondel et al. 2019, arXiv:1901.02324).
import { checkLabels, checkLength } from '../core/check.js';
import { DomainError } from '../core/errors.js';
import { type FloatArray, floats, type IntegerArray, isFloatArray } from '../core/tensor.js';
import { giveBack, type Rows, type RowsOf, readLike, readRows, type Shaped } from './rows.js';
import { type SparseMap, sparseRows } from './sparse-map.js';

/** Classes of every row, or a distribution for every row in the form of the scores. */
export type Targets = IntegerArray | readonly number[] | FloatArray | { data: FloatArray; shape: readonly number[] };

export interface SparseLoss<X> {
  /** Mean over rows. */
  readonly value: number;
  readonly grad: Shaped<X>;
  readonly perSample: FloatArray;
}

/** The loss of rows p = map(x) against targets; Ω(p) = Σ (omega(p_i)) and Ω of a unit vector is 0. */
export function fenchelYoung<X extends Rows>(x: X, targets: Targets, map: SparseMap, omega: (p: number) => number): SparseLoss<X> {
  const input = readRows('x', x);
  const { data, rows, n, precision } = input;
  const wanted = distributions(targets, rows, n, precision);
  const { values } = sparseRows(input, map);
  const perSample = floats(precision, rows);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    // Both are distributions: a common shift of the scores changes nothing, and those near 0 lose no digits.
    let top = -Infinity;
    for (let i = row * n; i < (row + 1) * n; i++) top = Math.max(top, data[i] as number);
    let loss = 0;
    for (let i = row * n; i < (row + 1) * n; i++) {
      const p = values[i] as number;
      const q = wanted[i] as number;
      loss += (p - q) * ((data[i] as number) - top) + omega(p) - omega(q);
    }
    perSample[row] = loss;
    value += loss / rows;
  }
  const grad = (values as Float64Array).map((p, i) => (p - (wanted[i] as number)) / rows);
  return { value, grad: giveBack<X, FloatArray>(input, grad), perSample };
}

function distributions(targets: Targets, rows: number, n: number, precision: RowsOf<FloatArray>['precision']): FloatArray {
  const dense = isFloatArray(targets) || (targets as { data?: FloatArray } | null)?.data !== undefined;
  if (dense) {
    const given = readLike('targets', targets, rows * n, precision);
    for (let row = 0; row < rows; row++) {
      const part = Array.from(given.subarray(row * n, (row + 1) * n));
      const total = part.reduce((a, b) => a + b, 0);
      if (!part.every((q) => q >= 0) || !(Math.abs(total - 1) <= 1e-3)) {
        throw new DomainError(`targets: expected rows that are not negative and sum to 1, got a sum of ${total} in row ${row}`);
      }
    }
    return given;
  }
  const classes = targets as IntegerArray | readonly number[];
  checkLength('targets', classes, rows);
  checkLabels('targets', classes, n);
  const out = floats(precision, rows * n);
  for (let row = 0; row < rows; row++) out[row * n + Number(classes[row])] = 1;
  return out;
}
