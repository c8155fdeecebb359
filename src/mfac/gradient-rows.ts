// Gradients as rows of one length and precision, wherever they come from.
import { checkAborted } from '../core/batches.js';
import { DomainError, ShapeError } from '../core/errors.js';
import {
  asTensor,
  brandOf,
  describe,
  type FloatArray,
  isFloatArray,
  type Precision,
  precisionOf,
  type TensorLike,
} from '../core/tensor.js';

/** A gradient matrix [m, d] as a Tensor, as rows, or as a stream of rows (copied on arrival). */
export type Gradients = TensorLike | Iterable<FloatArray> | AsyncIterable<FloatArray>;

/** m rows of d numbers. */
export interface GradientRows {
  readonly rows: readonly FloatArray[];
  readonly size: number;
  readonly precision: Precision;
  /** True when nobody else holds the rows: they may be overwritten. */
  readonly owned: boolean;
}

/** Reads gradients that are in memory already. @throws {ShapeError | DomainError} by the name G */
export function readRows(gradients: TensorLike | Iterable<FloatArray>): GradientRows {
  if (typeof gradients !== 'object' || gradients === null)
    throw new DomainError(`G: expected a tensor [m, d] or rows, got ${describe(gradients)}`);
  if (Symbol.iterator in gradients) return collect(Array.from(gradients, copyRow));
  const { data, shape } = asTensor('G', gradients);
  if (shape.length !== 2) throw new ShapeError(`G: expected a matrix [m, d], got shape [${shape.join(', ')}]`);
  if (!isFloatArray(data)) throw new DomainError(`G: expected float32 or float64 gradients, got ${describe(data)}`);
  const [m, d] = shape as [number, number];
  const rows = Array.from({ length: m }, (_, i) => data.subarray(i * d, (i + 1) * d));
  return { ...checked(rows), size: d, owned: false };
}

/** Reads gradients of any form; a stream is read to its end. @throws {ShapeError | DomainError} by the name G; {AbortError} */
export async function gatherRows(gradients: Gradients, signal?: AbortSignal): Promise<GradientRows> {
  if (typeof gradients !== 'object' || gradients === null || !(Symbol.asyncIterator in gradients)) return readRows(gradients);
  const rows: FloatArray[] = [];
  for await (const row of gradients) {
    checkAborted(signal);
    rows.push(copyRow(row));
    if (row.length !== rows[0]?.length) collect(rows);
  }
  return collect(rows);
}

function copyRow(row: FloatArray): FloatArray {
  if (!isFloatArray(row)) throw new DomainError(`G: expected rows that are Float32Array or Float64Array, got ${describe(row)}`);
  return row.slice();
}

function collect(rows: FloatArray[]): GradientRows {
  return { ...checked(rows), size: rows[0]?.length ?? 0, owned: true };
}

function checked(rows: FloatArray[]): { rows: FloatArray[]; precision: Precision } {
  const [first] = rows;
  if (!first || first.length === 0) throw new ShapeError('G: expected at least one gradient of at least one element, got none');
  for (const [i, row] of rows.entries()) {
    if (row.length !== first.length) throw new ShapeError(`G: expected rows of ${first.length} elements, got ${row.length} in row ${i}`);
    if (brandOf(row) !== brandOf(first)) throw new DomainError(`G: expected rows of one type, got ${brandOf(row)} in row ${i}`);
  }
  return { rows, precision: precisionOf(first) };
}
