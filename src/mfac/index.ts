/** Inverse-Hessian products by matrix-free approximations of the Fisher matrix. */
export { DynamicMfac, type DynamicMfacOptions } from './dynamic-mfac.js';
export type { MfacForm } from './factorize.js';
export type { Gradients } from './gradient-rows.js';
export { type MfacOptimizerOptions, type MfacOptimizerState, mfacOptimizer } from './mfac-optimizer.js';
export { StaticMfac, type StaticMfacOptions } from './static-mfac.js';
