// A regular grid of cells on a box: the Laplacian without flow through the boundary, and Poisson problems on part of the cells.

/** Residuals below this share of the right-hand side end the conjugate gradients. */
const tolerance = 1e-13;

export class Grid {
  readonly size: number;
  /** Of one cell. */
  readonly volume: number;
  readonly #axes: { readonly stride: number; readonly count: number; readonly weight: number }[] = [];

  constructor(shape: readonly number[], lengths: readonly number[]) {
    let [stride, volume] = [1, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [count, step] = [shape[axis]!, lengths[axis]! / shape[axis]!];
      this.#axes.push({ stride, count, weight: 1 / (step * step) });
      stride *= count;
      volume *= step;
    }
    this.size = stride;
    this.volume = volume;
  }

  /** −Δp: for every cell Σ over its neighbours of (p_i − p_j)/h². */
  laplacian(p: Float64Array): Float64Array {
    const out = new Float64Array(this.size);
    for (const { stride, count, weight } of this.#axes) {
      for (let i = 0; i < this.size; i++) {
        if (Math.floor(i / stride) % count === count - 1) continue;
        const gap = weight * (p[i]! - p[i + stride]!);
        out[i]! += gap;
        out[i + stride]! -= gap;
      }
    }
    return out;
  }

  /** −Δp = rhs on the free cells, p = 0 on the others, by conjugate gradients; with all cells free, rhs and p have mean 0. */
  solve(rhs: Float64Array, free: Uint8Array): Float64Array {
    const masked = (x: Float64Array) => x.map((v, i) => (free[i] ? v : 0));
    const p = new Float64Array(this.size);
    const residual = masked(rhs);
    const direction = residual.slice();
    let rho = inner(residual, residual);
    const goal = rho * tolerance * tolerance;
    for (let k = 0; k < 10 * this.size + 100 && rho > goal; k++) {
      const image = masked(this.laplacian(direction));
      const curvature = inner(direction, image);
      if (!(curvature > 0)) break;
      const step = rho / curvature;
      for (let i = 0; i < p.length; i++) {
        p[i]! += step * direction[i]!;
        residual[i]! -= step * image[i]!;
      }
      const next = inner(residual, residual);
      for (let i = 0; i < p.length; i++) direction[i] = residual[i]! + (next / rho) * direction[i]!;
      rho = next;
    }
    if (free.every((f) => f === 1)) {
      const mean = p.reduce((sum, v) => sum + v, 0) / p.length;
      return p.map((v) => v - mean);
    }
    return p;
  }
}

function inner(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
