// Elementary functions with the same bits in every runtime (assembly/scalar.ts). Math.exp, log, pow, tanh … differ between
// JavaScript engines; + − × ÷ √ do not.
import { scalars } from '../runtime/scalars.js';

/** e^x. */
export const exp = (x: number): number => scalars().exp(x);
/** Natural logarithm. */
export const log = (x: number): number => scalars().log(x);
/** x^y. */
export const pow = (x: number, y: number): number => scalars().pow(x, y);
/** sin x, x in radians. */
export const sin = (x: number): number => scalars().sin(x);
/** cos x, x in radians. */
export const cos = (x: number): number => scalars().cos(x);
/** tan x, x in radians. */
export const tan = (x: number): number => scalars().tan(x);
/** arcsin x. */
export const asin = (x: number): number => scalars().asin(x);
/** arccos x. */
export const acos = (x: number): number => scalars().acos(x);
/** arctan x. */
export const atan = (x: number): number => scalars().atan(x);
/** sinh x. */
export const sinh = (x: number): number => scalars().sinh(x);
/** cosh x. */
export const cosh = (x: number): number => scalars().cosh(x);
/** tanh x. */
export const tanh = (x: number): number => scalars().tanh(x);
/** arsinh x. */
export const asinh = (x: number): number => scalars().asinh(x);
/** arcosh x. */
export const acosh = (x: number): number => scalars().acosh(x);
/** artanh x. */
export const atanh = (x: number): number => scalars().atanh(x);
/** log(1 + x), exact near 0. */
export const log1p = (x: number): number => scalars().log1p(x);
/** e^x − 1, exact near 0. */
export const expm1 = (x: number): number => scalars().expm1(x);
/** The error function. */
export const erf = (x: number): number => scalars().erf(x);
