// What the Sinkhorn kernels of the scaling and of the log domain share.

/** Sums below this are not trusted: the caller is told (`unusable`) and the scaling stays as it was. */
// @ts-ignore: decorator
@inline
export function smallest<T>(): T {
  if (sizeof<T>() == 4) return <T>1e-36;
  return <T>1e-300;
}

// Places in the `stats` array (f64) that every iteration kernel fills.
/** Σ |row sum − target| of the scalings before the iteration. */
export const ROW_ERROR: usize = 0;
/** Σ |column sum − target| with the new row scalings and the old column scalings. */
export const COLUMN_ERROR: usize = 8;
/** Largest scaling, and the reciprocal of the smallest. */
export const WIDEST: usize = 16;
/** Rows and columns whose sum could not be used. */
export const UNUSABLE: usize = 24;
