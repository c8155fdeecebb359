// Systems of a handful of unknowns.

/** A⁻¹b for symmetric positive definite A [n, n], by Cholesky factorisation. */
export function solveSmall(A: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const L = A.slice();
  const x = b.slice();
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = L[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (L[i * n + k] as number) * (L[j * n + k] as number);
      L[i * n + j] = i === j ? Math.sqrt(sum) : sum / (L[j * n + j] as number);
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] = (x[i] as number) - (L[i * n + k] as number) * (x[k] as number);
    x[i] = (x[i] as number) / (L[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] = (x[i] as number) - (L[k * n + i] as number) * (x[k] as number);
    x[i] = (x[i] as number) / (L[i * n + i] as number);
  }
  return x;
}
