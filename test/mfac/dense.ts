// Dense algebra in plain loops: the oracle of the matrix-free forms.

/** F = λI + (1/m)Σ g gᵀ within blocks of `blockSize`, row-major [d, d]. */
export function denseFisher(G: ArrayLike<number>, m: number, d: number, damping: number, blockSize = d): Float64Array {
  const F = new Float64Array(d * d);
  for (let a = 0; a < d; a++) {
    for (let b = 0; b < d; b++) {
      if (Math.floor(a / blockSize) !== Math.floor(b / blockSize)) continue;
      let sum = 0;
      for (let i = 0; i < m; i++) sum += G[i * d + a]! * G[i * d + b]!;
      F[a * d + b] = sum / m + (a === b ? damping : 0);
    }
  }
  return F;
}

/** A⁻¹ by Gauss–Jordan elimination with pivoting. */
export function inverse(A: ArrayLike<number>, n: number): Float64Array {
  const a = Float64Array.from(A);
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * n + i] = 1;
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[p * n + k]!)) p = i;
    for (const x of [a, out]) {
      for (let j = 0; j < n; j++) [x[k * n + j], x[p * n + j]] = [x[p * n + j]!, x[k * n + j]!];
    }
    const pivot = a[k * n + k]!;
    for (const x of [a, out]) for (let j = 0; j < n; j++) x[k * n + j] = x[k * n + j]! / pivot;
    for (let i = 0; i < n; i++) {
      const f = a[i * n + k]!;
      if (i === k || f === 0) continue;
      for (const x of [a, out]) for (let j = 0; j < n; j++) x[i * n + j] = x[i * n + j]! - f * x[k * n + j]!;
    }
  }
  return out;
}

/** A x for row-major A [n, n]. */
export function times(A: ArrayLike<number>, x: ArrayLike<number>): Float64Array {
  const n = x.length;
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += A[i * n + j]! * x[j]!;
    return sum;
  });
}

/** The published row recurrence: F⁻¹x for F = λI + (1/m)Σ g gᵀ (arXiv:2107.03356, §3.1). */
export function recurrence(G: ArrayLike<number>, m: number, d: number, damping: number): (x: ArrayLike<number>) => Float64Array {
  const v: Float64Array[] = [];
  const q: number[] = [];
  const apply = (x: ArrayLike<number>): Float64Array => {
    const y = Float64Array.from(x, (value) => value / damping);
    for (const [j, row] of v.entries()) {
      let dot = 0;
      for (let k = 0; k < d; k++) dot += row[k]! * x[k]!;
      for (let k = 0; k < d; k++) y[k] = y[k]! - (dot / q[j]!) * row[k]!;
    }
    return y;
  };
  for (let i = 0; i < m; i++) {
    const g = Float64Array.from({ length: d }, (_, k) => G[i * d + k]!);
    const row = apply(g);
    let dot = 0;
    for (let k = 0; k < d; k++) dot += g[k]! * row[k]!;
    v.push(row);
    q.push(m + dot);
  }
  return apply;
}
