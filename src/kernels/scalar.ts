// Elementary functions with the same bits in every runtime (assembly/scalar.ts). Math.exp, log, pow, tanh … differ between
// JavaScript engines; + − × ÷ √ do not.
import { kernels } from '../runtime/instance.js';

/** e^x. */
export const exp = (x: number): number => kernels().exp(x);
/** Natural logarithm. */
export const log = (x: number): number => kernels().log(x);
/** x^y. */
export const pow = (x: number, y: number): number => kernels().pow(x, y);
/** sin x, x in radians. */
export const sin = (x: number): number => kernels().sin(x);
/** cos x, x in radians. */
export const cos = (x: number): number => kernels().cos(x);
/** tan x, x in radians. */
export const tan = (x: number): number => kernels().tan(x);
/** arcsin x. */
export const asin = (x: number): number => kernels().asin(x);
/** arccos x. */
export const acos = (x: number): number => kernels().acos(x);
/** arctan x. */
export const atan = (x: number): number => kernels().atan(x);
/** sinh x. */
export const sinh = (x: number): number => kernels().sinh(x);
/** cosh x. */
export const cosh = (x: number): number => kernels().cosh(x);
/** tanh x. */
export const tanh = (x: number): number => kernels().tanh(x);
/** arsinh x. */
export const asinh = (x: number): number => kernels().asinh(x);
/** arcosh x. */
export const acosh = (x: number): number => kernels().acosh(x);
/** artanh x. */
export const atanh = (x: number): number => kernels().atanh(x);
/** log(1 + x), exact near 0. */
export const log1p = (x: number): number => kernels().log1p(x);
/** e^x − 1, exact near 0. */
export const expm1 = (x: number): number => kernels().expm1(x);
/** The error function. */
export const erf = (x: number): number => kernels().erf(x);
