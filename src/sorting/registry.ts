// Every method of the area by the kebab-case of its export.
import type { Registry } from '../core/registry.js';
import { argsort } from './argsort.js';
import { auxZipfLoss } from './aux-zipf-loss.js';
import { decoupledSoftmaxLoss } from './decoupled-softmax-loss.js';
import { diffSort } from './diff-sort.js';
import { entmax15 } from './entmax15.js';
import { entmax15Loss } from './entmax15-loss.js';
import { featureChoice, zipfCounts } from './feature-choice.js';
import { groupOrderingLoss } from './group-ordering-loss.js';
import { groupOrderingScoresLoss } from './group-ordering-scores-loss.js';
import { logSoftTopK } from './log-soft-top-k.js';
import { mutualChoice } from './mutual-choice.js';
import { neuralSortMatrix } from './neural-sort-matrix.js';
import { quantile } from './quantile.js';
import { quickSelect } from './quick-select.js';
import { rank } from './rank.js';
import { softRank } from './soft-rank.js';
import { softSort } from './soft-sort.js';
import { softSortMatrix } from './soft-sort-matrix.js';
import { softTopK } from './soft-top-k.js';
import { softTopKLoss } from './soft-top-k-loss.js';
import { sort } from './sort.js';
import { sortingNetwork } from './sorting-network.js';
import { sparsemax } from './sparsemax.js';
import { sparsemaxLoss } from './sparsemax-loss.js';
import { topK } from './top-k.js';
import { topKClassificationLoss } from './top-k-classification-loss.js';
import { transportQuantile } from './transport-quantile.js';
import { transportRank } from './transport-rank.js';
import { transportSort } from './transport-sort.js';

export const registry = {
  sort: { method: sort, summary: 'sorted rows, total order, by radix passes', test: 'test/sorting/hard.test.ts' },
  argsort: { method: argsort, summary: 'stable order of every row', test: 'test/sorting/hard.test.ts' },
  'top-k': { method: topK, summary: 'the k largest or smallest with their indices', test: 'test/sorting/hard.test.ts' },
  'quick-select': { method: quickSelect, summary: 'the k-th smallest without sorting', test: 'test/sorting/hard.test.ts' },
  rank: { method: rank, summary: 'ranks with a rule for ties', test: 'test/sorting/hard.test.ts' },
  quantile: { method: quantile, summary: 'empirical quantiles', test: 'test/sorting/hard.test.ts' },
  'sorting-network': {
    method: sortingNetwork,
    summary: 'wiring of odd-even and bitonic networks, short rows sorted by it',
    test: 'test/sorting/sorting-network.test.ts',
  },
  'diff-sort': { method: diffSort, summary: 'differentiable sorting network with six relaxations', test: 'test/sorting/diff-sort.test.ts' },
  'group-ordering-loss': {
    method: groupOrderingLoss,
    summary: 'GroCo: views of a sample above its nearest negatives',
    papers: [113],
    test: 'test/sorting/group-ordering.test.ts',
  },
  'group-ordering-scores-loss': {
    method: groupOrderingScoresLoss,
    summary: 'group ordering loss of score lists',
    papers: [113],
    test: 'test/sorting/group-ordering.test.ts',
  },
  'top-k-classification-loss': {
    method: topKClassificationLoss,
    summary: 'label among the k highest scores, for a distribution of k',
    test: 'test/sorting/top-k-classification-loss.test.ts',
  },
  'soft-rank': {
    method: softRank,
    summary: 'soft ranks by projection on the permutahedron, l2 and kl',
    test: 'test/sorting/soft-rank.test.ts',
  },
  'soft-sort': {
    method: softSort,
    summary: 'soft sort by projection on the permutahedron, l2 and kl',
    test: 'test/sorting/soft-sort.test.ts',
  },
  'soft-top-k': {
    method: softTopK,
    summary: 'sigmoid soft top-k whose rows sum to k',
    papers: [30],
    test: 'test/sorting/soft-top-k.test.ts',
  },
  'log-soft-top-k': {
    method: logSoftTopK,
    summary: 'logarithm of the sigmoid soft top-k',
    papers: [30],
    test: 'test/sorting/soft-top-k.test.ts',
  },
  'soft-sort-matrix': {
    method: softSortMatrix,
    summary: 'SoftSort: softmax of distances to the sorted row',
    test: 'test/sorting/relaxed-matrix.test.ts',
  },
  'neural-sort-matrix': {
    method: neuralSortMatrix,
    summary: 'NeuralSort: unimodal relaxed permutation',
    test: 'test/sorting/relaxed-matrix.test.ts',
  },
  sparsemax: { method: sparsemax, summary: 'projection on the simplex', papers: [208], test: 'test/sorting/sparsemax.test.ts' },
  'sparsemax-loss': {
    method: sparsemaxLoss,
    summary: 'loss whose gradient is sparsemax minus the target',
    papers: [208],
    test: 'test/sorting/sparsemax.test.ts',
  },
  entmax15: { method: entmax15, summary: '1.5-entmax', test: 'test/sorting/sparsemax.test.ts' },
  'entmax15-loss': {
    method: entmax15Loss,
    summary: 'loss whose gradient is 1.5-entmax minus the target',
    test: 'test/sorting/sparsemax.test.ts',
  },
  'transport-sort': {
    method: transportSort,
    summary: 'soft sort by optimal transport, implicit gradient',
    test: 'test/sorting/transport-sort.test.ts',
  },
  'transport-rank': { method: transportRank, summary: 'soft ranks by optimal transport', test: 'test/sorting/transport-sort.test.ts' },
  'transport-quantile': {
    method: transportQuantile,
    summary: 'soft quantiles by optimal transport',
    test: 'test/sorting/transport-sort.test.ts',
  },
  'mutual-choice': {
    method: mutualChoice,
    summary: 'largest scores of a whole batch under one budget',
    papers: [172],
    test: 'test/sorting/allocation.test.ts',
  },
  'feature-choice': {
    method: featureChoice,
    summary: 'a number of tokens for every feature',
    papers: [172],
    test: 'test/sorting/allocation.test.ts',
  },
  'zipf-counts': {
    method: zipfCounts,
    summary: 'budgets of features by a Zipf law',
    papers: [172],
    test: 'test/sorting/allocation.test.ts',
  },
  'aux-zipf-loss': {
    method: auxZipfLoss,
    summary: 'features used less than a Zipf law expects explain the residual',
    papers: [172],
    test: 'test/sorting/allocation-recovery.test.ts',
  },
  'decoupled-softmax-loss': {
    method: decoupledSoftmaxLoss,
    summary: 'several positives, each against the negatives alone',
    papers: [30],
    test: 'test/sorting/retrieval-losses.test.ts',
  },
  'soft-top-k-loss': {
    method: softTopKLoss,
    summary: 'positives among the k highest scores',
    papers: [30],
    test: 'test/sorting/retrieval-losses.test.ts',
  },
} satisfies Registry;
