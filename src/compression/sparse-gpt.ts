// Column by column with one factorisation of the inverse Hessian (SparseGPT): the masks of all rows advance together, and what a column
// loses is passed on to the columns after it.
import { square } from '../core/square.js';
import { cholesky } from '../kernels/cholesky.js';
import { gemm } from '../kernels/gemm.js';
import { slice } from '../runtime/arena.js';
import { withArena } from '../runtime/instance.js';
import type { Pattern } from './layer-obs.js';
import type { LayerProblem } from './layer-problem.js';
import { removals } from './prune-input.js';
import { maskSmallest } from './smallest.js';

export interface ColumnsOptions {
  readonly sparsity: number | undefined;
  readonly pattern: Pattern | undefined;
  /** Columns whose mask is chosen at once, of all rows together; whole groups with a pattern. */
  readonly blockSize: number;
}

/** With H⁻¹ = LLᵀ: the error of column j, (w − ŵ)/L_jj, times row j of Lᵀ is taken off what follows; masks by w²/L_jj². */
export function pruneColumns(problem: LayerProblem, options: ColumnsOptions): { weights: Float64Array; mask: Uint8Array } {
  const { rows, cols, inverse } = problem;
  const { sparsity = 0, pattern } = options;
  // A group of a pattern lies in one block: its scores see what all columns before it passed on.
  const blockSize = pattern ? Math.ceil(options.blockSize / pattern.m) * pattern.m : options.blockSize;
  const mask = new Uint8Array(rows * cols).fill(1);
  return withArena((arena) => {
    const factor = arena.put(inverse);
    cholesky(cols, factor);
    const L = arena.take(factor);
    const held = arena.put(problem.weights);
    for (let from = 0; from < cols; from += blockSize) {
      const width = Math.min(blockSize, cols - from);
      const W = arena.view(held);
      const errors = new Float64Array(rows * width);
      if (!pattern) chooseShare(W, L, mask, rows, cols, from, width, sparsity);
      for (let j = 0; j < width; j++) {
        const c = from + j;
        if (pattern && c % pattern.m === 0) choosePattern(W, L, mask, rows, cols, c, pattern);
        const pivot = L[c * cols + c] as number;
        for (let i = 0; i < rows; i++) {
          if (mask[i * cols + c]) continue;
          const error = (W[i * cols + c] as number) / pivot;
          errors[i * width + j] = error;
          W[i * cols + c] = 0;
          for (let t = c + 1; t < from + width; t++) W[i * cols + t] = (W[i * cols + t] as number) - error * (L[t * cols + c] as number);
        }
      }
      const rest = cols - from - width;
      if (rest === 0) continue;
      // W[:, after] −= errors · Lᵀ[block, after]
      const below = slice(factor, (from + width) * cols + from, factor.length - (from + width) * cols - from);
      const after = slice(held, from + width, held.length - from - width);
      gemm(rows, rest, width, arena.put(errors), below, after, { transB: true, ldb: cols, ldc: cols, alpha: -1, beta: 1 });
    }
    const weights = arena.take(held);
    for (let k = 0; k < weights.length; k++) if (!mask[k]) weights[k] = 0;
    return { weights, mask };
  });
}

/** The cheapest share of a block of columns over all rows. */
function chooseShare(
  W: Float64Array,
  L: Float64Array,
  mask: Uint8Array,
  rows: number,
  cols: number,
  from: number,
  width: number,
  sparsity: number,
): void {
  const scores = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < width; j++)
      scores[i * width + j] = square((W[i * cols + from + j] as number) / (L[(from + j) * (cols + 1)] as number));
  const chosen = maskSmallest(scores, removals(sparsity, rows * width));
  for (let i = 0; i < rows; i++) mask.set(chosen.subarray(i * width, (i + 1) * width), i * cols + from);
}

/** The m − n cheapest of each row's next m columns. */
function choosePattern(W: Float64Array, L: Float64Array, mask: Uint8Array, rows: number, cols: number, c: number, { n, m }: Pattern): void {
  const scores = new Float64Array(m);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < m; j++) scores[j] = square((W[i * cols + c + j] as number) / (L[(c + j) * (cols + 1)] as number));
    mask.set(maskSmallest(scores, m - n), i * cols + c);
  }
}
