/** Sorting: hard, soft and by network. */
export { argsort } from './argsort.js';
export type { Direction } from './direction.js';
export { type QuantileOptions, quantile } from './quantile.js';
export { type QuickSelectOptions, quickSelect } from './quick-select.js';
export { type RankOptions, rank } from './rank.js';
export type { Rows, Shaped, Sortable } from './rows.js';
export { type SortOptions, sort } from './sort.js';
export { type TopKOptions, topK } from './top-k.js';
