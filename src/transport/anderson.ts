// Anderson acceleration of a fixed-point iteration x ← T(x) (Anderson 1965; Walker & Ni 2011, type II), for vectors of moderate length.

/** Keeps the last few steps of one iteration and proposes the next point. */
export class Anderson {
  readonly #memory: number;
  #points: Float64Array[] = [];
  #residuals: Float64Array[] = [];

  /** @param memory differences kept (6) */
  constructor(memory = 6) {
    this.#memory = memory;
  }

  /** Forgets the past: after a step that made things worse. */
  restart(): void {
    this.#points = [];
    this.#residuals = [];
  }

  /** The next point after x with image T(x): the affine combination of past images with the smallest combined residual. */
  next(x: Float64Array, image: Float64Array): Float64Array {
    const residual = image.map((value, k) => value - x[k]!);
    this.#points.push(image.slice());
    this.#residuals.push(residual);
    if (this.#points.length > this.#memory + 1) {
      this.#points.shift();
      this.#residuals.shift();
    }
    const m = this.#points.length - 1;
    if (m === 0) return image.slice();
    const differences = Array.from({ length: m }, (_, k) => residual.map((value, i) => value - this.#residuals[k]![i]!));
    const gamma = leastSquares(differences, residual);
    const out = image.slice();
    for (let k = 0; k < m; k++) for (let i = 0; i < out.length; i++) out[i]! -= gamma[k]! * (image[i]! - this.#points[k]![i]!);
    return out;
  }
}

/** argmin |r − Σ γ_k d_k|² by normal equations with a ridge of 1e-10 of their trace, Gaussian elimination with pivoting. */
function leastSquares(d: Float64Array[], r: Float64Array): Float64Array {
  const m = d.length;
  const dot = (p: Float64Array, q: Float64Array) => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
  const A = d.map((p) => Float64Array.from([...d.map((q) => dot(p, q)), dot(p, r)]));
  let trace = 0;
  for (let k = 0; k < m; k++) trace += A[k]![k]!;
  for (let k = 0; k < m; k++) A[k]![k]! += 1e-10 * trace + Number.MIN_VALUE;
  for (let k = 0; k < m; k++) {
    let pivot = k;
    for (let i = k + 1; i < m; i++) if (Math.abs(A[i]![k]!) > Math.abs(A[pivot]![k]!)) pivot = i;
    [A[k], A[pivot]] = [A[pivot]!, A[k]!];
    for (let i = k + 1; i < m; i++) {
      const factor = A[i]![k]! / A[k]![k]!;
      if (factor !== 0 && Number.isFinite(factor)) for (let j = k; j <= m; j++) A[i]![j]! -= factor * A[k]![j]!;
    }
  }
  const gamma = new Float64Array(m);
  for (let k = m - 1; k >= 0; k--) {
    let sum = A[k]![m]!;
    for (let j = k + 1; j < m; j++) sum -= A[k]![j]! * gamma[j]!;
    const value = sum / A[k]![k]!;
    gamma[k] = Number.isFinite(value) ? value : 0;
  }
  return gamma;
}
