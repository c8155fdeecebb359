// Optimal transport: entropic, exact, partial, one-dimensional, Gaussian. See README.md for which solver when.
export { type SinkhornOptions, type SinkhornResult, sinkhorn } from './sinkhorn.js';
