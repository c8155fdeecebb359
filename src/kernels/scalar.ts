// Elementary functions with the same bits in every runtime (assembly/scalar.ts). Math.exp, log, pow, tanh … differ between
// JavaScript engines; + − × ÷ √ do not.
import { kernels } from '../runtime/instance.js';

/** e^x. */
export const exp = (x: number): number => kernels().exp(x);
/** Natural logarithm. */
export const log = (x: number): number => kernels().log(x);
/** x^y. */
export const pow = (x: number, y: number): number => kernels().pow(x, y);
