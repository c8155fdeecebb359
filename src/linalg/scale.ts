// Matrices far from 1: squares of their elements would leave the range of f64.

/** 2⁶⁰⁰: scaling by a power of two is exact. */
const power = 4.149515568880993e180;

/**
 * Brings arrays whose largest element is above 1e100 or below 1e-100 closer to 1, in place, all by the same power of two; others are left
 * as they are. Returns the factor that takes results of first degree back.
 */
export function tame(...arrays: Float64Array[]): number {
  let largest = 0;
  for (const array of arrays) for (let i = 0; i < array.length; i++) largest = Math.max(largest, Math.abs(array[i] as number));
  if (largest === 0 || (largest <= 1e100 && largest >= 1e-100)) return 1;
  const factor = largest > 1 ? 1 / power : power;
  for (const array of arrays) scaleBy(array, factor);
  return 1 / factor;
}

/** x ← factor·x. */
export function scaleBy(x: Float64Array, factor: number): Float64Array {
  if (factor !== 1) for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) * factor;
  return x;
}
