/** Sorting: hard, soft and by network. */

export type { Distribution } from '../kernels/diff-sort.js';
export { argsort } from './argsort.js';
export { type BackwardGrads, type DiffSortOptions, type DiffSortResult, diffSort } from './diff-sort.js';
export type { Direction } from './direction.js';
export { entmax15 } from './entmax15.js';
export { entmax15Loss } from './entmax15-loss.js';
export { type GroupOrderingOptions, groupOrderingLoss } from './group-ordering-loss.js';
export { type GroupOrderingScoresOptions, groupOrderingScoresLoss } from './group-ordering-scores-loss.js';
export { logSoftTopK } from './log-soft-top-k.js';
export { neuralSortMatrix } from './neural-sort-matrix.js';
export { type QuantileOptions, quantile } from './quantile.js';
export { type QuickSelectOptions, quickSelect } from './quick-select.js';
export { type RankOptions, rank } from './rank.js';
export type { RelaxedMatrix, RelaxedMatrixOptions } from './relaxed-matrix.js';
export type { Rows, Shaped, Sortable } from './rows.js';
export { type SoftRankOptions, type SoftResult, softRank } from './soft-rank.js';
export { type SoftSortOptions, softSort } from './soft-sort.js';
export { type SoftSortMatrixOptions, softSortMatrix } from './soft-sort-matrix.js';
export { type SoftTopKOptions, type SoftTopKResult, softTopK } from './soft-top-k.js';
export { type SortOptions, sort } from './sort.js';
export { type SortingNetwork, type SortingNetworkOptions, sortingNetwork } from './sorting-network.js';
export type { SparseLoss, Targets } from './sparse-losses.js';
export { type SparseResult, sparsemax } from './sparsemax.js';
export { sparsemaxLoss } from './sparsemax-loss.js';
export { type TopKOptions, topK } from './top-k.js';
export { type TopKClassificationOptions, topKClassificationLoss } from './top-k-classification-loss.js';
export type { NetworkName } from './wiring.js';
