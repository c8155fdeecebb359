// Coordinates taken out of a block in Gram form one after the other.
import type { FloatArray } from '../core/tensor.js';
import type { Elimination } from './fisher-block.js';
import type { Whitened } from './whitened.js';

/**
 * With R = (I − U_P U_Pᵀ)⁻¹ of the removed P: inverse over the rest = (I − UᵀRU)/λ; R changes by rank one, all in f64.
 * `times` writes factor·Uᵀr to out.
 */
export function eliminate(
  whitened: Whitened,
  of: Float64Array,
  damping: number,
  times: (r: Float64Array, out: FloatArray, factor: number) => void,
): Elimination {
  const { rows: m, width } = whitened;
  const R = identity(m);
  const diagonal = of.slice();
  const r = new Float64Array(m);
  const out = new Float64Array(width);
  return {
    diagonal,
    remove: (k) => {
      const u = whitened.column(k);
      for (let i = 0; i < m; i++) {
        let sum = 0;
        for (let j = 0; j < m; j++) sum += (R[i * m + j] as number) * (u[j] as number);
        r[i] = sum;
      }
      const pivot = diagonal[k] as number;
      times(r, out, -1 / damping);
      out[k] = pivot;
      for (let i = 0; i < m; i++)
        for (let j = 0; j < m; j++) R[i * m + j] = (R[i * m + j] as number) + ((r[i] as number) * (r[j] as number)) / (damping * pivot);
      for (let j = 0; j < out.length; j++) {
        const c = out[j] as number;
        // The inverse of a sub-matrix never has a diagonal below a fraction that rounding may eat: keep it positive.
        diagonal[j] = Math.max((diagonal[j] as number) - (c * c) / pivot, (diagonal[j] as number) * 1e-12);
      }
      return out;
    },
  };
}

/** I [m, m]. */
export function identity(m: number): Float64Array {
  const out = new Float64Array(m * m);
  for (let i = 0; i < m; i++) out[i * m + i] = 1;
  return out;
}
