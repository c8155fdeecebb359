// Strength of a soft operator, per row: as given, or in units of the row's range.
import { checkNonNegative, checkOneOf } from '../core/check.js';
import type { FloatArray } from '../core/tensor.js';

export type StrengthUnits = 'absolute' | 'range';
const units = ['absolute', 'range'] as const;

/** Effective strength of every row (0, the hard answer, where x/strength would overflow), and where its extremes are (for the derivative of the range). */
export interface RowStrengths {
  readonly strength: Float64Array;
  readonly smallest: Int32Array;
  readonly largest: Int32Array;
  readonly relative: boolean;
}

/** @throws {DomainError} when strength is negative or not finite, or the units are unknown */
export function readStrengths(data: FloatArray, rows: number, n: number, strength: number, unit: StrengthUnits): RowStrengths {
  checkNonNegative('strength', strength);
  checkOneOf('units', unit, units);
  const relative = unit === 'range';
  const smallest = new Int32Array(rows);
  const largest = new Int32Array(rows);
  const strengths = new Float64Array(rows).fill(strength);
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    for (let i = 1; i < n; i++) {
      if ((data[start + i] as number) < (data[start + (smallest[row] as number)] as number)) smallest[row] = i;
      if ((data[start + i] as number) > (data[start + (largest[row] as number)] as number)) largest[row] = i;
    }
    const low = data[start + (smallest[row] as number)] as number;
    const high = data[start + (largest[row] as number)] as number;
    if (relative) strengths[row] = strength * (high - low);
    if (!(Math.max(n, -low, high) / (strengths[row] as number) < 1e300)) strengths[row] = 0;
  }
  return { strength: strengths, smallest, largest, relative };
}

/** Adds the derivative through a range that scales the strength: `rate` is d loss / d strength of the row. */
export function addRangeGradient(grad: FloatArray, row: number, n: number, rate: number, strengths: RowStrengths, strength: number): void {
  if (!strengths.relative) return;
  const high = row * n + (strengths.largest[row] as number);
  const low = row * n + (strengths.smallest[row] as number);
  grad[high] = (grad[high] as number) + rate * strength;
  grad[low] = (grad[low] as number) - rate * strength;
}
