// Optimal transport: entropic, exact, partial, one-dimensional, Gaussian. See README.md for which solver when.

export { type AdaptiveSampler, type AdaptiveSamplerOptions, adversarialAdaptiveSampler } from './adversarial-adaptive-sampler.js';
export { type AssignmentResult, assignment } from './assignment.js';
export { type BuresBarycenterOptions, buresBarycenter } from './bures-barycenter.js';
export { type BuresFactorizationResult, buresFactorizationLoss } from './bures-factorization-loss.js';
export { type BuresResult, buresWasserstein, type Gaussian, type GaussianGradient } from './bures-wasserstein.js';
export { type DirichletDensity, type DirichletOptions, dirichletMaxDensity } from './dirichlet-max-density.js';
export { type EmdOptions, type EmdResult, emd } from './emd.js';
export { blackboxSolverGrad, type GraphMatchingOptions, type GraphMatchingResult, graphMatching } from './graph-matching.js';
export { type FairnessGaps, groupFairnessGaps } from './group-fairness-gaps.js';
export { type MaxSlicedOptions, type MaxSlicedResult, maxSlicedWasserstein } from './max-sliced-wasserstein.js';
export { type MinibatchCouplingResult, minibatchCoupling } from './minibatch-coupling.js';
export { parallelSinkhornBatch } from './parallel-sinkhorn-batch.js';
export type { Plan } from './plan.js';
export { type LabelProblem, type ProgressiveOptions, type ProgressiveResult, progressivePartial } from './progressive-partial.js';
export { type PrototypeOptions, prototypeLogits } from './prototype-logits.js';
export { type ResampleOptions, residualResample } from './residual-resample.js';
export { type SemanticOptions, type SemanticProblem, type SemanticResult, semanticPartial } from './semantic-partial.js';
export { type SinkhornOptions, type SinkhornResult, sinkhorn } from './sinkhorn.js';
export { type BarycenterOptions, type BarycenterProblem, type BarycenterResult, sinkhornBarycenter } from './sinkhorn-barycenter.js';
export { type BatchProblem, type BatchResult, sinkhornBatch } from './sinkhorn-batch.js';
export { type DivergenceProblem, type DivergenceResult, sinkhornDivergence } from './sinkhorn-divergence.js';
export { type PartialOptions, type PartialResult, sinkhornPartial } from './sinkhorn-partial.js';
export { sinkhornUnbalanced, type UnbalancedOptions, type UnbalancedResult } from './sinkhorn-unbalanced.js';
export { type CloudProblem, type SlicedOptions, type SlicedResult, slicedWasserstein } from './sliced-wasserstein.js';
export { type CodeOptions, type SwappedPredictionResult, swappedPrediction, swavCodes } from './swapped-prediction.js';
export { type LineProblem, type Wasserstein1dOptions, type Wasserstein1dResult, wasserstein1d } from './wasserstein1d.js';
