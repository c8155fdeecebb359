// Optimal transport: entropic, exact, partial, one-dimensional, Gaussian. See README.md for which solver when.
export { type SinkhornOptions, type SinkhornResult, sinkhorn } from './sinkhorn.js';
export { type DivergenceProblem, type DivergenceResult, sinkhornDivergence } from './sinkhorn-divergence.js';
export { type PartialOptions, type PartialResult, sinkhornPartial } from './sinkhorn-partial.js';
export { sinkhornUnbalanced, type UnbalancedOptions, type UnbalancedResult } from './sinkhorn-unbalanced.js';
