/** Inverse-Hessian products by matrix-free approximations of the Fisher matrix. */
export type { MfacForm } from './factorize.js';
export type { Gradients } from './gradient-rows.js';
export { StaticMfac, type StaticMfacOptions } from './static-mfac.js';
