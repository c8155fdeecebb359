import { asRecord, checkInteger, checkNonNegative, checkOneOf, checkRange } from '../core/check.js';
import { DomainError, ShapeError } from '../core/errors.js';
import { floats, type Tensor, type TensorLike } from '../core/tensor.js';
import { type LayerProblem, readLayer, squaredError } from './layer-problem.js';
import { pruneRows } from './optimal-brain-compression.js';
import { removals } from './prune-input.js';
import { pruneColumns } from './sparse-gpt.js';

/** N of M neighbours along a row are kept. */
export interface Pattern {
  readonly n: number;
  readonly m: number;
}

export interface LayerObsOptions {
  /** Share of the weights to remove, 0 … 1; or give `pattern`. */
  readonly sparsity?: number;
  /** Keep n of every m neighbours of a row: { n: 2, m: 4 }. */
  readonly pattern?: Pattern;
  /** Weight after weight with exact updates (greedy, the default), or column after column with one factorisation (columns). */
  readonly method?: 'greedy' | 'columns';
  /** Where the share counts: in every row, or over the layer, so that rows give what they can spare (row; greedy only). */
  readonly distribution?: 'row' | 'layer';
  /** λ as a share of the mean diagonal of the Hessian (0.01). */
  readonly damping?: number;
  /** Columns per mask decision of method columns (128). */
  readonly blockSize?: number;
}

export interface LayerObsResult {
  /** [rows, cols], in the precision of the weights. */
  readonly weights: Tensor<Float32Array | Float64Array>;
  /** [rows, cols]: 1 = kept. */
  readonly mask: Uint8Array;
  /** Mean over samples of ‖(W − Ŵ)x‖², summed over rows: what the layer's outputs changed. */
  readonly error: number;
  /** For method greedy: removed columns of every row in the order they went, and the cost ½w²/[H⁻¹]_kk of each, [rows, removed]. */
  readonly order?: readonly Int32Array[];
  readonly costs?: readonly Float64Array[];
}

/**
 * Prunes one linear layer so that its outputs on calibration inputs change least: min ‖WX − ŴX‖² over masks and remaining weights, with the
 * Hessian H = 2XᵀX/n + λI shared by all rows.
 *
 * @param w weights [rows, cols] (out × in)
 * @param inputs activations that enter the layer [n, cols]
 * @param options `sparsity` or `pattern`; `method` (greedy), `distribution` (row), `damping` (0.01), `blockSize` (128)
 * @returns `weights`, `mask`, `error`; greedy also `order` and `costs` per row
 * @throws {ShapeError | DomainError} when shapes disagree, values are not finite, or neither or both of sparsity and pattern are given
 * @see greedy: Frantar, Singh & Alistarh 2022 (OBC), arXiv:2208.11580, §4; columns: Frantar & Alistarh 2023 (SparseGPT), arXiv:2301.00774, §3
 */
export function layerObs(w: TensorLike, inputs: TensorLike, options: LayerObsOptions): LayerObsResult {
  const {
    method = 'greedy',
    damping = 0.01,
    blockSize = 128,
    distribution = 'row',
    sparsity,
    pattern,
  } = asRecord('options', options, '{ sparsity } or { pattern }');
  checkOneOf('method', method, ['greedy', 'columns']);
  checkOneOf('distribution', distribution, ['row', 'layer']);
  checkNonNegative('damping', damping);
  checkInteger('blockSize', blockSize, 1);
  if ((sparsity === undefined) === (pattern === undefined))
    throw new DomainError('sparsity: expected either sparsity or pattern, got both or none');
  if (sparsity !== undefined) checkRange('sparsity', sparsity, 0, 1);
  if (pattern) checkPattern(pattern);
  const problem = readLayer(w, inputs, damping);
  if (pattern && problem.cols % pattern.m !== 0)
    throw new ShapeError(`w: expected rows of a multiple of ${pattern.m} weights for the pattern, got ${problem.cols}`);

  const solved =
    method === 'columns'
      ? pruneColumns(problem, { sparsity, pattern, blockSize })
      : pruneRows(problem, { count: removals(sparsity ?? 0, problem.cols), pattern, total: total(problem, sparsity, distribution) });
  const data = floats(problem.precision, solved.weights.length);
  data.set(solved.weights);
  return { ...solved, weights: { data, shape: [problem.rows, problem.cols] }, error: squaredError(problem, solved.weights) };
}

/** Throws unless 1 ≤ n ≤ m. */
export function checkPattern({ n, m }: Pattern): void {
  checkInteger('pattern.m', m, 1);
  checkInteger('pattern.n', n, 1, m);
}

function total({ rows, cols }: LayerProblem, sparsity: number | undefined, distribution: 'row' | 'layer'): number | undefined {
  return distribution === 'layer' && sparsity !== undefined ? removals(sparsity, rows * cols) : undefined;
}
