import type { Registry } from '../core/registry.js';
import { adversarialAdaptiveSampler } from './adversarial-adaptive-sampler.js';
import { assignment } from './assignment.js';
import { buresBarycenter } from './bures-barycenter.js';
import { buresFactorizationLoss } from './bures-factorization-loss.js';
import { buresWasserstein } from './bures-wasserstein.js';
import { dirichletMaxDensity } from './dirichlet-max-density.js';
import { emd } from './emd.js';
import { blackboxSolverGrad, graphMatching } from './graph-matching.js';
import { groupFairnessGaps } from './group-fairness-gaps.js';
import { maxSlicedWasserstein } from './max-sliced-wasserstein.js';
import { minibatchCoupling } from './minibatch-coupling.js';
import { parallelSinkhornBatch } from './parallel-sinkhorn-batch.js';
import { progressivePartial } from './progressive-partial.js';
import { prototypeLogits } from './prototype-logits.js';
import { residualResample } from './residual-resample.js';
import { semanticPartial } from './semantic-partial.js';
import { sinkhorn } from './sinkhorn.js';
import { sinkhornBarycenter } from './sinkhorn-barycenter.js';
import { sinkhornBatch } from './sinkhorn-batch.js';
import { sinkhornDivergence } from './sinkhorn-divergence.js';
import { sinkhornPartial } from './sinkhorn-partial.js';
import { sinkhornUnbalanced } from './sinkhorn-unbalanced.js';
import { slicedWasserstein } from './sliced-wasserstein.js';
import { swappedPrediction, swavCodes } from './swapped-prediction.js';
import { wasserstein1d } from './wasserstein1d.js';

/** The methods of this area. */
export const registry = {
  emd: { method: emd, summary: 'Exact transport, whole or partial, with a dual certificate', test: 'test/transport/emd.test.ts' },
  'progressive-partial': {
    method: progressivePartial,
    summary: 'P²OT: imbalance-aware pseudo-labels by progressive partial transport',
    papers: [201],
    test: 'test/transport/progressive-partial.test.ts',
  },
  'prototype-logits': {
    method: prototypeLogits,
    summary: 'Logits from features by spherical k-means prototypes',
    test: 'test/transport/prototype-logits.test.ts',
  },
  'semantic-partial': {
    method: semanticPartial,
    summary: 'SP²OT: pseudo-labels that agree between similar samples',
    papers: [228],
    test: 'test/transport/semantic-partial.test.ts',
  },
  sinkhorn: { method: sinkhorn, summary: 'Balanced entropic transport', test: 'test/transport/sinkhorn.test.ts' },
  'sinkhorn-divergence': {
    method: sinkhornDivergence,
    summary: 'Debiased entropic distance with gradients',
    test: 'test/transport/sinkhorn-divergence.test.ts',
  },
  'sinkhorn-partial': {
    method: sinkhornPartial,
    summary: 'Entropic transport of part of the mass',
    test: 'test/transport/sinkhorn-partial.test.ts',
  },
  'sinkhorn-unbalanced': {
    method: sinkhornUnbalanced,
    summary: 'Entropic transport with penalised marginals',
    test: 'test/transport/sinkhorn-unbalanced.test.ts',
  },
  wasserstein1d: {
    method: wasserstein1d,
    summary: 'Exact transport on a line, with gradients',
    test: 'test/transport/wasserstein1d.test.ts',
  },
  'sliced-wasserstein': {
    method: slicedWasserstein,
    summary: 'Mean transport cost over projections on lines',
    test: 'test/transport/sliced-wasserstein.test.ts',
  },
  'max-sliced-wasserstein': {
    method: maxSlicedWasserstein,
    summary: 'Largest transport cost over projections on lines',
    test: 'test/transport/sliced-wasserstein.test.ts',
  },
  'bures-wasserstein': {
    method: buresWasserstein,
    summary: 'Distance and map between Gaussians, with gradients',
    papers: [196],
    test: 'test/transport/bures-factorization.test.ts',
  },
  'bures-barycenter': {
    method: buresBarycenter,
    summary: 'Barycenter of covariances',
    papers: [196],
    test: 'test/transport/bures-factorization.test.ts',
  },
  'bures-factorization-loss': {
    method: buresFactorizationLoss,
    summary: 'Distance of a deep linear generator to a covariance, with gradients',
    papers: [196],
    test: 'test/transport/bures-factorization.test.ts',
  },
  'adversarial-adaptive-sampler': {
    method: adversarialAdaptiveSampler,
    summary: 'Training points where the residual of a model is large',
    papers: [19],
    test: 'test/transport/adaptive-sampling.test.ts',
  },
  'dirichlet-max-density': {
    method: dirichletMaxDensity,
    summary: 'The density that gathers most of a reward at a price on its slope',
    papers: [19],
    test: 'test/transport/adaptive-sampling.test.ts',
  },
  'residual-resample': {
    method: residualResample,
    summary: 'Points drawn from a density on a grid',
    papers: [19],
    test: 'test/transport/adaptive-sampling.test.ts',
  },
  assignment: { method: assignment, summary: 'The cheapest matching of rows to columns', test: 'test/transport/assignment.test.ts' },
  'minibatch-coupling': {
    method: minibatchCoupling,
    summary: 'Exact pairing of two batches for flow matching',
    papers: [188],

    test: 'test/transport/assignment.test.ts',
  },
  'blackbox-solver-grad': {
    method: blackboxSolverGrad,
    summary: 'Gradient of a loss through a combinatorial solver',
    papers: [69],
    test: 'test/transport/graph-matching.test.ts',
  },
  'graph-matching': {
    method: graphMatching,
    summary: 'One-to-one matching by node and edge affinities',
    papers: [69],
    test: 'test/transport/graph-matching.test.ts',
  },
  'sinkhorn-barycenter': {
    method: sinkhornBarycenter,
    summary: 'Entropic mean of histograms on a fixed support',
    test: 'test/transport/sinkhorn-barycenter.test.ts',
  },
  'parallel-sinkhorn-batch': {
    method: parallelSinkhornBatch,
    summary: 'Many balanced problems on a pool of threads',
    test: 'test/threads/parallel.test.ts',
  },
  'sinkhorn-batch': { method: sinkhornBatch, summary: 'Many balanced problems in one call', test: 'test/transport/sinkhorn-batch.test.ts' },
  'group-fairness-gaps': {
    method: groupFairnessGaps,
    summary: 'Hit rate and recall by group of samples, and their gaps',
    papers: [142],
    test: 'test/transport/swapped-prediction.test.ts',
  },
  'swapped-prediction': {
    method: swappedPrediction,
    summary: 'Each view predicts the codes of the other (SwAV)',
    papers: [142],
    test: 'test/transport/swapped-prediction.test.ts',
  },
  'swav-codes': {
    method: swavCodes,
    summary: 'Cluster assignments of equal shares',
    papers: [142],
    test: 'test/transport/swapped-prediction.test.ts',
  },
} satisfies Registry;
